// SPDX-License-Identifier: Apache-2.0
#include "hook/hook.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <linearb.skel.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "hook/flow_table.h"
#include "sys/error.h"

namespace linearb::hook {
namespace {

constexpr const char* kBpfFilesystem = "/sys/fs/bpf";
constexpr const char* kProgramName = "linearb";
constexpr const char* kLoadRights =
    "this needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN: run as root";
constexpr std::uint32_t kMapsMax = 32;  // of one program; the hook has eleven

/// What the verifier says is of use when it refuses the program, and noise otherwise.
int keep_quiet(libbpf_print_level, const char*, va_list) {
  return 0;
}

sys::Fd program_by_id(std::uint32_t id) {
  sys::Fd program(bpf_prog_get_fd_by_id(id));
  if (!program)
    sys::throw_errno(fmt::format("open the attached XDP program {}", id),
                     "this needs CAP_SYS_ADMIN: run as root");
  return program;
}

struct ProgramInfo {
  std::string name;
  std::vector<std::uint32_t> map_ids;
};

ProgramInfo info_of(const sys::Fd& program) {
  std::array<std::uint32_t, kMapsMax> ids{};
  bpf_prog_info info{};
  info.nr_map_ids = kMapsMax;
  info.map_ids = reinterpret_cast<std::uint64_t>(ids.data());
  std::uint32_t size = sizeof(info);
  if (const int error = bpf_obj_get_info_by_fd(program.get(), &info, &size); error)
    sys::throw_errno("read what the kernel knows of the attached XDP program", {}, error);
  return {info.name, {ids.begin(), ids.begin() + std::min(info.nr_map_ids, kMapsMax)}};
}

std::map<std::string, sys::Fd> maps_by_id(const std::vector<std::uint32_t>& ids) {
  std::map<std::string, sys::Fd> maps;
  for (const std::uint32_t id : ids) {
    sys::Fd map(bpf_map_get_fd_by_id(id));
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);
    if (!map || bpf_obj_get_info_by_fd(map.get(), &info, &size) != 0)
      sys::throw_errno(fmt::format("open map {} of the attached hook", id),
                       "this needs CAP_SYS_ADMIN: run as root");
    maps.emplace(info.name, std::move(map));
  }
  return maps;
}

/// `xdp off` alone returns 0 and leaves a program in generic mode attached.
std::string how_to_detach(const Interface& interface) {
  return fmt::format(
      "detach it (ip link set dev {0} xdpdrv off; ip link set dev {0} xdpgeneric off)",
      interface.name);
}

bool is_bpf_filesystem() {
  struct statfs status {};
  return ::statfs(kBpfFilesystem, &status) == 0 && status.f_type == BPF_FS_MAGIC;
}

void prepare_pin_directory() {
  if (!is_bpf_filesystem() && ::mount("bpf", kBpfFilesystem, "bpf", 0, nullptr) != 0)
    sys::throw_errno("mount the BPF file system on /sys/fs/bpf",
                     "mount it (mount -t bpf bpf /sys/fs/bpf) or run as root");
  // Pins of an earlier load that is attached to none of our interfaces: ours are new.
  std::error_code ignored;
  std::filesystem::remove_all(kPinDirectory, ignored);
  if (::mkdir(kPinDirectory, 0700) != 0 && errno != EEXIST)
    sys::throw_errno(fmt::format("make {}", kPinDirectory));
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

Hook::Hook(std::vector<Interface> interfaces, const Capacity& capacity)
    : interfaces_(std::move(interfaces)), native_(interfaces_.size()) {
  for (std::size_t i = 0; i < interfaces_.size(); ++i) {
    const Attachment attachment = attachment_of(interfaces_[i]);
    if (attachment.program_id == 0) continue;
    native_[i] = attachment.native;
    adopt(interfaces_[i], attachment.program_id);
  }
  if (!maps_) load(capacity);
  if (maps_->windows().size() < capacity.channels ||
      maps_->flow_buckets() * LB_BUCKET_FLOWS < capacity.flows)
    throw Error(
        fmt::format("the attached hook has room for {} channels and {} flows, the "
                    "configuration has {} and {}; {} on each line, so that it is loaded with more",
                    maps_->windows().size(), maps_->flow_buckets() * LB_BUCKET_FLOWS,
                    capacity.channels, capacity.flows, how_to_detach(interfaces_.front())));
}

Hook::~Hook() {
  if (!keep_) detach();
}

void Hook::adopt(const Interface& interface, std::uint32_t program_id) {
  sys::Fd program = program_by_id(program_id);
  const ProgramInfo info = info_of(program);
  if (info.name != kProgramName)
    throw Error(
        fmt::format("{} has a foreign XDP program ({}, id {}), which linearb does not "
                    "replace; detach it first (ip link set dev {} xdp off)",
                    interface.name, info.name.empty() ? "without a name" : info.name, program_id,
                    interface.name));
  auto maps = std::make_unique<Maps>(maps_by_id(info.map_ids));
  if (maps_ && maps_->identity() != maps->identity())
    throw Error(
        fmt::format("the hook on {} shares no maps with the one on {}, so neither knows "
                    "what the other's line brought; {}, and the same on the other",
                    interface.name, interfaces_.front().name, how_to_detach(interface)));
  if (maps_) return;
  maps_ = std::move(maps);
  program_ = std::move(program);
}

void Hook::load(const Capacity& capacity) {
  libbpf_set_print(keep_quiet);
  prepare_pin_directory();
  LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = kPinDirectory);
  const std::unique_ptr<linearb_bpf, decltype(&linearb_bpf::destroy)> skeleton(
      linearb_bpf::open(&options), &linearb_bpf::destroy);
  if (!skeleton) sys::throw_errno("open the hook's object");
  const std::uint32_t channels = std::max<std::uint32_t>(capacity.channels, LB_CHANNELS_DEFAULT);
  bpf_map__set_max_entries(skeleton->maps.windows, channels);
  bpf_map__set_max_entries(skeleton->maps.marks, channels * LB_LINES_MAX);
  bpf_map__set_max_entries(skeleton->maps.flows, LB_FLOW_TABLES * buckets_for(capacity.flows));
  if (const int error = linearb_bpf::load(skeleton.get()); error)
    sys::throw_errno("load the hook", kLoadRights, error);
  loaded_ = true;

  std::map<std::string, sys::Fd> maps;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton->obj) {
    maps.emplace(bpf_map__name(map), sys::Fd(::dup(bpf_map__fd(map))));
  }
  maps_ = std::make_unique<Maps>(std::move(maps));
  program_ = sys::Fd(::dup(bpf_program__fd(skeleton->progs.linearb)));
}

