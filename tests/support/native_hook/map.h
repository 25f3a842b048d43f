// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "support/native_hook/program.h"
#include "sys/fd.h"

namespace linearb::test::native {

/// A map as the kernel has it, for keys of four bytes. Errors are negative error numbers, as the
/// helpers and libbpf return them. What is in it may be used by several threads at once.
class Map {
 public:
  Map(const lb_native_map& declared, std::uint32_t entries);
  virtual ~Map() = default;
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

  /// Null when the key is not there.
  virtual void* lookup(std::uint32_t key) noexcept = 0;
  virtual long update(std::uint32_t key, const void* value, std::uint64_t flags) = 0;
  virtual long erase(std::uint32_t key) noexcept = 0;
  virtual void clear() noexcept = 0;
  virtual std::size_t size() const noexcept = 0;

  const lb_native_map& declared() const noexcept { return declared_; }
  std::uint32_t entries() const noexcept { return entries_; }
  /// For one who maps the memory, and has it as a descriptor of a BPF map otherwise.
  sys::Fd duplicate_descriptor() const;

 protected:
  /// Makes the descriptor one of so much memory.
  void reserve(std::size_t bytes);

 private:
  const lb_native_map& declared_;
  std::uint32_t entries_;
  sys::Fd memory_;
};

/// Memory, of zeros at first. Whoever maps it says where.
class ArrayMap final : public Map {
 public:
  ArrayMap(const lb_native_map& declared, std::uint32_t entries);

  void see_at(void* base) noexcept { base_ = static_cast<std::byte*>(base); }

  void* lookup(std::uint32_t key) noexcept override;
  long update(std::uint32_t key, const void* value, std::uint64_t flags) override;
  long erase(std::uint32_t key) noexcept override;
  void clear() noexcept override;
  std::size_t size() const noexcept override { return entries(); }

 private:
  std::byte* base_ = nullptr;
};

/// The XSKMAP: which slots have a socket.
class SocketMap final : public Map {
 public:
  SocketMap(const lb_native_map& declared, std::uint32_t entries);

  void* lookup(std::uint32_t key) noexcept override;
  long update(std::uint32_t key, const void* value, std::uint64_t flags) override;
  long erase(std::uint32_t key) noexcept override;
  void clear() noexcept override;
  std::size_t size() const noexcept override;

 private:
  std::vector<std::uint32_t> has_socket_;  ///< by slot; written and read atomically
};

/// A hash of small values. One with `forgets` is an LRU: a full one makes room where the kernel
/// would, by what was used longest ago; the kernel's is only near to that, and forgets in batches.
class HashMap final : public Map {
 public:
  HashMap(const lb_native_map& declared, std::uint32_t entries, bool forgets);

  void* lookup(std::uint32_t key) noexcept override;
  long update(std::uint32_t key, const void* value, std::uint64_t flags) override;
  long erase(std::uint32_t key) noexcept override;
  void clear() noexcept override;
  std::size_t size() const noexcept override;

 private:
  struct Entry {
    std::uint32_t key;
    std::uint64_t value;  ///< the first bytes of it
  };
  using Entries = std::list<Entry>;

  mutable std::mutex mutex_;
  Entries by_use_;  ///< the longest unused first
  std::unordered_map<std::uint32_t, Entries::iterator> found_;
  bool forgets_;
};

/// As the program declares it, with so many entries.
std::unique_ptr<Map> make_map(const lb_native_map& declared, std::uint32_t entries);

/// While it lives, libbpf's calls about the descriptor are about the map (map_calls.cpp).
class Announcement {
 public:
  Announcement(int descriptor, Map& map);
  ~Announcement();
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;

 private:
  int descriptor_;
};

}  // namespace linearb::test::native
