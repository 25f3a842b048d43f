// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <linux/if_xdp.h>

#include <bpf/bpf.h>
#include <xdp/xsk.h>

#include "core/layout.h"
#include "hook/maps.h"
#include "sim/random.h"
#include "support/native_hook/program.h"

namespace linearb::sim {

/// The kernel's half of an AF_XDP socket in copy mode, as net/xdp/xsk.c has it: a redirect takes a
/// frame out of the fill ring and fills it at once, and user space sees both only with the flush.
class KernelSocket {
 public:
  KernelSocket(std::byte* memory, std::uint32_t frames, std::uint32_t frame_size);

  void make_fill_ring(xsk_ring_prod& ring, std::uint32_t entries);
  void make_completion_ring(xsk_ring_cons& ring, std::uint32_t entries);
  void make_rx_ring(xsk_ring_cons& ring, std::uint32_t entries);

  /// Metadata and packet lie behind each other. Fails when there is no frame, or no place in the RX
  /// ring: the credit had promised both.
  void receive(std::span<const std::byte> metadata, std::span<const std::byte> packet);
  void flush() noexcept;
  bool readable() const noexcept { return rx_producer_ != rx_consumer_; }
  /// Entries of the RX ring that user space has not released.
  std::uint32_t used() const noexcept { return rx_written_ - rx_consumer_; }
  bool has_ring(const std::uint32_t* producer) const noexcept {
    return producer == &fill_producer_ || producer == &rx_producer_;
  }

  int fd = -1;
  bool is_bound = false;

 private:
  std::uint64_t take_frame();

  std::byte* memory_;
  std::uint32_t frame_size_;
  /// Each frame is in one place (I5), as the kernel sees it.
  enum class Place : std::uint8_t {
    user,  ///< or the fill ring: the kernel does not look before it takes one
    received,
  };
  std::vector<Place> places_;
  std::vector<std::uint64_t> fill_;
  std::vector<std::uint64_t> completion_;
  std::vector<xdp_desc> rx_;
  std::uint32_t fill_producer_ = 0, fill_consumer_ = 0, fill_taken_ = 0;
  std::uint32_t completion_producer_ = 0, completion_consumer_ = 0;
  std::uint32_t rx_producer_ = 0, rx_consumer_ = 0, rx_written_ = 0, rx_left_ = 0;
  std::uint32_t flags_ = 0;
};

/// What the hook and the receiver find around them: maps, sockets, grace periods. One for the
/// process, so that the maps are mapped once; begin() makes it new for a seed.
class Kernel {
 public:
  static Kernel& instance();

  void begin(Random random, std::uint32_t cpus);

  /// The maps as the receiver has them.
  const linearb::hook::Maps& maps() const noexcept { return *maps_; }
  KernelSocket* socket_in(std::uint32_t slot) noexcept { return slots_[slot]; }

  // The kernel's side of the maps, for the hook.
  void* lookup(const void* map, std::uint32_t key) noexcept;
  bool has_sockets(const void* map) const noexcept;
  bool has_interface(std::uint32_t index) const noexcept { return interfaces_.contains(index); }

  // For the hook's CPUs: between the two, a grace period waits for them.
  void enter(std::uint32_t cpu) noexcept { ++sections_[cpu]; }
  void leave(std::uint32_t cpu) noexcept { ++sections_[cpu]; }
  /// There is something in an RX ring for who waits in poll().
  void wake_reader() noexcept;
  std::uint32_t reader = ~0u;  ///< the fiber that waits; ~0: none
  /// As synchronize_rcu().
  void wait_for_grace_period();

  /// A word that hook and receiver share. Each side has mapped it for itself.
  struct Word {
    enum class Field {
      other,
      published,
      shown,
      redirected,
      returned,
      capacity,
      window,
    };
    Field field = Field::other;
    std::uint32_t of = 0;  ///< its line, or its place in the window
  };
  /// Of the first channel and the lines A and B: all others are Field::other.
  Word word_at(const void* address) const noexcept;
  std::uint32_t line_of_ring(const std::uint32_t* producer) const noexcept;

  /// A receiver that is gone without a word: its sockets leave the map as they close.
  void forget_socket(KernelSocket& socket) noexcept;

  // Calls of libbpf.
  int describe(int fd, bpf_map_info& info) const noexcept;
  int update(int fd, std::uint32_t key, const void* value);
  int erase(int fd, std::uint32_t key) noexcept;
  int erase_all(int fd) noexcept;

  std::vector<KernelSocket*> sockets;  ///< open ones

 private:
  Kernel();

  struct Map {
    const lb_native_map* declared = nullptr;
    std::uint32_t entries = 0;
    int fd = -1;
    std::byte* memory = nullptr;  ///< null: not an array
    std::size_t bytes() const noexcept { return std::size_t{entries} * declared->value_size; }
  };
  const Map& map_of(int fd) const noexcept;

  std::array<Map, LB_NATIVE_MAPS> all_;
  std::map<std::string, sys::Fd> descriptors_;  ///< until maps_ has them
  std::unique_ptr<linearb::hook::Maps> maps_;
  std::array<KernelSocket*, LB_SLOTS_MAX> slots_{};
  std::map<std::uint32_t, lb_interface> interfaces_;
  std::vector<std::uint64_t> sections_;  ///< odd: the CPU is inside
  Random random_{0};
};

}  // namespace linearb::sim
