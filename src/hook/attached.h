// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What XDP programs the interfaces have, and which of them are linearb's. All of it is asked of
/// the kernel: who attached a program, and how, does not matter.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sys/fd.h"

namespace linearb::hook {

/// An interface as the hook sees it.
struct Interface {
  std::string name;
  std::uint32_t index = 0;
};

/// What is attached to an interface.
struct Attachment {
  std::uint32_t program_id = 0;  ///< 0: nothing is attached
  bool native = false;
};

/// Asks the kernel. Throws Error.
Attachment attachment_of(const Interface& interface);

/// The number behind "linearb_v"; nothing for a program that is not linearb's.
std::optional<std::uint32_t> layout_version_of(std::string_view program_name);

/// A BPF map.
struct MapInfo {
  std::uint32_t id = 0;
  std::string name;
  std::uint32_t btf_id = 0;  ///< the same for all maps of one load; 0: it has no types
  bool is_config = false;    ///< its values are lb_config, of whichever version
};

/// A BPF program, open: it stays as long as this does.
struct Program {
  std::uint32_t id = 0;
  std::string name;
  std::vector<std::uint32_t> map_ids;
  sys::Fd fd;

  std::optional<std::uint32_t> layout_version() const { return layout_version_of(name); }
  /// The name as it is said to the operator.
  std::string title() const;
};

/// What is attached, with its program. The maps are known of linearb's alone.
struct Attached {
  Interface interface;
  bool native = false;
  Program program;
  std::vector<MapInfo> maps;

  bool is_ours() const { return program.layout_version().has_value(); }
  /// The id of the config map: the same on all interfaces that share the hook's maps. 0: none.
  std::uint32_t hook_id() const;
  const char* mode() const { return native ? "native" : "generic"; }
};

/// Nothing when nothing is attached. To open a program by its id needs CAP_SYS_ADMIN. Throws Error.
std::optional<Attached> attached_to(const Interface& interface);
/// Every interface of this network namespace that has an XDP program. Throws Error.
std::vector<Attached> all_attached();
/// Of all of them, only the ids of the programs: to ask for these needs no right.
std::set<std::uint32_t> all_attached_ids();

/// Throw Error when the kernel refuses.
Program describe_program(sys::Fd fd);
MapInfo describe_map(const sys::Fd& fd);
/// By name.
std::map<std::string, sys::Fd> open_maps(const std::vector<std::uint32_t>& ids);

/// Takes this very program off. What somebody else has put in its place stays. Returns 0 or the
/// kernel's errno.
int detach_program(const Interface& interface, bool native, const sys::Fd& program) noexcept;

}  // namespace linearb::hook
