// SPDX-License-Identifier: Apache-2.0

/// What the production code asks of the system, answered by the simulation: libbpf, libxdp, the
/// helpers of the hook, threads, time and waiting. The linker finds these before the real ones;
/// what has the prefix __wrap_ is named to it in CMakeLists.txt.

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include <bpf/bpf.h>
#include <xdp/xsk.h>

#include "sim/failure.h"
#include "sim/hook_cpu.h"
#include "sim/kernel.h"
#include "sim/scheduler.h"
#include "sim/steps.h"
#include "sys/interface.h"

using linearb::sim::fail;
using linearb::sim::HookCpu;
using linearb::sim::Kernel;
using linearb::sim::KernelSocket;
using linearb::sim::replays;
using linearb::sim::scheduler;
using linearb::sim::step_of;
using linearb::sim::tell;

// ---- scheduling points, and threads as fibers --------------------------------------------------

extern "C" {

void lb_native_schedule_point() {
  if (scheduler()) scheduler()->step();
}
void lb_native_access(lb_u32 access, const lb_u64* word, lb_u64 value) {
  lb_native_schedule_point();
  if (replays()) tell(step_of({static_cast<lb_access>(access), word, value}));
}
void lb_sim_ring_access(const char* step, const lb_u32* producer) {
  lb_native_schedule_point();
  if (replays()) tell({step, Kernel::instance().line_of_ring(producer)});
}

}  // extern "C"

/// std::thread's way in and out, in place of those of libstdc++.
void std::thread::_M_start_thread(_State_ptr state, void (*)()) {
  auto shared = std::shared_ptr<_State>(std::move(state));
  const auto fiber = scheduler()->spawn("clearing", [shared] { shared->_M_run(); });
  _M_id._M_thread = fiber + 1;
}

void std::thread::join() {
  const auto fiber = static_cast<linearb::sim::Scheduler::Fiber>(_M_id._M_thread - 1);
  scheduler()->join(fiber);
  _M_id = id();
}

namespace {

std::vector<linearb::sim::Scheduler::Fiber> waiting;

/// Everybody who waits is woken and looks again, as after a spurious wake-up.
long futex(const std::uint32_t* word, int operation, std::uint32_t value) {
  if ((operation & FUTEX_CMD_MASK) == FUTEX_WAKE) {
    for (const auto fiber : waiting) scheduler()->wake(fiber);
    return 0;
  }
  const auto self = scheduler()->current();
  waiting.push_back(self);
  tell({"cleared"});
  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value) scheduler()->wait();
  std::erase(waiting, self);
  return 0;
}

}  // namespace

extern "C" {

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
int __real_clock_gettime(clockid_t clock, timespec* time);

long __wrap_syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  if (scheduler() && number == SYS_membarrier) {
    Kernel::instance().wait_for_grace_period();
    return 0;
  }
  if (scheduler() && number == SYS_futex)
    return futex(reinterpret_cast<const std::uint32_t*>(arguments[0]),
                 static_cast<int>(arguments[1]), static_cast<std::uint32_t>(arguments[2]));
  return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                        arguments[4], arguments[5]);
}

int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  if (!scheduler()) return __real_clock_gettime(clock, time);
  const std::uint64_t now_ns = scheduler()->now_ns();
  *time = {static_cast<time_t>(now_ns / 1'000'000'000), static_cast<long>(now_ns % 1'000'000'000)};
  return 0;
}

// ---- sockets -----------------------------------------------------------------------------------

int __wrap_fcntl(int, int, ...) {
  return 0;
}

/// XDP_OPTIONS: copy mode.
int __wrap_getsockopt(int, int, int, void* value, socklen_t*) {
  static_cast<xdp_options*>(value)->flags = 0;
  return 0;
}

struct xsk_umem {
  KernelSocket socket;
};
struct xsk_socket {
  KernelSocket* kernel;
};

int xsk_umem__create(xsk_umem** umem, void* memory, __u64 size, xsk_ring_prod* fill,
                     xsk_ring_cons* completion, const xsk_umem_config* config) {
  static int next_fd = 1 << 20;
  const auto frames = static_cast<std::uint32_t>(size / config->frame_size);
  *umem = new xsk_umem{{static_cast<std::byte*>(memory), frames, config->frame_size}};
  KernelSocket& socket = (*umem)->socket;
  socket.fd = next_fd++;
  socket.make_fill_ring(*fill, config->fill_size);
  socket.make_completion_ring(*completion, config->comp_size);
  return 0;
}

int xsk_socket__create_shared(xsk_socket** socket, const char*, __u32, xsk_umem* umem,
                              xsk_ring_cons* rx, xsk_ring_prod*, xsk_ring_prod*, xsk_ring_cons*,
                              const xsk_socket_config* config) {
  KernelSocket& kernel = umem->socket;
  kernel.make_rx_ring(*rx, config->rx_size);
  kernel.is_bound = true;
  Kernel::instance().sockets.push_back(&kernel);
  *socket = new xsk_socket{&kernel};
  return 0;
}

int xsk_umem__fd(const xsk_umem* umem) {
  return umem->socket.fd;
}
int xsk_socket__fd(const xsk_socket* socket) {
  return socket->kernel->fd;
}

/// As xsk_release() does it: out of the map, then nobody in the hook knows it any more.
void xsk_socket__delete(xsk_socket* socket) {
  Kernel::instance().forget_socket(*socket->kernel);
  Kernel::instance().wait_for_grace_period();
  delete socket;
}
int xsk_umem__delete(xsk_umem* umem) {
  delete umem;
  return 0;
}

// ---- libbpf ------------------------------------------------------------------------------------

int bpf_obj_get_info_by_fd(int fd, void* info, __u32*) {
  return Kernel::instance().describe(fd, *static_cast<bpf_map_info*>(info));
}
int bpf_map_update_elem(int fd, const void* key, const void* value, __u64) {
  lb_native_schedule_point();
  return Kernel::instance().update(fd, *static_cast<const std::uint32_t*>(key), value);
}
int bpf_map_delete_elem(int fd, const void* key) {
  const int error = Kernel::instance().erase(fd, *static_cast<const std::uint32_t*>(key));
  if (error == 0) lb_native_schedule_point();
  return error;
}
int bpf_map_lookup_and_delete_batch(int fd, void*, void*, void*, void*, __u32*,
                                    const bpf_map_batch_opts*) {
  return Kernel::instance().erase_all(fd);
}

// ---- helpers of the hook -----------------------------------------------------------------------

void* lb_native_lookup(const void* map, const void* key) {
  lb_native_schedule_point();
  if (Kernel::instance().has_sockets(map)) tell({"slot_look"});
  return Kernel::instance().lookup(map, *static_cast<const std::uint32_t*>(key));
}
/// For dedup = "lru", which is not simulated.
long lb_native_update(const void*, const void*, const void*, lb_u64) {
  fail("the hook has updated a map that is not simulated");
}
long lb_native_redirect(const void*, lb_u32 slot, lb_u64 flags) {
  lb_native_schedule_point();
  return HookCpu::current().redirect(slot, flags);
}
long lb_native_adjust_meta(lb_native_context* context, int delta) {
  return HookCpu::current().adjust_metadata(*context, delta);
}
lb_u64 lb_native_time_ns() {
  return scheduler()->now_ns();
}
lb_u32 lb_native_cpu() {
  return HookCpu::current().id();
}

}  // extern "C"

unsigned linearb::sys::interface_index(const std::string&) {
  return 1;
}
