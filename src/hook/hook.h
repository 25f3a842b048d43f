// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hook/attached.h"
#include "hook/maps.h"
#include "hook/ownership.h"
#include "hook/pins.h"
#include "linearb/options.h"
#include "sys/fd.h"

namespace linearb::hook {

/// What the hook has to have room for.
struct Capacity {
  std::uint32_t channels = 0;
  std::uint32_t flows = 0;
  /// It is to outlive its receivers, so that they need a memory that does, too.
  bool remembers = false;
  /// That dedup = "lru" remembers; 0 where nothing does. A million take 80 MiB.
  std::uint32_t identifiers = 0;
};

/// The XDP program on the interfaces of the lines, and its maps.
///
/// A hook that is attached already, by whomever it was loaded, is adopted: its program tells its
/// maps. Otherwise this build's own program is loaded, sized for `capacity`, and pinned below
/// kPinDirectory once it is attached. One without memories is given them when `capacity` asks.
/// Nothing that is not linearb's is ever replaced or detached.
class Hook {
 public:
  /// Finds or loads. Throws Error when a foreign program is attached to one of the interfaces, when
  /// the lines do not share their maps, or when the kernel refuses.
  Hook(std::vector<Interface> interfaces, const Capacity& capacity);
  /// Detaches what attach() attached, and removes the pins with it, unless keep() was called.
  ~Hook();
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  /// Attaches to every interface that has nothing yet, and pins what was loaded for it. Throws
  /// Error: with Mode::native when a driver refuses, when an interface has the hook in the other
  /// mode, or when somebody has attached another program since this was found or loaded.
  void attach(Mode mode);
  /// To an interface that lost its hook, or to another one that has come in its place and has its
  /// name: like attach(), and adopts what somebody has attached there. Throws Error.
  void attach_again(std::size_t interface, std::uint32_t index, Mode mode);
  /// Takes the hook off and puts it on again: for a driver that gives its program only to the
  /// queues there are at that moment. Between the two the line is the kernel's. A program that is
  /// not linearb's is left alone. Throws Error.
  void renew(std::size_t interface);
  /// Leaves program and pins behind for the next receiver.
  void keep() noexcept { keep_ = true; }
  /// Detaches now what attach() attached, and removes the pins of what was loaded for it.
  void detach() noexcept;

  /// As attached, in the order of the interfaces.
  bool is_native(std::size_t interface) const noexcept { return native_[interface]; }
  /// Whether attach() attached it; otherwise it was there.
  bool was_attached_here(std::size_t interface) const noexcept;
  const Maps& maps() const noexcept { return *maps_; }
  int program_fd() const noexcept { return program_.get(); }

 private:
  void adopt(Attached attached);
  void load(const Capacity& capacity);
  void make_memories();
  void attach_to(std::size_t interface, Mode mode);
  void require_same(const Attached& attached) const;

  std::vector<Interface> interfaces_;
  std::vector<bool> native_;
  struct AttachedHere {
    Interface interface;
    bool native = false;
  };
  /// By us, each interface that ever had a line's name: one may still be there under another name.
  std::vector<AttachedHere> attached_;
  sys::Fd program_;
  std::unique_ptr<Maps> maps_;
  std::string hook_on_;        ///< the first interface that has it
  bool loaded_ = false;        ///< by us, so the pins are ours
  std::string pin_directory_;  ///< empty: not pinned by us
  bool keep_ = false;
};

}  // namespace linearb::hook