void Hook::attach(Mode mode) {
  for (std::size_t i = 0; i < interfaces_.size(); ++i) attach_to(i, mode);
}

void Hook::attach_again(std::size_t i, std::uint32_t index, Mode mode) {
  interfaces_[i].index = index;
  std::erase(attached_, i);
  const Attachment attachment = attachment_of(interfaces_[i]);
  if (attachment.program_id != 0) {
    native_[i] = attachment.native;
    adopt(interfaces_[i], attachment.program_id);
  }
  attach_to(i, mode);
}

void Hook::renew(std::size_t i) {
  const int index = static_cast<int>(interfaces_[i].index);
  const sys::Fd program = program_by_id(attachment_of(interfaces_[i]).program_id);
  const std::uint32_t mode = native_[i] ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  LIBBPF_OPTS(bpf_xdp_attach_opts, same, .old_prog_fd = program.get());
  int error = bpf_xdp_detach(index, mode | XDP_FLAGS_REPLACE, &same);
  if (error == 0)
    error = bpf_xdp_attach(index, program.get(), mode | XDP_FLAGS_UPDATE_IF_NOEXIST, nullptr);
  if (error != 0)
    sys::throw_errno(fmt::format("attach the hook to {} again", interfaces_[i].name), {}, error);
}

void Hook::attach_to(std::size_t i, Mode mode) {
  const Interface& interface = interfaces_[i];
  const Attachment attachment = attachment_of(interface);
  if (attachment.program_id != 0) {
    const bool wants_other = (mode == Mode::native && !attachment.native) ||
                             (mode == Mode::generic && attachment.native);
    if (wants_other)
      throw Error(fmt::format("{} has the hook in {} mode and keeps it; to change it, {} first",
                              interface.name, attachment.native ? "native" : "generic",
                              how_to_detach(interface)));
    return;
  }
  const int index = static_cast<int>(interface.index);
  int error = -EOPNOTSUPP;
  if (mode != Mode::generic)
    error = bpf_xdp_attach(index, program_.get(), XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST,
                           nullptr);
  native_[i] = error == 0;
  if (error != 0 && mode == Mode::native)
    sys::throw_errno(fmt::format("attach the hook to {} in native mode", interface.name),
                     "the driver may have no XDP: try --mode generic", error);
  if (error != 0)
    error = bpf_xdp_attach(index, program_.get(), XDP_FLAGS_SKB_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST,
                           nullptr);
  if (error != 0)
    sys::throw_errno(fmt::format("attach the hook to {}", interface.name), kLoadRights, error);
  attached_.push_back(i);
}

void Hook::detach() noexcept {
  // Only our own program: what somebody else has put in its place stays.
  LIBBPF_OPTS(bpf_xdp_attach_opts, ours, .old_prog_fd = program_.get());
  for (const std::size_t i : attached_)
    bpf_xdp_detach(static_cast<int>(interfaces_[i].index),
                   (native_[i] ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE) | XDP_FLAGS_REPLACE,
                   &ours);
  attached_.clear();
  if (!loaded_) return;
  std::error_code ignored;
  std::filesystem::remove_all(kPinDirectory, ignored);
  loaded_ = false;
}

Ownership::Ownership(const Maps& maps) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  if (!socket_) sys::throw_errno("make the socket that marks the hook's owner");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = fmt::format("linearb-hook-{}", maps.identity());
  std::memcpy(address.sun_path + 1, name.data(), name.size());  // abstract: it begins with a zero
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) return;
  if (errno == EADDRINUSE)
    throw Error("another receiver owns the hook on these lines; stop it first");
  sys::throw_errno("mark this process as the hook's owner");
}

}  // namespace linearb::hook
