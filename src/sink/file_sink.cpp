// SPDX-License-Identifier: Apache-2.0
#include "sink/file_sink.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>

#include "linearb/error.h"
#include "sys/error.h"

namespace linearb::sink {
namespace {

/// Room for two of the longest records.
constexpr std::size_t kRingBytesMin = 1024 * 1024;
static_assert(kRingBytesMin / 2 >= capture::kSnapshotLength + 64, "ByteRing::packet_max");

/// The writer looks for packets again this much later, instead of being woken: to wake a thread is
/// a system call, which the data path does not make. In that time 10 Gb/s fill a hundredth of the
/// ring.
constexpr std::chrono::microseconds kIdle{500};

/// How long the caller sleeps before it looks whether there is room again.
constexpr std::chrono::microseconds kFull{50};

/// Signals are for the main thread; a pipe that nobody reads is an error, not a SIGPIPE.
class BlockedSignals {
 public:
  BlockedSignals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

FileSink::FileSink(const std::string& path, std::size_t ring_bytes, std::size_t inlets)
    : writer_(path) {
  const std::size_t bytes = std::max(ring_bytes, kRingBytesMin);
  try {
    while (inlets_.size() < inlets) inlets_.emplace_back(bytes, failed_);
  } catch (const std::bad_alloc&) {
    sys::throw_errno(fmt::format("reserve {} bytes for packets on their way to {}", bytes, path),
                     "free memory, or raise its limit (ulimit -v)", ENOMEM);
  }
  start(path);
}

FileSink::~FileSink() {
  join();
}

void FileSink::start(const std::string& path) {
  BlockedSignals blocked;  // the thread inherits it
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    sys::throw_errno(fmt::format("start the thread that writes {}", path),
                     "raise the limit of threads or of memory (ulimit -u, ulimit -v)",
                     error.code().value());
  }
}

void Inlet::write(std::uint64_t realtime_ns, std::span<const std::uint8_t> packet) noexcept {
  auto kept = packet.first(std::min<std::size_t>(packet.size(), capture::kSnapshotLength));
  std::uint8_t* room = reserve(kept.size());
  if (!room) return;
  std::memcpy(room, kept.data(), kept.size());
  commit(realtime_ns, packet.size());
  stats_.packets++;
}

void Inlet::write_trimmed(std::uint64_t realtime_ns, std::span<const std::uint8_t> packet,
                          const Trim& trim) noexcept {
  Trimmer trimmer(packet, trim);
  if (!trimmer.possible()) {
    stats_.untrimmed++;
    return write(realtime_ns, packet);
  }
  while (trimmer.next()) {
    std::uint8_t* room = reserve(trimmer.size());
    if (!room) return;
    trimmer.write(room);
    commit(realtime_ns, trimmer.size());
  }
  stats_.packets++;
}

std::uint8_t* Inlet::reserve(std::size_t length) noexcept {
  const auto failed = [this] { return failed_.load(std::memory_order_relaxed); };
  std::uint8_t* room = failed() ? nullptr : ring_.reserve(length);
  if (!room && !failed()) stats_.waits++;
  while (!room && !failed()) {
    std::this_thread::sleep_for(kFull);
    room = ring_.reserve(length);
  }
  if (!room) stats_.lost++;
  return room;
}

void Inlet::commit(std::uint64_t realtime_ns, std::size_t original_length) noexcept {
  ring_.commit(realtime_ns, static_cast<std::uint32_t>(original_length));
  stats_.records++;
}

void FileSink::run() noexcept {
  try {
    write_until_closed();
  } catch (const std::exception& error) {
    error_ = error.what();
    failed_.store(true, std::memory_order_relaxed);
  }
}

void FileSink::write_until_closed() {
  bool closing = false;
  while (!closing) {
    /* Asked before the ring is drained: what was written before close() is then in it. It pairs
     * with the store in join(). */
    closing = closing_.load(std::memory_order_acquire);
    drain();
    writer_.flush();
    if (!closing) std::this_thread::sleep_for(kIdle);
  }
  writer_.close();
}

/// The oldest of those that are there first.
void FileSink::drain() {
  for (;;) {
    Inlet* oldest = nullptr;
    std::optional<ByteRing::Packet> packet;
    for (Inlet& inlet : inlets_) {
      const auto front = inlet.ring_.front();
      if (!front || (packet && packet->timestamp_ns <= front->timestamp_ns)) continue;
      oldest = &inlet;
      packet = front;
    }
    if (!oldest) return;
    writer_.write(packet->timestamp_ns, packet->bytes, packet->original_length);
    oldest->ring_.pop();
  }
}

void FileSink::join() noexcept {
  closing_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
}

SinkStats FileSink::stats() const noexcept {
  SinkStats sum;
  for (const Inlet& inlet : inlets_) {
    const SinkStats& of_one = inlet.stats();
    sum.packets += of_one.packets;
    sum.records += of_one.records;
    sum.untrimmed += of_one.untrimmed;
    sum.waits += of_one.waits;
    sum.lost += of_one.lost;
  }
  sum.records = records_in_file_.value_or(sum.records);
  return sum;
}

void FileSink::finish() noexcept {
  join();
  records_in_file_ = writer_.records_in_file();
}

void FileSink::close() {
  finish();
  if (failed()) throw Error(error_);
}

std::unique_ptr<FileSink> open_file_sink(const std::string& path, std::size_t ring_bytes,
                                         std::size_t inlets) {
  if (path.empty()) return nullptr;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
    throw Error(fmt::format(
        "create capture {}: it is a pipe, and a capture is written to a file: name one", path));
  return std::make_unique<FileSink>(path, ring_bytes, inlets);
}

}  // namespace linearb::sink
