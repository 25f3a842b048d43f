// SPDX-License-Identifier: Apache-2.0
#include "hook/pins.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <bpf/bpf.h>

#include "core/layout.h"
#include "hook/ownership.h"
#include "sys/error.h"

namespace linearb::hook {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBpfFilesystem = "/sys/fs/bpf";
/// iproute2 pins at depth 2, this loader too. Whoever has more than this below /sys/fs/bpf is not
/// searched to the end.
constexpr int kDepthMax = 8;
constexpr int kFilesMax = 65'536;
/// Another receiver that ends may remove the directory between two steps.
constexpr int kDirectoryAttempts = 8;
constexpr const char* kPinRights = "it needs root, and a BPF file system that can be written";
/// Maps without types, so that their names have to do: for one kind the kernel keeps none, the
/// other is not of the hook's object.
constexpr std::array<std::string_view, 2> kUntypedMaps = {"xsks_map", kMemories};

bool is_bpf_filesystem() {
  struct statfs status {};
  return ::statfs(kBpfFilesystem, &status) == 0 && status.f_type == BPF_FS_MAGIC;
}

/// Nothing for what is no map and no program, and for what may not be opened.
std::optional<Pin> look_at(const std::string& path) {
  sys::Fd object(bpf_obj_get(path.c_str()));
  if (!object) return std::nullopt;
  std::error_code ignored;
  const std::string kind =
      fs::read_symlink(fmt::format("/proc/self/fd/{}", object.get()), ignored).string();
  Pin pin;
  pin.path = path;
  if (kind == "anon_inode:bpf-map") {
    pin.map = describe_map(object);
    return pin;
  }
  if (kind != "anon_inode:bpf-prog") return std::nullopt;
  const Program program = describe_program(std::move(object));
  pin.program_id = program.id;
  pin.program_name = program.name;
  pin.map_ids = program.map_ids;
  return pin;
}

bool contains(std::span<const std::uint32_t> ids, std::uint32_t id) {
  return std::ranges::find(ids, id) != ids.end();
}

/// Whether the pin is of the hook whose config map lies in the same directory.
bool is_loaded_with(const MapInfo& config, const Pin& pin) {
  if (pin.program_id != 0) return contains(pin.map_ids, config.id);
  return pin.map.id == config.id || pin.map.btf_id == config.btf_id ||
         (pin.map.btf_id == 0 &&
          std::ranges::find(kUntypedMaps, pin.map.name) != kUntypedMaps.end());
}

bool is_attached(std::span<const Attached> attached, std::uint32_t map_id) {
  return std::ranges::any_of(
      attached, [&](const Attached& one) { return contains(one.program.map_ids, map_id); });
}

std::string make_directory(std::uint32_t hook_id) {
  const std::string directory = fmt::format("{}/{}", kPinDirectory, hook_id);
  for (int attempt = 0; attempt < kDirectoryAttempts; ++attempt) {
    if (::mkdir(kPinDirectory, 0700) != 0 && errno != EEXIST)
      sys::throw_errno(fmt::format("make {}", kPinDirectory), kPinRights);
    if (::mkdir(directory.c_str(), 0700) == 0) return directory;
    if (errno == ENOENT) continue;
    if (errno != EEXIST) break;
    std::error_code ignored;  // of a hook that is gone: the kernel began again with its ids
    fs::remove_all(directory, ignored);
  }
  sys::throw_errno(fmt::format("make {}", directory), kPinRights);
}

void pin_program(const sys::Fd& program, const std::string& path) {
  if (const int error = bpf_obj_pin(program.get(), path.c_str()); error)
    sys::throw_errno(fmt::format("pin the hook's program as {}", path), kPinRights, error);
}

/// Of the pins in one directory of ours, which has the program too. Other than stale_pins() this
/// needs no right: who loads a hook may have fewer than who looks for one.
bool has_a_user(const std::vector<Pin>& pins, const std::set<std::uint32_t>& attached_ids) {
  return std::ranges::any_of(pins, [&](const Pin& pin) {
    return attached_ids.contains(pin.program_id) ||
           (pin.map.name == "config" && owner_of(pin.map.id));
  });
}

void remove_stale_pins_of_ours() {
  std::map<std::string, std::vector<Pin>> by_directory;
  for (Pin& pin : find_pins())
    if (pin.path.starts_with(std::string(kPinDirectory) + "/"))
      by_directory[pin.directory()].push_back(std::move(pin));
  const std::set<std::uint32_t> attached_ids = all_attached_ids();
  for (const auto& [directory, pins] : by_directory)
    if (!has_a_user(pins, attached_ids)) remove_pin_directory(directory);
}

}  // namespace

