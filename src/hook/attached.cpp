// SPDX-License-Identifier: Apache-2.0
#include "hook/attached.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "core/layout.h"
#include "sys/error.h"

namespace linearb::hook {
namespace {

constexpr std::string_view kHookPrefix = LB_TEXT(LB_HOOK_PREFIX);
constexpr std::uint32_t kMapsMax = 32;  // of one program; the hook has twelve
constexpr const char* kIdRights = "this needs CAP_SYS_ADMIN: run as root";

/// The name of the type of a map's values; empty when the map has no types.
std::string value_type_name(const bpf_map_info& info) {
  if (info.btf_id == 0 || info.btf_value_type_id == 0) return {};
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_from_kernel_by_id(info.btf_id),
                                                         &btf__free);
  if (!types) return {};
  const btf_type* type = btf__type_by_id(types.get(), info.btf_value_type_id);
  return type ? btf__name_by_offset(types.get(), type->name_off) : std::string();
}

sys::Fd open_map(std::uint32_t id) {
  sys::Fd map(bpf_map_get_fd_by_id(id));
  if (!map) sys::throw_errno(fmt::format("open map {} of the attached hook", id), kIdRights);
  return map;
}

std::vector<Interface> all_interfaces() {
  const std::unique_ptr<struct if_nameindex, void (*)(struct if_nameindex*)> names(
      ::if_nameindex(), [](struct if_nameindex* list) { ::if_freenameindex(list); });
  if (!names) sys::throw_errno("list the network interfaces");
  std::vector<Interface> interfaces;
  for (const auto* entry = names.get(); entry->if_index != 0; ++entry)
    interfaces.push_back({entry->if_name, entry->if_index});
  return interfaces;
}

}  // namespace

Attachment attachment_of(const Interface& interface) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  if (const int error = bpf_xdp_query(static_cast<int>(interface.index), 0, &query); error)
    sys::throw_errno(fmt::format("ask what XDP program {} has", interface.name), {}, error);
  if (query.drv_prog_id) return {query.drv_prog_id, true};
  if (query.skb_prog_id) return {query.skb_prog_id, false};
  return {query.prog_id, query.attach_mode == XDP_ATTACHED_DRV};
}

std::optional<std::uint32_t> layout_version_of(std::string_view program_name) {
  if (!program_name.starts_with(kHookPrefix)) return std::nullopt;
  const std::string_view digits = program_name.substr(kHookPrefix.size());
  std::uint32_t version = 0;
  const auto end = digits.data() + digits.size();
  const auto [read_to, error] = std::from_chars(digits.data(), end, version);
  if (error != std::errc() || read_to != end) return std::nullopt;
  return version;
}

std::string Program::title() const {
  return name.empty() ? "without a name" : name;
}

std::uint32_t Attached::hook_id() const {
  const auto config = std::ranges::find(maps, true, &MapInfo::is_config);
  return config == maps.end() ? 0 : config->id;
}

Program describe_program(sys::Fd fd) {
  std::array<std::uint32_t, kMapsMax> ids{};
  bpf_prog_info info{};
  info.nr_map_ids = kMapsMax;
  info.map_ids = reinterpret_cast<std::uint64_t>(ids.data());
  std::uint32_t size = sizeof(info);
  if (const int error = bpf_obj_get_info_by_fd(fd.get(), &info, &size); error)
    sys::throw_errno("read what the kernel knows of an XDP program", {}, error);
  return {.id = info.id,
          .name = info.name,
          .map_ids = {ids.begin(), ids.begin() + std::min(info.nr_map_ids, kMapsMax)},
          .fd = std::move(fd)};
}

MapInfo describe_map(const sys::Fd& fd) {
  bpf_map_info info{};
  std::uint32_t size = sizeof(info);
  if (const int error = bpf_obj_get_info_by_fd(fd.get(), &info, &size); error)
    sys::throw_errno("read what the kernel knows of a map", {}, error);
  const std::string name = info.name;
  return {.id = info.id,
          .name = name,
          .btf_id = info.btf_id,
          .is_config = name == "config" && value_type_name(info) == "lb_config"};
}

std::optional<Attached> attached_to(const Interface& interface) {
  const Attachment attachment = attachment_of(interface);
  if (attachment.program_id == 0) return std::nullopt;
  sys::Fd program(bpf_prog_get_fd_by_id(attachment.program_id));
  if (!program && errno == ENOENT) return std::nullopt;  // detached since it was asked for
  if (!program)
    sys::throw_errno(
        fmt::format("open the XDP program {} on {}", attachment.program_id, interface.name),
        kIdRights);
  Attached attached{.interface = interface,
                    .native = attachment.native,
                    .program = describe_program(std::move(program)),
                    .maps = {}};
  if (!attached.is_ours()) return attached;
  for (const std::uint32_t id : attached.program.map_ids)
    attached.maps.push_back(describe_map(open_map(id)));
  return attached;
}

std::vector<Attached> all_attached() {
  std::vector<Attached> all;
  for (const Interface& interface : all_interfaces()) {
    if (auto attached = attached_to(interface)) all.push_back(*std::move(attached));
  }
  return all;
}

std::set<std::uint32_t> all_attached_ids() {
  std::set<std::uint32_t> ids;
  for (const Interface& interface : all_interfaces())
    ids.insert(attachment_of(interface).program_id);
  ids.erase(0);
  return ids;
}

std::map<std::string, sys::Fd> open_maps(const std::vector<std::uint32_t>& ids) {
  std::map<std::string, sys::Fd> maps;
  for (const std::uint32_t id : ids) {
    sys::Fd map = open_map(id);
    std::string name = describe_map(map).name;
    maps.emplace(std::move(name), std::move(map));
  }
  return maps;
}

int detach_program(const Interface& interface, bool native, const sys::Fd& program) noexcept {
  LIBBPF_OPTS(bpf_xdp_attach_opts, this_one, .old_prog_fd = program.get());
  const int mode = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  return -bpf_xdp_detach(static_cast<int>(interface.index),
                         static_cast<std::uint32_t>(mode | XDP_FLAGS_REPLACE), &this_one);
}

}  // namespace linearb::hook
