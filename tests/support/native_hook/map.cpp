// SPDX-License-Identifier: Apache-2.0
#include "support/native_hook/map.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/error.h"

namespace linearb::test::native {

Map::Map(const lb_native_map& declared, std::uint32_t entries)
    : declared_(declared), entries_(entries), memory_(::memfd_create(declared.name, MFD_CLOEXEC)) {
  if (!memory_) sys::throw_errno("make memory for a native hook's map");
}

sys::Fd Map::duplicate_descriptor() const {
  sys::Fd copy(::fcntl(memory_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) sys::throw_errno("duplicate the descriptor of a native hook's map");
  return copy;
}

void Map::reserve(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t pages = (bytes + page - 1) / page;
  if (::ftruncate(memory_.get(), static_cast<off_t>(pages * page)) != 0)
    sys::throw_errno("give a native hook's map its size");
}

// ---- array
// ---------------------------------------------------------------------------------------

ArrayMap::ArrayMap(const lb_native_map& declared, std::uint32_t entries) : Map(declared, entries) {
  reserve(std::size_t{entries} * declared.value_size);
}

void* ArrayMap::lookup(std::uint32_t key) noexcept {
  return key < entries() ? base_ + std::size_t{key} * declared().value_size : nullptr;
}

long ArrayMap::update(std::uint32_t key, const void* value, std::uint64_t flags) {
  if (key >= entries()) return -E2BIG;
  if (flags & BPF_NOEXIST) return -EEXIST;
  std::memcpy(lookup(key), value, declared().value_size);
  return 0;
}

long ArrayMap::erase(std::uint32_t) noexcept {
  return -EINVAL;
}

void ArrayMap::clear() noexcept {
  std::memset(base_, 0, std::size_t{entries()} * declared().value_size);
}

// ---- sockets
// -------------------------------------------------------------------------------------

SocketMap::SocketMap(const lb_native_map& declared, std::uint32_t entries)
    : Map(declared, entries), has_socket_(entries) {}

void* SocketMap::lookup(std::uint32_t key) noexcept {
  if (key >= entries() || !__atomic_load_n(&has_socket_[key], __ATOMIC_ACQUIRE)) return nullptr;
  return &has_socket_[key];
}

long SocketMap::update(std::uint32_t key, const void* value, std::uint64_t) {
  int descriptor;
  std::memcpy(&descriptor, value, sizeof(descriptor));
  if (key >= entries()) return -E2BIG;
  if (descriptor < 0) return -EBADF;
  __atomic_store_n(&has_socket_[key], 1, __ATOMIC_RELEASE);
  return 0;
}

long SocketMap::erase(std::uint32_t key) noexcept {
  if (key >= entries()) return -EINVAL;
  return __atomic_exchange_n(&has_socket_[key], 0, __ATOMIC_ACQ_REL) ? 0 : -ENOENT;
}

void SocketMap::clear() noexcept {
  for (std::uint32_t slot = 0; slot < entries(); ++slot) erase(slot);
}

std::size_t SocketMap::size() const noexcept {
  std::size_t sockets = 0;
  for (const std::uint32_t& one : has_socket_) sockets += __atomic_load_n(&one, __ATOMIC_ACQUIRE);
  return sockets;
}

// ---- hash
// ----------------------------------------------------------------------------------------

HashMap::HashMap(const lb_native_map& declared, std::uint32_t entries, bool forgets)
    : Map(declared, entries), forgets_(forgets) {
  if (declared.value_size > sizeof(Entry::value))
    throw std::invalid_argument("a native hook's hashes have small values");
}

void* HashMap::lookup(std::uint32_t key) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = found_.find(key);
  if (found == found_.end()) return nullptr;
  by_use_.splice(by_use_.end(), by_use_, found->second);
  return &found->second->value;
}

long HashMap::update(std::uint32_t key, const void* value, std::uint64_t flags) {
  const std::lock_guard lock(mutex_);
  if (const auto found = found_.find(key); found != found_.end()) {
    if (flags & BPF_NOEXIST) return -EEXIST;
    std::memcpy(&found->second->value, value, declared().value_size);
    return 0;
  }
  if (flags & BPF_EXIST) return -ENOENT;
  if (found_.size() == entries()) {
    if (!forgets_) return -E2BIG;
    found_.erase(by_use_.front().key);
    by_use_.pop_front();
  }
  const auto entry = by_use_.insert(by_use_.end(), {key, 0});
  std::memcpy(&entry->value, value, declared().value_size);
  found_.emplace(key, entry);
  return 0;
}

long HashMap::erase(std::uint32_t key) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = found_.find(key);
  if (found == found_.end()) return -ENOENT;
  by_use_.erase(found->second);
  found_.erase(found);
  return 0;
}

void HashMap::clear() noexcept {
  const std::lock_guard lock(mutex_);
  found_.clear();
  by_use_.clear();
}

std::size_t HashMap::size() const noexcept {
  const std::lock_guard lock(mutex_);
  return found_.size();
}

std::unique_ptr<Map> make_map(const lb_native_map& declared, std::uint32_t entries) {
  switch (declared.type) {
    case BPF_MAP_TYPE_ARRAY:
      return std::make_unique<ArrayMap>(declared, entries);
    case BPF_MAP_TYPE_XSKMAP:
      return std::make_unique<SocketMap>(declared, entries);
    case BPF_MAP_TYPE_HASH:
      return std::make_unique<HashMap>(declared, entries, false);
    case BPF_MAP_TYPE_LRU_HASH:
      return std::make_unique<HashMap>(declared, entries, true);
    default:
      throw std::invalid_argument("the hook has a map of a type that map.h does not know");
  }
}

}  // namespace linearb::test::native
