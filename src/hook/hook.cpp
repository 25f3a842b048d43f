// SPDX-License-Identifier: Apache-2.0
#include "hook/hook.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <numeric>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <linearb.skel.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "hook/flow_table.h"
#include "sys/error.h"

namespace linearb::hook {
namespace {

/// Of a table that nobody uses.
constexpr std::uint32_t kIdentifiersMin = 256;

constexpr const char* kLoadRights =
    "this needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN: run as root";

const char* way_on(int error) {
  switch (-error) {
    case EPERM:
      return kLoadRights;
    case ENOSYS:
      return "this kernel was built without it (CONFIG_BPF_SYSCALL)";
    case ENOMEM:
      return "free memory, or take fewer channels";
    default:
      return "this kernel may be too old for it: linearb needs Linux 5.12 or newer (uname -r), "
             "built with CONFIG_BPF_SYSCALL and CONFIG_XDP_SOCKETS";
  }
}

/// A descriptor that outlives the skeleton.
sys::Fd duplicate(int fd) {
  sys::Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) sys::throw_errno("keep a descriptor of the hook");
  return copy;
}

/// Why the kernel refused, in its own words (netlink's extended acknowledgement). libbpf prints
/// them; what else it prints is noise, or said by whoever called it.
thread_local std::string kernel_words;

int note_kernel_words(libbpf_print_level, const char* format, va_list arguments) {
  constexpr std::string_view kIntroduction = "Kernel error message: ";
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  const std::string_view line(text.data());
  const std::size_t found = line.find(kIntroduction);
  if (found == line.npos) return 0;
  kernel_words = line.substr(found + kIntroduction.size());
  while (kernel_words.ends_with('\n')) kernel_words.pop_back();
  return 0;
}

std::string with_kernel_words(std::string_view next) {
  if (kernel_words.empty()) return std::string(next);
  return fmt::format("the kernel says \"{}\"; {}", kernel_words, next);
}

/// Returns 0 or minus errno.
int attach_program(const Interface& interface, const sys::Fd& program, bool native) {
  kernel_words.clear();
  return bpf_xdp_attach(
      static_cast<int>(interface.index), program.get(),
      (native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE) | XDP_FLAGS_UPDATE_IF_NOEXIST, nullptr);
}

std::string how_to_detach(const Interface& interface) {
  return fmt::format("linearb detach --line NAME={}", interface.name);
}

/// Refuses what is not this build's hook.
void check_program(const Attached& attached) {
  const Program& program = attached.program;
  const auto version = program.layout_version();
  if (!version)
    throw Error(
        fmt::format("{} has a foreign XDP program ({}, id {}), which linearb does not replace; "
                    "detach it first (ip link set dev {} {} off)",
                    attached.interface.name, program.title(), program.id, attached.interface.name,
                    attached.native ? "xdpdrv" : "xdpgeneric"));
  if (*version != LB_LAYOUT_VERSION)
    throw Error(
        fmt::format("{} has a hook of layout version {} ({}, id {}), this linearb has version {}; "
                    "detach it first ({})",
                    attached.interface.name, *version, program.name, program.id, LB_LAYOUT_VERSION,
                    how_to_detach(attached.interface)));
}

}  // namespace

Hook::Hook(std::vector<Interface> interfaces, const Capacity& capacity)
    : interfaces_(std::move(interfaces)), native_(interfaces_.size()) {
  libbpf_set_print(note_kernel_words);
  for (std::size_t i = 0; i < interfaces_.size(); ++i) {
    auto attached = attached_to(interfaces_[i]);
    if (!attached) continue;
    native_[i] = attached->native;
    adopt(*std::move(attached));
  }
  if (!maps_) load(capacity);
  if (capacity.remembers && maps_->memories().empty()) make_memories();
  if (maps_->windows().size() < capacity.channels ||
      maps_->flow_buckets() * LB_BUCKET_FLOWS < capacity.flows)
    throw Error(
        fmt::format("the attached hook has room for {} channels and {} flows, the "
                    "configuration has {} and {}; detach it on every line ({}), so that it is "
                    "loaded with more",
                    maps_->windows().size(), maps_->flow_buckets() * LB_BUCKET_FLOWS,
                    capacity.channels, capacity.flows, how_to_detach(interfaces_.front())));
  if (maps_->identifiers() < capacity.identifiers)
    throw Error(fmt::format(
        "the attached hook has room for {} identifiers, and --dedup lru remembers {}; "
        "detach it on every line ({}), so that it is loaded with more",
        maps_->identifiers(), capacity.identifiers, how_to_detach(interfaces_.front())));
}

Hook::~Hook() {
  if (!keep_) detach();
}

void Hook::adopt(Attached attached) {
  check_program(attached);
  auto maps = std::make_unique<Maps>(open_maps(attached.program.map_ids));
  if (maps_ && maps_->identity() != maps->identity())
    throw Error(fmt::format(
        "the hook on {} shares no maps with the one on {}, so neither knows what the "
        "other's line brought; detach it ({}), so that this one is attached",
        attached.interface.name, hook_on_ == attached.interface.name ? "the other lines" : hook_on_,
        how_to_detach(attached.interface)));
  if (maps_) {
    if (!maps_->memories().empty()) maps_->bind_memories(attached.program.fd);
    return;
  }
  hook_on_ = attached.interface.name;
  maps_ = std::move(maps);
  program_ = std::move(attached.program.fd);
}

