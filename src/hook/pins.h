// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What is pinned in the BPF file system. A pin keeps a map or a program that nobody holds, and
/// shows it to other tools; linearb itself finds a hook by its interface, never by a pin.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hook/attached.h"
#include "hook/maps.h"

namespace linearb::hook {

/// Where this loader pins what it loads, each hook in a directory that is named by the id of its
/// config map: the kernel gives an id once, so that no hook meets the pins of another, whichever
/// interfaces, and network namespaces, the two are on.
inline constexpr const char* kPinDirectory = "/sys/fs/bpf/linearb";

/// One file in the BPF file system: either a map or a program.
struct Pin {
  std::string path;
  MapInfo map;  ///< id 0: it is a program
  std::uint32_t program_id = 0;
  std::string program_name;
  std::vector<std::uint32_t> map_ids;  ///< of the program

  std::string directory() const { return path.substr(0, path.rfind('/')); }
};

/// Every map and program that is pinned below /sys/fs/bpf, by whomever, as far as it may be opened.
std::vector<Pin> find_pins();

/// The pins of the hook that these programs are: of them, and of their maps.
std::vector<std::string> pins_of(std::span<const Attached> programs, std::span<const Pin> pins);

/// The pins of a hook that is attached to no interface of this network namespace and has no owner.
/// In another namespace it may still be attached: then it goes on without them.
struct StalePins {
  std::uint32_t hook_id = 0;
  std::vector<std::string> paths;
};

/// A directory whose map `config` holds an lb_config is a hook's, whatever its layout: that map,
/// its programs, and the maps that were loaded with it, are its pins. Throws Error.
std::vector<StalePins> stale_pins(std::span<const Attached> attached, std::span<const Pin> pins);

/// Pins program and maps in a directory of their own and returns its path. The stale pins of
/// earlier loads by linearb go. Mounts the BPF file system where there is none. Throws Error.
std::string pin_hook(const Maps& maps, const sys::Fd& program);

/// One that pin_hook() returned, with what is in it. One that is gone is no failure.
void remove_pin_directory(const std::string& directory) noexcept;
/// Returns false when it was gone already. Throws Error.
bool remove_pin(const std::string& path);
/// kPinDirectory and those in it, as far as they are empty. Returns what went.
std::vector<std::string> remove_empty_directories() noexcept;

}  // namespace linearb::hook
