// SPDX-License-Identifier: Apache-2.0
#include "hook/maps.h"

#include <array>

#include <fmt/format.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "sys/error.h"

namespace linearb::hook {
namespace {

constexpr const char* kOtherLayout =
    "detach the hook that is there (linearb detach), so that this version loads its own";

bpf_map_info info_of(int fd, const char* name) {
  bpf_map_info info{};
  std::uint32_t size = sizeof(info);
  if (const int error = bpf_obj_get_info_by_fd(fd, &info, &size); error)
    sys::throw_errno(fmt::format("read what the kernel knows of the map {}", name), {}, error);
  return info;
}

constexpr std::uint32_t kBatchKeys = 4096;

/// Deletes every key of a hash map, whose keys and values have four bytes at most. In batches: a
/// walk from the first key again and again would pass over ever more empty buckets.
void clear_hash(int fd) noexcept {
  std::array<std::uint32_t, kBatchKeys> keys;
  std::array<std::uint32_t, kBatchKeys> values;
  std::uint32_t position = 0;
  for (const std::uint32_t* from = nullptr;; from = &position) {
    std::uint32_t count = kBatchKeys;
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    const int error =
        bpf_map_lookup_and_delete_batch(fd, const_cast<std::uint32_t*>(from), &position,
                                        keys.data(), values.data(), &count, &options);
    if (error != 0) return;  // ENOENT: that was the last batch
  }
}

}  // namespace

Maps::Maps(std::map<std::string, sys::Fd> descriptors) : descriptors_(std::move(descriptors)) {
  config_ = map_array<lb_config>("config");
  flows_ = map_array<lb_flow_bucket>("flows");
  streams_ = map_array<lb_stream_bucket>("streams");
  framings_ = map_array<lb_framing>("framings");
  windows_ = map_array<lb_channel>("windows");
  marks_ = map_array<lb_mark>("marks");
  credits_ = map_array<lb_credit>("credits");
  counters_ = map_array<lb_counters>("counters");
  skews_ = map_array<lb_histogram>("skews");
  for (const char* name : {"xsks_map", "interfaces", "seen_sessions"}) fd(name);
  if (descriptors_.contains(kMemories)) memories_ = map_array<lb_memory>(kMemories);
}

void Maps::add_memories(sys::Fd memories) {
  descriptors_.insert_or_assign(kMemories, std::move(memories));
  memories_ = map_array<lb_memory>(kMemories);
}

int Maps::fd(const char* name) const {
  const auto found = descriptors_.find(name);
  if (found == descriptors_.end())
    throw Error(fmt::format("the hook has no map {}; {}", name, kOtherLayout));
  return found->second.get();
}

template <class Value>
std::span<Value> Maps::map_array(const char* name) {
  const bpf_map_info info = info_of(fd(name), name);
  if (info.value_size != sizeof(Value) || !(info.map_flags & BPF_F_MMAPABLE))
    throw Error(fmt::format("the hook's map {} has values of {} bytes, this linearb expects {}; {}",
                            name, info.value_size, sizeof(Value), kOtherLayout));
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t bytes = (sizeof(Value) * info.max_entries + page - 1) / page * page;
  memory_.emplace_back(
      sys::Mapping{.what = name, .size_bytes = bytes, .flags = MAP_SHARED, .fd = fd(name)});
  return {reinterpret_cast<Value*>(memory_.back().data()), info.max_entries};
}

void Maps::bind_memories(const sys::Fd& program) const {
  if (const int error = bpf_prog_bind_map(program.get(), fd(kMemories), nullptr); error)
    sys::throw_errno("bind the map memories to the hook's program",
                     "this needs CAP_BPF: run as root", error);
}

void Maps::set_socket(std::uint32_t slot, int socket_fd) const {
  if (const int error = bpf_map_update_elem(fd("xsks_map"), &slot, &socket_fd, BPF_ANY); error)
    sys::throw_errno(fmt::format("put the socket into slot {} of xsks_map", slot), {}, error);
}

void Maps::clear_socket(std::uint32_t slot) const noexcept {
  bpf_map_delete_elem(descriptors_.at("xsks_map").get(), &slot);
}

void Maps::set_interface(std::uint32_t interface_index, std::uint32_t line) const {
  const lb_interface value{line};
  if (const int error = bpf_map_update_elem(fd("interfaces"), &interface_index, &value, BPF_ANY);
      error)
    sys::throw_errno(fmt::format("tell the hook of interface {}", interface_index), {}, error);
}

void Maps::clear_interface(std::uint32_t interface_index) const noexcept {
  bpf_map_delete_elem(descriptors_.at("interfaces").get(), &interface_index);
}

void Maps::clear_interfaces() const noexcept {
  clear_hash(descriptors_.at("interfaces").get());
}

std::uint32_t Maps::identifiers() const {
  return info_of(fd("seen_sessions"), "seen_sessions").max_entries;
}

void Maps::clear_seen_sessions() const noexcept {
  clear_hash(descriptors_.at("seen_sessions").get());
}

void Maps::pin(const std::string& directory) const {
  for (const auto& [name, map] : descriptors_) {
    const std::string path = fmt::format("{}/{}", directory, name);
    if (const int error = bpf_obj_pin(map.get(), path.c_str()); error)
      sys::throw_errno(fmt::format("pin the map {} as {}", name, path), {}, error);
  }
}

std::uint32_t Maps::identity() const {
  return info_of(fd("config"), "config").id;
}

}  // namespace linearb::hook
