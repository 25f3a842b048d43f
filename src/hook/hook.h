// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hook/maps.h"
#include "linearb/options.h"
#include "sys/fd.h"

namespace linearb::hook {

/// Where the maps and the program are pinned when this loader loads them.
inline constexpr const char* kPinDirectory = "/sys/fs/bpf/linearb";

/// An interface as the hook sees it.
struct Interface {
  std::string name;
  std::uint32_t index = 0;
};

/// What the hook has to have room for.
struct Capacity {
  std::uint32_t channels = 0;
  std::uint32_t flows = 0;
};

/// What is attached to an interface.
struct Attachment {
  std::uint32_t program_id = 0;  ///< 0: nothing is attached
  bool native = false;
};

/// Asks the kernel. Throws Error.
Attachment attachment_of(const Interface& interface);

/// The XDP program on the interfaces of the lines, and its maps.
///
/// A hook that is attached already, by whomever it was loaded, is adopted: its program tells its
/// maps. Otherwise this build's own program is loaded, sized for `capacity`, and pinned below
/// kPinDirectory. Nothing that is not linearb's is ever replaced or detached.
class Hook {
 public:
  /// Finds or loads. Throws Error when a foreign program is attached to one of the interfaces, when
  /// the lines do not share their maps, or when the kernel refuses.
  Hook(std::vector<Interface> interfaces, const Capacity& capacity);
  /// Detaches what attach() attached, and removes the pins with it, unless keep() was called.
  ~Hook();
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  /// Attaches to every interface that has nothing yet. Throws Error: with Mode::native when a
  /// driver refuses, or when an interface has the hook in the other mode.
  void attach(Mode mode);
  /// To an interface that lost its hook, or to another one that has come in its place and has its
  /// name: like attach(), and adopts what somebody has attached there. Throws Error.
  void attach_again(std::size_t interface, std::uint32_t index, Mode mode);
  /// Takes what is attached off and puts it on again: for a driver that gives its program only to
  /// the queues there are at that moment. Between the two the line is the kernel's. Throws Error.
  void renew(std::size_t interface);
  /// Leaves program and pins behind for the next receiver.
  void keep() noexcept { keep_ = true; }
  /// Detaches now what attach() attached.
  void detach() noexcept;

  /// As attached, in the order of the interfaces.
  bool is_native(std::size_t interface) const noexcept { return native_[interface]; }
  const Maps& maps() const noexcept { return *maps_; }
  int program_fd() const noexcept { return program_.get(); }

 private:
  void adopt(const Interface& interface, std::uint32_t program_id);
  void load(const Capacity& capacity);
  void attach_to(std::size_t interface, Mode mode);

  std::vector<Interface> interfaces_;
  std::vector<bool> native_;
  std::vector<std::size_t> attached_;  ///< by us
  sys::Fd program_;
  std::unique_ptr<Maps> maps_;
  bool loaded_ = false;  ///< by us, so the pins are ours
  bool keep_ = false;
};

/// The one owner of a hook: a receiver holds it for as long as it lives, and the kernel takes it
/// back when the process ends, however it ends.
class Ownership {
 public:
  /// Throws Error when another receiver owns this hook.
  explicit Ownership(const Maps& maps);

 private:
  sys::Fd socket_;
};

}  // namespace linearb::hook
