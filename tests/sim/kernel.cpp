// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "sim/failure.h"
#include "sim/scheduler.h"
#include "sim/steps.h"
#include "xsk/frame.h"

namespace linearb::sim {
namespace {

/// Enough for two channels, which are cleared with each takeover.
constexpr std::uint32_t kChannels = 2;
/// Lines whose words have a name: those of the model.
constexpr std::uint32_t kLinesNamed = 2;
constexpr std::uint64_t kGraceNsAtMost = 2'000'000;

std::uint32_t entries_of(const lb_native_map& map) {
  const std::string_view name = map.name;
  if (name == "windows") return kChannels;
  if (name == "marks") return kChannels * LB_LINES_MAX;
  return map.max_entries;
}

}  // namespace

KernelSocket::KernelSocket(std::byte* memory, std::uint32_t frames, std::uint32_t frame_size)
    : memory_(memory), frame_size_(frame_size), places_(frames) {}

void KernelSocket::make_fill_ring(xsk_ring_prod& ring, std::uint32_t entries) {
  fill_.resize(entries);
  ring = {0,      entries, entries - 1, entries, &fill_producer_, &fill_consumer_, fill_.data(),
          &flags_};
}

void KernelSocket::make_completion_ring(xsk_ring_cons& ring, std::uint32_t entries) {
  completion_.resize(entries);
  ring = {0,
          0,
          entries - 1,
          entries,
          &completion_producer_,
          &completion_consumer_,
          completion_.data(),
          &flags_};
}

void KernelSocket::make_rx_ring(xsk_ring_cons& ring, std::uint32_t entries) {
  rx_.resize(entries);
  ring = {0, 0, entries - 1, entries, &rx_producer_, &rx_consumer_, rx_.data(), &flags_};
}

std::uint64_t KernelSocket::take_frame() {
  for (; rx_left_ != rx_consumer_; ++rx_left_)
    places_[rx_[rx_left_ % rx_.size()].addr / frame_size_] = Place::user;
  const std::uint64_t frame = fill_[fill_taken_++ % fill_.size()];
  Place& place = places_.at(frame / frame_size_);
  if (frame % frame_size_ != 0 || place != Place::user)
    fail(fmt::format("I5: frame {} is in the fill ring and in the RX ring", frame));
  place = Place::received;
  return frame;
}

void KernelSocket::receive(std::span<const std::byte> metadata, std::span<const std::byte> packet) {
  if (fill_taken_ == fill_producer_)
    fail("I2: a packet was redirected, and the fill ring has no frame for it");
  if (used() == rx_.size()) fail("I2: a packet was redirected, and the RX ring is full");
  const std::uint64_t frame = take_frame();
  std::byte* const data = memory_ + frame + XDP_PACKET_HEADROOM;
  std::ranges::copy(metadata, data - metadata.size());
  std::ranges::copy(packet, data);
  rx_[rx_written_++ % rx_.size()] = {frame + XDP_PACKET_HEADROOM,
                                     static_cast<std::uint32_t>(packet.size()), 0};
}

void KernelSocket::flush() noexcept {
  rx_producer_ = rx_written_;
  fill_consumer_ = fill_taken_;
}

Kernel& Kernel::instance() {
  static Kernel kernel;
  return kernel;
}

Kernel::Kernel() {
  std::map<std::string, sys::Fd> descriptors;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    Map& map = all_[i];
    map.declared = &lb_native_maps[i];
    map.entries = entries_of(*map.declared);
    map.fd = ::memfd_create(map.declared->name, MFD_CLOEXEC);
    if (map.fd < 0) fail("no memory for the maps");
    descriptors.emplace(map.declared->name, sys::Fd(map.fd));
    if (map.declared->type != BPF_MAP_TYPE_ARRAY) continue;
    const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t bytes = (map.bytes() + page - 1) / page * page;
    void* memory = MAP_FAILED;
    if (::ftruncate(map.fd, static_cast<off_t>(bytes)) == 0)
      memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map.fd, 0);
    if (memory == MAP_FAILED) fail("no memory for the maps");
    map.memory = static_cast<std::byte*>(memory);
  }
  // The receiver's own code maps them, and finds out about them with the calls of libbpf that
  // calls.cpp answers from all_: what it asks this object for while it is made goes there.
  descriptors_ = std::move(descriptors);
}

void Kernel::begin(Random random, std::uint32_t cpus) {
  if (!maps_) maps_ = std::make_unique<linearb::hook::Maps>(std::move(descriptors_));
  for (const Map& map : all_)
    if (map.memory) std::memset(map.memory, 0, map.bytes());
  slots_.fill(nullptr);
  sockets.clear();
  interfaces_.clear();
  sections_.assign(cpus, 0);
  reader = ~0u;
  random_ = random;
}

void* Kernel::lookup(const void* map, std::uint32_t key) noexcept {
  const auto found = std::ranges::find(
      all_, map, [](const Map& candidate) { return candidate.declared->declaration; });
  if (found == all_.end()) return nullptr;
  switch (found->declared->type) {
    case BPF_MAP_TYPE_ARRAY:
      return key < found->entries ? found->memory + std::size_t{key} * found->declared->value_size
                                  : nullptr;
    case BPF_MAP_TYPE_XSKMAP:
      return key < slots_.size() ? slots_[key] : nullptr;
    case BPF_MAP_TYPE_HASH: {
      const auto interface = interfaces_.find(key);
      return interface == interfaces_.end() ? nullptr : &interface->second;
    }
    default:
      return nullptr;
  }
}