std::vector<Pin> find_pins() {
  std::vector<Pin> pins;
  if (!is_bpf_filesystem()) return pins;
  // Symbolic links are not followed: iproute2 makes some that lead to one directory.
  std::error_code error;
  auto file = fs::recursive_directory_iterator(
      kBpfFilesystem, fs::directory_options::skip_permission_denied, error);
  for (int files = 0; !error && file != fs::end(file) && files < kFilesMax; ++files) {
    if (file.depth() >= kDepthMax) file.disable_recursion_pending();
    std::error_code gone;
    if (fs::is_regular_file(file->symlink_status(gone))) {
      if (auto pin = look_at(file->path().string())) pins.push_back(*std::move(pin));
    }
    file.increment(error);
  }
  std::ranges::sort(pins, {}, &Pin::path);
  return pins;
}

std::vector<std::string> pins_of(std::span<const Attached> programs, std::span<const Pin> pins) {
  std::vector<std::string> paths;
  for (const Pin& pin : pins) {
    const bool is_of_one = std::ranges::any_of(programs, [&](const Attached& one) {
      return pin.program_id ? pin.program_id == one.program.id
                            : contains(one.program.map_ids, pin.map.id);
    });
    if (is_of_one) paths.push_back(pin.path);
  }
  return paths;
}

std::vector<StalePins> stale_pins(std::span<const Attached> attached, std::span<const Pin> pins) {
  std::vector<StalePins> all;
  for (const Pin& config : pins) {
    if (!config.map.is_config || is_attached(attached, config.map.id)) continue;
    if (owner_of(config.map.id)) continue;  // its interfaces are gone, and may come back
    StalePins stale{.hook_id = config.map.id, .paths = {}};
    for (const Pin& pin : pins) {
      if (pin.directory() == config.directory() && is_loaded_with(config.map, pin) &&
          !is_attached(attached, pin.map.id))
        stale.paths.push_back(pin.path);
    }
    all.push_back(std::move(stale));
  }
  return all;
}

std::string pin_hook(const Maps& maps, const sys::Fd& program) {
  if (!is_bpf_filesystem() && ::mount("bpf", kBpfFilesystem, "bpf", 0, nullptr) != 0)
    sys::throw_errno("mount the BPF file system on /sys/fs/bpf",
                     "mount it (mount -t bpf bpf /sys/fs/bpf) or run as root");
  remove_stale_pins_of_ours();
  const std::string directory = make_directory(maps.identity());
  try {
    maps.pin(directory);
    pin_program(program, directory + "/" + LB_TEXT(LB_HOOK_FUNCTION));
  } catch (const Error&) {
    remove_pin_directory(directory);
    throw;
  }
  return directory;
}

bool remove_pin(const std::string& path) {
  std::error_code error;
  const bool removed = fs::remove(path, error);
  if (error) sys::throw_errno(fmt::format("remove the pin {}", path), kPinRights, error.value());
  return removed;
}

void remove_pin_directory(const std::string& directory) noexcept {
  std::error_code ignored;
  fs::remove_all(directory, ignored);
  remove_empty_directories();
}

std::vector<std::string> remove_empty_directories() noexcept {
  std::vector<std::string> removed;
  std::error_code error;
  std::vector<std::string> directories;
  for (fs::directory_iterator entry(kPinDirectory, error); !error && entry != fs::end(entry);
       entry.increment(error))
    directories.push_back(entry->path().string());
  directories.push_back(kPinDirectory);
  for (const std::string& directory : directories)
    if (::rmdir(directory.c_str()) == 0) removed.push_back(directory);
  return removed;
}

}  // namespace linearb::hook
