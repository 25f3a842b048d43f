// SPDX-License-Identifier: Apache-2.0
#include "data_thread/thread_watch.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <typeinfo>
#include <utility>

#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using linearb::test::Deeds;

/// Of this thread, while it is watched.
thread_local Deeds* watched = nullptr;

void count(std::uint64_t Deeds::*deed) noexcept {
  if (watched) ++(watched->*deed);
}

/// The one of this name that would have been found without this file.
template <class Function>
Function* real(const char* name) noexcept {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// ---- what every library of the process calls instead of the real ones ---------------------------

extern "C" {

// glibc's own names of them (malloc/malloc.c).
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) noexcept {
  count(&Deeds::allocations);
  return __libc_malloc(size);
}
void* calloc(std::size_t members, std::size_t size) noexcept {
  count(&Deeds::allocations);
  return __libc_calloc(members, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  count(&Deeds::allocations);
  return __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  count(&Deeds::allocations);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  *memory = memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}
void free(void* memory) noexcept {
  if (memory) count(&Deeds::frees);
  __libc_free(memory);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static auto* const lock = real<int(pthread_mutex_t*)>("pthread_mutex_lock");
  count(&Deeds::locks);
  return lock(mutex);
}
int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  static auto* const lock = real<int(pthread_mutex_t*)>("pthread_mutex_trylock");
  count(&Deeds::locks);
  return lock(mutex);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* mutex) noexcept {
  static auto* const lock = real<int(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  count(&Deeds::locks);
  return lock(mutex);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* mutex) noexcept {
  static auto* const lock = real<int(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  count(&Deeds::locks);
  return lock(mutex);
}

[[noreturn]] void __cxa_throw(void* exception, std::type_info* type, void (*destroy)(void*)) {
  static auto* const raise = real<void(void*, std::type_info*, void (*)(void*))>("__cxa_throw");
  count(&Deeds::throws);
  raise(exception, type, destroy);
  std::abort();
}

}  // extern "C"

// ---- what the kernel sees -----------------------------------------------------------------------

namespace linearb::test {
namespace {

/// Puts the filter on this thread. Returns the supervisor's descriptor, or -1 with errno.
int ask_of_supervisor() noexcept {
  constexpr int kUnseen[] = {SYS_poll,      SYS_ppoll,         SYS_recvfrom,
                             SYS_sendto,    SYS_read,          SYS_clock_nanosleep,
                             SYS_nanosleep, SYS_clock_gettime, SYS_seccomp};
  constexpr std::size_t kCount = std::size(kUnseen);
  sock_filter program[kCount + 3] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (std::size_t i = 0; i < kCount; ++i)
    program[1 + i] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(kUnseen[i]),
                              static_cast<std::uint8_t>(kCount - i), 0);
  program[kCount + 1] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  program[kCount + 2] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_fprog filter{.len = std::size(program), .filter = program};
  return static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
}

}  // namespace

ThreadWatch::ThreadWatch() : supervisor_([this] { supervise(); }) {}

ThreadWatch::~ThreadWatch() {
  is_over_ = true;
  supervisor_.join();
}

void ThreadWatch::begin() noexcept {
  const int listener = ask_of_supervisor();
  if (listener < 0) error_ = errno;
  listener_ = listener;
  counts_ = true;
  watched = &deeds_;
}

void ThreadWatch::end() noexcept {
  watched = nullptr;
  counts_ = false;
  deeds_.futexes = futexes_;
  deeds_.system_calls = system_calls_;
  deeds_.last_system_call = last_system_call_;
  has_ended_ = true;
}

/// Until the last thread that has the filter is gone: it would wait for an answer for ever.
void ThreadWatch::supervise() noexcept {
  while (listener_ < 0 && !is_over_) ::usleep(100);
  pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
  while (waiting.fd >= 0 && ::poll(&waiting, 1, -1) >= 0 && (waiting.revents & POLLIN))
    answer(waiting.fd);
  if (waiting.fd >= 0) ::close(waiting.fd);
}

/// The thread waits meanwhile: what it did before is seen here.
void ThreadWatch::answer(int listener) noexcept {
  seccomp_notif asked{};
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) return;
  if (counts_ && asked.data.nr == SYS_futex) ++futexes_;
  if (counts_ && asked.data.nr != SYS_futex) {
    ++system_calls_;
    last_system_call_ = asked.data.nr;
  }
  seccomp_notif_resp go_on{
      .id = asked.id, .val = 0, .error = 0, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &go_on);
}

}  // namespace linearb::test