void Kernel::wake_reader() noexcept {
  constexpr std::uint64_t kWakeNsAtMost = 20'000;
  if (reader != ~0u)
    scheduler()->wake_at(reader, scheduler()->now_ns() + random_.below(kWakeNsAtMost));
}

void Kernel::wait_for_grace_period() {
  const std::vector<std::uint64_t> before = sections_;
  scheduler()->sleep_for(random_.below(kGraceNsAtMost));
  for (std::size_t cpu = 0; cpu < before.size(); ++cpu)
    while (before[cpu] % 2 == 1 && sections_[cpu] == before[cpu])
      scheduler()->sleep_for(1 + random_.below(1000));
  tell({"grace"});
}

bool Kernel::has_sockets(const void* map) const noexcept {
  const auto found = std::ranges::find(
      all_, map, [](const Map& candidate) { return candidate.declared->declaration; });
  return found != all_.end() && found->declared->type == BPF_MAP_TYPE_XSKMAP;
}

std::uint32_t Kernel::line_of_ring(const std::uint32_t* producer) const noexcept {
  const auto found = std::ranges::find_if(
      sockets, [&](const KernelSocket* socket) { return socket->has_ring(producer); });
  return static_cast<std::uint32_t>(found - sockets.begin());
}

Kernel::Word Kernel::word_at(const void* address) const noexcept {
  using Field = Word::Field;
  std::size_t offset = 0;
  const auto is_in = [&](std::string_view name, const void* of_receiver) {
    const auto map =
        std::ranges::find(all_, name, [](const Map& one) { return one.declared->name; });
    for (const void* begin : {static_cast<const void*>(map->memory), of_receiver}) {
      offset = static_cast<std::size_t>(static_cast<const std::byte*>(address) -
                                        static_cast<const std::byte*>(begin));
      if (offset < map->bytes()) return true;
    }
    return false;
  };
  if (is_in("marks", &maps_->mark(0, 0)) && offset < kLinesNamed * sizeof(lb_mark)) {
    const std::size_t field = offset % sizeof(lb_mark);
    return {field == offsetof(lb_mark, published) ? Field::published
            : field == offsetof(lb_mark, shown)   ? Field::shown
                                                  : Field::other,
            static_cast<std::uint32_t>(offset / sizeof(lb_mark))};
  }
  if (is_in("credits", &maps_->credit(0)) && offset / sizeof(lb_credit) % LB_QUEUES_MAX == 0 &&
      offset / sizeof(lb_credit) / LB_QUEUES_MAX < kLinesNamed) {
    const std::size_t field = offset % sizeof(lb_credit);
    return {field == offsetof(lb_credit, redirected) ? Field::redirected
            : field == offsetof(lb_credit, returned) ? Field::returned
            : field == offsetof(lb_credit, capacity) ? Field::capacity
                                                     : Field::other,
            static_cast<std::uint32_t>(offset / sizeof(lb_credit) / LB_QUEUES_MAX)};
  }
  if (is_in("windows", maps_->windows().data()) && offset < offsetof(lb_channel, stamps))
    return {Field::window, static_cast<std::uint32_t>(offset / sizeof(lb_u64))};
  return {};
}

void Kernel::forget_socket(KernelSocket& socket) noexcept {
  std::ranges::replace(slots_, &socket, nullptr);
  std::erase(sockets, &socket);
  socket.is_bound = false;
}

const Kernel::Map& Kernel::map_of(int fd) const noexcept {
  const auto found = std::ranges::find(all_, fd, &Map::fd);
  if (found == all_.end()) fail(fmt::format("descriptor {} is no map", fd));
  return *found;
}

int Kernel::describe(int fd, bpf_map_info& info) const noexcept {
  const Map& map = map_of(fd);
  info.value_size = map.declared->value_size;
  info.max_entries = map.entries;
  info.map_flags = map.memory ? BPF_F_MMAPABLE : 0;
  return 0;
}

int Kernel::update(int fd, std::uint32_t key, const void* value) {
  const Map& map = map_of(fd);
  if (map.declared->type == BPF_MAP_TYPE_HASH) {
    std::memcpy(&interfaces_[key], value, sizeof(lb_interface));
    return 0;
  }
  tell({"open_slot", key / LB_QUEUES_MAX});
  int socket_fd = -1;
  std::memcpy(&socket_fd, value, sizeof socket_fd);
  const auto socket = std::ranges::find(sockets, socket_fd, &KernelSocket::fd);
  if (socket == sockets.end() || !(*socket)->is_bound) return -EBADF;
  slots_.at(key) = *socket;
  return 0;
}

int Kernel::erase(int fd, std::uint32_t key) noexcept {
  if (map_of(fd).declared->type == BPF_MAP_TYPE_HASH) return interfaces_.erase(key) ? 0 : -ENOENT;
  if (slots_[key] == nullptr) return -ENOENT;
  slots_[key] = nullptr;
  tell({"empty_slot", key / LB_QUEUES_MAX});
  return 0;
}

int Kernel::erase_all(int fd) noexcept {
  if (map_of(fd).declared->type == BPF_MAP_TYPE_HASH) interfaces_.clear();
  return -ENOENT;
}

}  // namespace linearb::sim
