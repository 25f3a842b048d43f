// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <ostream>
#include <thread>

namespace linearb::test {

/// What a thread did between ThreadWatch::begin() and end().
struct Deeds {
  std::uint64_t allocations = 0;   ///< malloc and its kin; operator new comes there
  std::uint64_t frees = 0;         ///< of something
  std::uint64_t locks = 0;         ///< of a pthread mutex or rwlock, contended or not
  std::uint64_t throws = 0;        ///< exceptions, caught or not
  std::uint64_t futexes = 0;       ///< futex(2), whoever asks for it: glibc inside itself, too
  std::uint64_t system_calls = 0;  ///< others than the path of packets and its waits make
  int last_system_call = -1;       ///< of those

  friend bool operator==(const Deeds&, const Deeds&) = default;
};

inline void PrintTo(const Deeds& deeds, std::ostream* out) {
  *out << deeds.allocations << " allocations, " << deeds.frees << " frees, " << deeds.locks
       << " locks, " << deeds.throws << " throws, " << deeds.futexes << " futex calls, "
       << deeds.system_calls << " other system calls (the last: " << deeds.last_system_call << ")";
}

/// Counts exactly what one thread does that the data path must not do (invariant I7).
///
/// Functions are interposed: this executable has malloc, free, pthread_mutex_lock and __cxa_throw
/// of its own, which every library finds before the real ones. System calls are seen by the kernel:
/// a seccomp filter on the thread has each of them asked of a supervisor, which counts it and has
/// it go on. What a packet needs is let through unseen: poll, recvfrom and sendto (the wake-up of a
/// driver), sleeps, and the eventfd of stop().
///
/// The filter stays as long as the thread lives, and threads that it starts later have it too:
/// begin() when it has started those that it needs. One watch for a thread; it is destroyed after
/// the thread has ended.
class ThreadWatch {
 public:
  ThreadWatch();
  ~ThreadWatch();
  ThreadWatch(const ThreadWatch&) = delete;
  ThreadWatch& operator=(const ThreadWatch&) = delete;

  /// On the thread to be watched.
  void begin() noexcept;
  void end() noexcept;

  bool has_ended() const noexcept { return has_ended_.load(); }
  /// After end(), by any thread.
  const Deeds& deeds() const noexcept { return deeds_; }
  /// While it is watched, by any thread.
  std::uint64_t futexes() const noexcept { return futexes_.load(); }
  /// Why begin() could not: an errno; 0 when it could.
  int error() const noexcept { return error_.load(); }

 private:
  void supervise() noexcept;
  void answer(int listener) noexcept;

  Deeds deeds_;
  std::atomic<std::uint64_t> futexes_ = 0;
  std::atomic<std::uint64_t> system_calls_ = 0;
  std::atomic<int> last_system_call_ = -1;
  std::atomic<bool> counts_ = false;
  std::atomic<bool> has_ended_ = false;
  std::atomic<int> error_ = 0;
  std::atomic<int> listener_ = -1;  ///< pairs with supervise(), which waits for it
  std::atomic<bool> is_over_ = false;
  std::thread supervisor_;
};

}  // namespace linearb::test
