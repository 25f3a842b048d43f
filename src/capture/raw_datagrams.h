// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/byte_stream.h"
#include "framing/framing.h"

namespace linearb::capture {

/// UDP payloads that stand back to back in a file, plain or gzip, with nothing between them. Where
/// one ends is what its framing says: the length in its header, or the last message of its count.
///
/// Whatever is wrong with a file is a UsageError that names file, datagram and byte.
class RawDatagrams {
 public:
  /// Throws UsageError also when the framing says nothing about where a datagram ends.
  RawDatagrams(std::string path, const lb_framing& framing);

  /// The next payload, valid until the next call; nothing at the end of the file.
  std::optional<std::span<const std::uint8_t>> next();

  /// The file ends within the last message of the last datagram, which was handed out as it is:
  /// its header is whole, and nothing says whether it was sent like that or the file is cut off.
  bool cut() const noexcept { return cut_; }

 private:
  void fill();
  std::span<const std::uint8_t> rest() const noexcept;
  std::uint32_t datagram_length();
  std::uint32_t walked_length();
  [[noreturn]] void refuse(std::string_view reason) const;

  std::string path_;
  lb_framing framing_;
  ByteStream stream_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;  // what is read and not handed out yet is [begin_, end_) of buffer_
  std::size_t end_ = 0;
  std::uint64_t datagrams_ = 0;
  bool cut_ = false;
};

}  // namespace linearb::capture
