// SPDX-License-Identifier: Apache-2.0
#include "capture/raw_datagrams.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "linearb/error.h"

namespace linearb::capture {
namespace {

/// No UDP payload is longer (RFC 768: a length of 16 bits).
constexpr std::size_t kDatagramMax = 65'535;

/// Twice the longest, so that the rest is moved to the front only now and then.
constexpr std::size_t kChunkBytes = 2 * kDatagramMax;

}  // namespace

RawDatagrams::RawDatagrams(std::string path, const lb_framing& framing)
    : path_(std::move(path)), framing_(framing), stream_(path_), buffer_(kChunkBytes) {
  bool walkable = framing_.count.width && framing_.message_length.width;
  if (!walkable && !framing_.payload_length.width)
    throw UsageError(fmt::format(
        "{}: it is no capture (pcap or pcapng, plain or packed with gzip), and datagrams back to "
        "back cannot be told apart under a framing that says neither how long they are nor how "
        "long their messages are: give a capture",
        path_));
}

std::optional<std::span<const std::uint8_t>> RawDatagrams::next() {
  fill();
  if (begin_ == end_) return std::nullopt;
  std::span<const std::uint8_t> datagram = rest().first(datagram_length());
  lb_datagram decoded{};
  if (lb_framing_decode(&framing_, datagram.data(), datagram.data() + datagram.size(),
                        static_cast<lb_u32>(datagram.size()), &decoded) == LB_KIND_MALFORMED)
    refuse("is not of this framing");
  begin_ += datagram.size();
  datagrams_++;
  return datagram;
}

/// After it there is a whole datagram in the buffer, or the rest of the file.
void RawDatagrams::fill() {
  if (end_ - begin_ >= kDatagramMax) return;
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= std::exchange(begin_, 0);
  ssize_t got = 0;
  while (end_ < buffer_.size() && (got = stream_.read(std::span(buffer_).subspan(end_))) > 0)
    end_ += static_cast<std::size_t>(got);
  if (got < 0) refuse(stream_.failure());
}

std::span<const std::uint8_t> RawDatagrams::rest() const noexcept {
  return std::span(buffer_).subspan(begin_, std::min(end_ - begin_, kDatagramMax));
}

std::uint32_t RawDatagrams::datagram_length() {
  if (rest().size() < framing_.least_length) refuse("ends within its header");
  if (!framing_.payload_length.width) return walked_length();
  lb_u64 length = 0;
  lb_field_read(&framing_.payload_length, rest().data(), rest().data() + rest().size(), &length);
  length += framing_.payload_length_extra;
  if (length < framing_.least_length || length > rest().size())
    refuse(fmt::format("says that it has {} bytes, which cannot be", length));
  return static_cast<std::uint32_t>(length);
}

std::uint32_t RawDatagrams::walked_length() {
  std::span<const std::uint8_t> bytes = rest();
  lb_u64 count = 0;
  lb_field_read(&framing_.count, bytes.data(), bytes.data() + bytes.size(), &count);
  if (framing_.flags & LB_FRAMING_HAS_END_COUNT && count == framing_.end_count) count = 0;
  std::uint32_t offset = framing_.header_length;
  for (lb_u64 i = 0; i < count; i++) {
    lb_u32 length =
        lb_message_length(&framing_, bytes.data(), static_cast<lb_u32>(bytes.size()), offset);
    if (length == 0) {
      /* fill() leaves less than the longest datagram only at the end of the file. */
      cut_ = i + 1 == count && offset < bytes.size() && bytes.size() < kDatagramMax;
      if (cut_) return static_cast<std::uint32_t>(bytes.size());
      refuse(fmt::format("ends within message {} of {}", i + 1, count));
    }
    offset += length;
  }
  return offset;
}

void RawDatagrams::refuse(std::string_view reason) const {
  throw UsageError(fmt::format(
      "{}: datagram {} at byte {} {}; the file is cut off, or not of datagrams of this framing "
      "back to back",
      path_, datagrams_ + 1, stream_.position() - (end_ - begin_), reason));
}

}  // namespace linearb::capture
