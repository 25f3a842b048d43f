// SPDX-License-Identifier: Apache-2.0
#include "capture/writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "sys/error.h"

namespace linearb::capture {
namespace {

constexpr std::size_t kBufferBytes = 512 * 1024;
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
static_assert(sizeof(FileHeader) + sizeof(RecordHeader) + kSnapshotLength <= kBufferBytes,
              "what a flush writes begins with a record");

template <typename T>
std::span<const std::uint8_t> bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)};
}

struct WholeRecords {
  std::uint64_t count = 0;
  std::size_t bytes = 0;
};

/// The whole records at the front of `bytes`, behind the header of the file where it is there.
WholeRecords whole_records(std::span<const std::uint8_t> bytes, std::size_t file_header) noexcept {
  if (bytes.size() < file_header) return {};
  WholeRecords whole{.count = 0, .bytes = file_header};
  RecordHeader header;
  while (bytes.size() - whole.bytes >= sizeof(header)) {
    std::memcpy(&header, bytes.data() + whole.bytes, sizeof(header));
    const std::size_t end = whole.bytes + sizeof(header) + header.captured_length;
    if (end > bytes.size()) break;
    whole = {.count = whole.count + 1, .bytes = end};
  }
  return whole;
}

const char* way_on(int error_number) noexcept {
  if (error_number == ENOSPC || error_number == EDQUOT)
    return "make room, or give --write a file on another disk";
  if (error_number == EFBIG) return "raise the limit of file sizes (ulimit -f)";
  return "give --write another file";
}

}  // namespace

Writer::Writer(std::string path)
    : path_(std::move(path)),
      file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (!file_)
    sys::throw_errno(fmt::format("create capture {}", path_),
                     "name a file in a folder that is there and can be written to");
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
  if (sizeof(RecordHeader) + frame.size() > kBufferBytes - buffer_.size()) flush();
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
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void Writer::flush() {
  /* Emptied first: a flush that failed is not tried again with half of it in the file. */
  std::vector<std::uint8_t> bytes = std::exchange(buffer_, {});
  const std::size_t written = write_out(bytes);
  if (written < bytes.size()) {
    const int error = errno;
    cut_behind_last_record(std::span(bytes).first(written));
    refuse(error);
  }
  bytes_in_file_ += written;
  records_in_file_ = records_;
  bytes.clear();
  buffer_ = std::move(bytes);
}

/// Returns how many bytes the kernel took; errno says why, when it did not take all.
std::size_t Writer::write_out(std::span<const std::uint8_t> bytes) noexcept {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t took = ::write(file_.get(), bytes.data() + written, bytes.size() - written);
    if (took < 0 && errno == EINTR) continue;
    if (took < 0) break;
    written += static_cast<std::size_t>(took);
  }
  return written;
}

void Writer::cut_behind_last_record(std::span<const std::uint8_t> written) noexcept {
  const WholeRecords whole = whole_records(written, bytes_in_file_ == 0 ? sizeof(FileHeader) : 0);
  records_in_file_ += whole.count;
  bytes_in_file_ += whole.bytes;
  const auto end = static_cast<off_t>(bytes_in_file_);
  if (::ftruncate(file_.get(), end) == 0) ::lseek(file_.get(), end, SEEK_SET);
}

void Writer::refuse(int error_number) const {
  sys::throw_errno(
      fmt::format("write capture {}", path_),
      fmt::format("{} {} in it; {}", records_in_file_,
                  records_in_file_ == 1 ? "packet is" : "packets are", way_on(error_number)),
      error_number);
}

void Writer::close() {
  flush();
  if (::close(file_.release()) != 0)
    sys::throw_errno(fmt::format("close capture {}", path_), way_on(errno));
}

}  // namespace linearb::capture
