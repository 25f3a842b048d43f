// SPDX-License-Identifier: Apache-2.0
#include "hook/ownership.h"

#include <cstddef>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sys/error.h"

namespace linearb::hook {
namespace {

/// An abstract name: it begins with a zero, and lies in no file system.
struct Address {
  explicit Address(std::uint32_t hook_id) {
    const std::string name = fmt::format("linearb-hook-{}", hook_id);
    socket.sun_family = AF_UNIX;
    name.copy(socket.sun_path + 1, sizeof(socket.sun_path) - 1);
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&socket); }

  sockaddr_un socket{};
  socklen_t length = 0;
};

sys::Fd make_socket(int flags) {
  sys::Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!socket) sys::throw_errno("make the socket that tells the hook's owner");
  return socket;
}

std::string command_of(pid_t pid) {
  std::string command;
  std::getline(std::ifstream(fmt::format("/proc/{}/comm", pid)), command);
  return command;
}

}  // namespace

Ownership::Ownership(const Maps& maps) : socket_(make_socket(SOCK_NONBLOCK)) {
  const Address address(maps.identity());
  if (::bind(socket_.get(), address.get(), address.length) != 0) {
    if (errno != EADDRINUSE) sys::throw_errno("mark this process as the hook's owner (bind)");
    const Owner other = owner_of(maps.identity()).value_or(Owner{});
    throw Error(
        fmt::format("another {} owns the hook on these lines; stop it first", other.title()));
  }
  if (::listen(socket_.get(), kVisitorsMax) != 0)
    sys::throw_errno("mark this process as the hook's owner (listen)");
}

void Ownership::dismiss_visitors() const noexcept {
  while (sys::Fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC))) {
  }
}

std::string Owner::title() const {
  return pid == 0 ? "receiver" : fmt::format("receiver (pid {})", pid);
}

std::optional<Owner> owner_of(std::uint32_t hook_id) {
  const Address address(hook_id);
  const sys::Fd visitor = make_socket(SOCK_NONBLOCK);
  if (::connect(visitor.get(), address.get(), address.length) != 0) {
    if (errno == ECONNREFUSED) return std::nullopt;
    if (errno == EAGAIN) return Owner{};  // its queue is full
    sys::throw_errno("ask who owns the hook (connect)");
  }
  ucred owner{};
  socklen_t size = sizeof(owner);
  if (::getsockopt(visitor.get(), SOL_SOCKET, SO_PEERCRED, &owner, &size) != 0)
    sys::throw_errno("ask who owns the hook (SO_PEERCRED)");
  return Owner{.pid = owner.pid, .command = command_of(owner.pid)};
}

}  // namespace linearb::hook
