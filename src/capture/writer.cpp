// SPDX-License-Identifier: Apache-2.0
#include "capture/writer.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "sys/error.h"

namespace linearb::capture {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr std::uint32_t kNanosecondMagic = 0xa1b23c4d;
constexpr std::uint32_t kLinkTypeEthernet = 1;
constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

struct FileHeader {
  std::uint32_t magic;
  std::uint16_t version_major;
  std::uint16_t version_minor;
  std::uint32_t reserved[2];
  std::uint32_t snapshot_length;
  std::uint32_t link_type;
};
static_assert(sizeof(FileHeader) == 24, "draft-ietf-opsawg-pcap, section 4");

struct RecordHeader {
  std::uint32_t seconds;
  std::uint32_t nanoseconds;
  std::uint32_t captured_length;
  std::uint32_t original_length;
};
static_assert(sizeof(RecordHeader) == 16, "draft-ietf-opsawg-pcap, section 5");

template <typename T>
std::span<const std::uint8_t> bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)};
}

}  // namespace

Writer::Writer(std::string path)
    : path_(std::move(path)),
      file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (!file_) sys::throw_errno(fmt::format("create capture {}", path_));
  buffer_.reserve(kBufferBytes);
  append(bytes_of(FileHeader{.magic = kNanosecondMagic,
                             .version_major = 2,
                             .version_minor = 4,
                             .reserved = {},
                             .snapshot_length = kSnapshotLength,
                             .link_type = kLinkTypeEthernet}));
}

Writer::~Writer() {
  try {
    if (file_) flush();
  } catch (const std::exception&) {
    /* The file stays cut off; close() is there for whoever wants to know. */
  }
}

void Writer::write(std::uint64_t timestamp_ns, std::span<const std::uint8_t> frame) {
  write(timestamp_ns, frame, static_cast<std::uint32_t>(frame.size()));
}

void Writer::write(std::uint64_t timestamp_ns, std::span<const std::uint8_t> frame,
                   std::uint32_t original_length) {
  frame = frame.first(std::min<std::size_t>(frame.size(), kSnapshotLength));
  /* The format's seconds end in 2106. */
  append(bytes_of(
      RecordHeader{.seconds = static_cast<std::uint32_t>(timestamp_ns / kNanosecondsPerSecond),
                   .nanoseconds = static_cast<std::uint32_t>(timestamp_ns % kNanosecondsPerSecond),
                   .captured_length = static_cast<std::uint32_t>(frame.size()),
                   .original_length = original_length}));
  append(frame);
  records_++;
}

void Writer::append(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > kBufferBytes - buffer_.size()) flush();
  if (bytes.size() > kBufferBytes) return write_out(bytes);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void Writer::flush() {
  /* Emptied first: a flush that failed is not tried again with half of it in the file. */
  std::vector<std::uint8_t> bytes = std::exchange(buffer_, {});
  write_out(bytes);
  bytes.clear();
  buffer_ = std::move(bytes);
}

void Writer::write_out(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      sys::throw_errno(fmt::format("write capture {}", path_),
                       "make room, or give --write a file on another disk");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void Writer::close() {
  flush();
  if (::close(file_.release()) != 0) sys::throw_errno(fmt::format("close capture {}", path_));
}

}  // namespace linearb::capture
