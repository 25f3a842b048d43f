// SPDX-License-Identifier: Apache-2.0
//
// libbpf's calls about maps, as far as hook::Maps makes them. The linker finds these before
// libbpf's own: about the map of a native hook they answer here, any other is handed on.
#include <cerrno>
#include <map>
#include <mutex>

#include <dlfcn.h>

#include <bpf/bpf.h>

#include "support/native_hook/map.h"

namespace linearb::test::native {
namespace {

struct Announced {
  std::mutex mutex;
  std::map<int, Map*> maps;
};

Announced& announced() {
  static Announced all;
  return all;
}

/// Null when the descriptor is the kernel's.
Map* map_of(int descriptor) {
  const std::lock_guard lock(announced().mutex);
  const auto found = announced().maps.find(descriptor);
  return found == announced().maps.end() ? nullptr : found->second;
}

template <class Call>
Call* libbpf_call(const char* name) {
  return reinterpret_cast<Call*>(::dlsym(RTLD_NEXT, name));
}

/// As libbpf returns errors, and says them in errno too.
int said(long result) {
  if (result < 0) errno = static_cast<int>(-result);
  return static_cast<int>(result);
}

std::uint32_t key_at(const void* key) {
  return *static_cast<const std::uint32_t*>(key);
}

}  // namespace

Announcement::Announcement(int descriptor, Map& map) : descriptor_(descriptor) {
  const std::lock_guard lock(announced().mutex);
  announced().maps.insert_or_assign(descriptor, &map);
}

Announcement::~Announcement() {
  const std::lock_guard lock(announced().mutex);
  announced().maps.erase(descriptor_);
}

}  // namespace linearb::test::native

using namespace linearb::test::native;

extern "C" {

int bpf_obj_get_info_by_fd(int fd, void* info, __u32* info_size) {
  const Map* map = map_of(fd);
  if (!map)
    return libbpf_call<decltype(bpf_obj_get_info_by_fd)>("bpf_obj_get_info_by_fd")(fd, info,
                                                                                   info_size);
  auto& of_map = *static_cast<bpf_map_info*>(info);
  of_map.type = map->declared().type;
  of_map.id = static_cast<__u32>(fd);
  of_map.key_size = sizeof(std::uint32_t);
  of_map.value_size = map->declared().value_size;
  of_map.max_entries = map->entries();
  of_map.map_flags = of_map.type == BPF_MAP_TYPE_ARRAY ? BPF_F_MMAPABLE : 0;
  return 0;
}

int bpf_map_update_elem(int fd, const void* key, const void* value, __u64 flags) {
  Map* map = map_of(fd);
  if (!map)
    return libbpf_call<decltype(bpf_map_update_elem)>("bpf_map_update_elem")(fd, key, value, flags);
  return said(map->update(key_at(key), value, flags));
}

int bpf_map_delete_elem(int fd, const void* key) {
  Map* map = map_of(fd);
  if (!map) return libbpf_call<decltype(bpf_map_delete_elem)>("bpf_map_delete_elem")(fd, key);
  return said(map->erase(key_at(key)));
}

/// Deletes all in one batch, the last one, and hands out nothing of it.
int bpf_map_lookup_and_delete_batch(int fd, void* in_batch, void* out_batch, void* keys,
                                    void* values, __u32* count, const bpf_map_batch_opts* options) {
  Map* map = map_of(fd);
  if (!map)
    return libbpf_call<decltype(bpf_map_lookup_and_delete_batch)>(
        "bpf_map_lookup_and_delete_batch")(fd, in_batch, out_batch, keys, values, count, options);
  map->clear();
  *count = 0;
  return said(-ENOENT);
}

}  // extern "C"