void Hook::load(const Capacity& capacity) {
  const std::unique_ptr<linearb_bpf, decltype(&linearb_bpf::destroy)> skeleton(
      linearb_bpf::open(nullptr), &linearb_bpf::destroy);
  if (!skeleton) sys::throw_errno("open the hook's object");
  // Pinning by name is for loads by hand. This one is new: it takes no map that is pinned already.
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton->obj) bpf_map__set_pin_path(map, nullptr);
  const std::uint32_t channels = std::max<std::uint32_t>(capacity.channels, LB_CHANNELS_DEFAULT);
  bpf_map__set_max_entries(skeleton->maps.windows, channels);
  bpf_map__set_max_entries(skeleton->maps.marks, channels * LB_LINES_MAX);
  bpf_map__set_max_entries(skeleton->maps.streams, std::bit_ceil(channels));
  bpf_map__set_max_entries(skeleton->maps.flows, LB_FLOW_TABLES * buckets_for(capacity.flows));
  bpf_map__set_max_entries(skeleton->maps.seen_sessions,
                           std::max(capacity.identifiers, kIdentifiersMin));
  if (const int error = linearb_bpf::load(skeleton.get()); error)
    sys::throw_errno("load the hook", way_on(error), error);
  loaded_ = true;
  hook_on_ = interfaces_.front().name;

  std::map<std::string, sys::Fd> maps;
  bpf_object__for_each_map(map, skeleton->obj) {
    maps.emplace(bpf_map__name(map), duplicate(bpf_map__fd(map)));
  }
  maps_ = std::make_unique<Maps>(std::move(maps));
  program_ = duplicate(bpf_program__fd(skeleton->progs.LB_HOOK_FUNCTION));
}

void Hook::make_memories() {
  const auto channels = static_cast<std::uint32_t>(maps_->windows().size());
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
  sys::Fd memories(bpf_map_create(BPF_MAP_TYPE_ARRAY, kMemories, sizeof(lb_u32), sizeof(lb_memory),
                                  channels, &options));
  if (!memories)
    sys::throw_errno(fmt::format("make the map {} for {} channels", kMemories, channels),
                     errno == ENOMEM ? "free memory, take fewer channels, or do without --keep-hook"
                                     : kLoadRights);
  maps_->add_memories(std::move(memories));
  maps_->bind_memories(program_);
  for (const Interface& interface : interfaces_)
    if (const auto attached = attached_to(interface)) maps_->bind_memories(attached->program.fd);
}

void Hook::attach(Mode mode) {
  // In an order that does not depend on how they are named: of several that start at once, each
  // with a hook of its own, one gets the first of them, and then all.
  std::vector<std::size_t> order(interfaces_.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::size_t i) { return interfaces_[i].index; });
  for (const std::size_t i : order) attach_to(i, mode);
  if (loaded_ && pin_directory_.empty()) pin_directory_ = pin_hook(*maps_, program_);
}

bool Hook::was_attached_here(std::size_t interface) const noexcept {
  return std::ranges::any_of(attached_, [&](const AttachedHere& here) {
    return here.interface.index == interfaces_[interface].index;
  });
}

void Hook::attach_again(std::size_t i, std::uint32_t index, Mode mode) {
  interfaces_[i].index = index;
  if (auto attached = attached_to(interfaces_[i])) {
    native_[i] = attached->native;
    adopt(*std::move(attached));
  }
  attach_to(i, mode);
}

void Hook::renew(std::size_t i) {
  const std::optional<Attached> attached = attached_to(interfaces_[i]);
  if (!attached || !attached->is_ours()) return;
  const sys::Fd& program = attached->program.fd;
  int error = detach_program(interfaces_[i], native_[i], program);
  if (error == 0) error = attach_program(interfaces_[i], program, native_[i]);
  if (error != 0)
    sys::throw_errno(fmt::format("attach the hook to {} again", interfaces_[i].name),
                     with_kernel_words("it is tried again"), error);
}

void Hook::attach_to(std::size_t i, Mode mode) {
  const Interface& interface = interfaces_[i];
  if (const auto attached = attached_to(interface)) {
    require_same(*attached);
    const bool wants_other =
        (mode == Mode::native && !attached->native) || (mode == Mode::generic && attached->native);
    if (wants_other)
      throw Error(fmt::format(
          "{} has the hook in {} mode and keeps it; to change it, detach it first ({})",
          interface.name, attached->native ? "native" : "generic", how_to_detach(interface)));
    native_[i] = attached->native;
    return;
  }
  int error = -EOPNOTSUPP;
  if (mode != Mode::generic) error = attach_program(interface, program_, true);
  native_[i] = error == 0;
  if (error != 0 && mode != Mode::native) error = attach_program(interface, program_, false);
  if (error != 0)
    if (const auto attached = attached_to(interface)) require_same(*attached);
  if (error != 0 && mode == Mode::native)
    sys::throw_errno(fmt::format("attach the hook to {} in native mode", interface.name),
                     with_kernel_words("the driver may have no XDP: try --mode generic"), error);
  if (error != 0)
    sys::throw_errno(fmt::format("attach the hook to {}", interface.name),
                     with_kernel_words(kLoadRights), error);
  std::erase_if(attached_,
                [&](const AttachedHere& here) { return here.interface.index == interface.index; });
  attached_.push_back({interface, native_[i]});
}

/// What has come since this hook was found or loaded.
void Hook::require_same(const Attached& attached) const {
  check_program(attached);
  if (attached.hook_id() == maps_->identity()) return;
  const auto owner = owner_of(attached.hook_id());
  throw Error(fmt::format("another {} has begun on {} in the same moment; stop it first",
                          owner.value_or(Owner{}).title(), attached.interface.name));
}

void Hook::detach() noexcept {
  // Only our own program: what somebody else has put in its place stays.
  for (const auto& [interface, native] : attached_) detach_program(interface, native, program_);
  attached_.clear();
  if (pin_directory_.empty()) return;
  remove_pin_directory(pin_directory_);
  pin_directory_.clear();
}

}  // namespace linearb::hook
