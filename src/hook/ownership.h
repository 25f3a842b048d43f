// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

#include "hook/maps.h"
#include "sys/fd.h"

namespace linearb::hook {

/// The one owner of a hook: a receiver holds it for as long as it lives, and the kernel takes it
/// back when the process ends, however it ends. It is a listening socket whose name belongs to the
/// hook, so that whoever connects to it learns from the kernel who the owner is.
///
/// A connection that was made waits in the queue of the socket for dismiss_visitors(); while that
/// is full (kVisitorsMax) it is only known that there is an owner.
class Ownership {
 public:
  /// Throws Error when another receiver owns this hook.
  explicit Ownership(const Maps& maps);

  /// Now and then. Those who asked have their answer.
  void dismiss_visitors() const noexcept;

 private:
  sys::Fd socket_;
};

/// As many as the kernel takes unless it was told otherwise (net.core.somaxconn).
inline constexpr int kVisitorsMax = 4096;

struct Owner {
  pid_t pid = 0;        ///< 0: not to be known
  std::string command;  ///< as in /proc/PID/comm; empty: not to be known

  /// "receiver (pid 12)".
  std::string title() const;
};

/// Who receives with a hook, by Maps::identity(). Nothing when nobody does. Never waits; throws
/// Error when the kernel does not tell.
std::optional<Owner> owner_of(std::uint32_t hook_id);

}  // namespace linearb::hook
