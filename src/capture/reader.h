// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capture/byte_stream.h"
#include "capture/link_layer.h"

/// libpcap's handle. Its header and <linux/bpf.h> define the same names, so it is not included
/// here.
struct pcap;

namespace linearb::capture {

struct Record {
  std::uint64_t timestamp_ns;           // since the epoch
  std::span<const std::uint8_t> bytes;  // an Ethernet frame; valid until the next call of next()
  std::uint32_t original_length;        // what the frame had before the capture cut it off
};

/// Reads a capture: pcap and pcapng, micro- and nanoseconds, either byte order, plain or gzip, of
/// Ethernet, Linux cooked and raw IP links. A pcapng file has to be of one link type throughout.
///
/// Whatever is wrong with a file is a UsageError that names file, record, byte and what to do.
class Reader {
 public:
  explicit Reader(std::string path);

  /// Nothing at the end of the file.
  std::optional<Record> next();

  /// Records that were read so far.
  std::uint64_t records() const noexcept { return records_; }
  /// For a display: how far it is, in bytes of the file as it is on disk. See ByteStream.
  std::uint64_t file_position() const noexcept { return stream_.file_position(); }
  std::uint64_t file_size() const noexcept { return stream_.file_size(); }

 private:
  struct Closer {
    void operator()(pcap* capture) const noexcept;
  };

  [[noreturn]] void refuse_record() const;

  std::string path_;
  ByteStream stream_;  // capture_ reads it: it has to go last
  std::unique_ptr<pcap, Closer> capture_;
  const LinkLayer* link_ = nullptr;
  std::vector<std::uint8_t> frame_;  // of the last record, where it was not Ethernet
  std::uint64_t records_ = 0;
};

/// Whether the file begins as a capture does. Throws UsageError when it cannot be read.
bool is_capture(const std::string& path);

}  // namespace linearb::capture
