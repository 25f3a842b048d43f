// SPDX-License-Identifier: Apache-2.0
#include "support/native_hook/native_hook.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <linux/bpf.h>
#include <sanitizer/asan_interface.h>

#include "hook/flow_table.h"
#include "support/native_hook/map.h"

namespace linearb::test::native {
namespace {

constexpr std::size_t kHeadroom = 256;         // XDP_PACKET_HEADROOM of linux/bpf.h
constexpr std::size_t kFrameDescription = 40;  // struct xdp_frame, which lies in the headroom
constexpr std::uint8_t kEarlierByte = 0x5a;
constexpr std::size_t kMetadataMax = 32;  // xdp_metalen_invalid of include/net/xdp.h before 6.x

std::uint32_t entries_of(const lb_native_map& declared, const Capacity& capacity) {
  const std::string name = declared.name;
  if (name == "windows") return capacity.channels;
  if (name == "marks") return capacity.channels * LB_LINES_MAX;
  if (name == "flows") return LB_FLOW_TABLES * hook::buckets_for(capacity.flows);
  if (name == "seen_sessions") return capacity.seen_sessions;
  return declared.max_entries;
}

/// A packet in memory of its own. AddressSanitizer knows where it ends, and that nothing in front
/// of it is the program's but the metadata.
class Frame {
 public:
  Frame(std::span<const std::uint8_t> packet, const Arrival& arrival)
      : memory_(kHeadroom + packet.size()) {
    std::ranges::copy(packet, memory_.begin() + kHeadroom);
    std::uint8_t* data = memory_.data() + kHeadroom;
    std::fill(data - arrival.earlier_metadata, data, kEarlierByte);
    context.data = reinterpret_cast<lb_u64>(data);
    context.data_end = context.data + packet.size();
    // A driver without room says so by metadata that begins behind the packet's first byte.
    context.data_meta =
        arrival.has_metadata_room ? context.data - arrival.earlier_metadata : context.data + 1;
    context.ingress_ifindex = arrival.interface_index;
    context.rx_queue_index = arrival.queue;
    guard();
  }
  ~Frame() { ASAN_UNPOISON_MEMORY_REGION(memory_.data(), kHeadroom); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  /// The headroom is closed up to the metadata.
  void guard() noexcept {
    ASAN_UNPOISON_MEMORY_REGION(memory_.data(), kHeadroom);
    ASAN_POISON_MEMORY_REGION(memory_.data(), kHeadroom - metadata_bytes());
  }
  std::size_t metadata_bytes() const noexcept {
    return context.data_meta > context.data ? 0 : context.data - context.data_meta;
  }
  Bytes metadata() const {
    const auto begin = memory_.begin() + kHeadroom;
    return {begin - static_cast<long>(metadata_bytes()), begin};
  }
  Bytes packet() const { return {memory_.begin() + kHeadroom, memory_.end()}; }

  lb_native_context context{};

 private:
  Bytes memory_;
};

/// One packet that is inside the program.
struct Visit {
  Hook::State& state;
  const Arrival& arrival;
  Frame& frame;
  std::optional<std::uint32_t> slot{};
};

thread_local Visit* current = nullptr;
thread_local std::function<void()> schedule_point_of_thread;

/// What others may change meanwhile.
void before_shared_access() {
  lb_native_schedule_point();
}

}  // namespace

struct Hook::State {
  explicit State(const Capacity& capacity) {
    std::map<std::string, sys::Fd> descriptors;
    for (const lb_native_map& declared : lb_native_maps) {
      maps.push_back(make_map(declared, entries_of(declared, capacity)));
      sys::Fd descriptor = maps.back()->duplicate_descriptor();
      announcements.push_back(std::make_unique<Announcement>(descriptor.get(), *maps.back()));
      descriptors.emplace(declared.name, std::move(descriptor));
    }
    view = std::make_unique<hook::Maps>(std::move(descriptors));
    share_memory();
  }

  Map& map_named(std::string_view name) const {
    for (const auto& map : maps)
      if (map->declared().name == name) return *map;
    throw std::invalid_argument("the hook has no map " + std::string(name));
  }
  Map& map_declared(const void* declaration) const noexcept {
    return **std::ranges::find(maps, declaration,
                               [](const auto& map) { return map->declared().declaration; });
  }

  /// The program uses the memory where the receiver sees it: a sanitizer of threads goes by
  /// address.
  void share_memory() {
    const auto see = [this](const char* name, void* base) {
      static_cast<ArrayMap&>(map_named(name)).see_at(base);
    };
    see("config", &view->config());
    see("flows", view->flows().data());
    see("streams", view->streams().data());
    see("framings", view->framings().data());
    see("windows", view->windows().data());
    see("marks", &view->mark(0, 0));
    see("credits", &view->credit(0));
    see("counters", &view->counters(0, 0, 0));
    see("skews", &view->skew(0, 0));
  }

  std::vector<std::unique_ptr<Map>> maps;
  std::unique_ptr<hook::Maps> view;
  /// Last: they end before the descriptors are closed, whose numbers then may be somebody else's.
  std::vector<std::unique_ptr<Announcement>> announcements;
};

Hook::Hook(const Capacity& capacity) : state_(std::make_unique<State>(capacity)) {}

Hook::~Hook() = default;

const hook::Maps& Hook::maps() const noexcept {
  return *state_->view;
}

bool Hook::has_socket(std::uint32_t slot) const noexcept {
  return state_->map_named("xsks_map").lookup(slot) != nullptr;
}

std::size_t Hook::seen_sessions() const noexcept {
  return state_->map_named("seen_sessions").size();
}

Outcome Hook::run(std::span<const std::uint8_t> packet, const Arrival& arrival) {
  Frame frame(packet, arrival);
  Visit visit{*state_, arrival, frame};
  current = &visit;
  const int action = lb_native_program(&frame.context);
  current = nullptr;
  return {.action = static_cast<std::uint32_t>(action),
          .slot = action == XDP_REDIRECT ? visit.slot : std::nullopt,
          .metadata = frame.metadata(),
          .packet = frame.packet()};
}

void set_schedule_point(std::function<void()> schedule_point) {
  schedule_point_of_thread = std::move(schedule_point);
}

}  // namespace linearb::test::native

using namespace linearb::test::native;

extern "C" {

/// Other fibers of the thread may visit meanwhile: what is current is each fiber's own.
void lb_native_schedule_point(void) {
  if (!schedule_point_of_thread) return;
  Visit* const mine = current;
  schedule_point_of_thread();
  current = mine;
}
void lb_native_access(lb_u32, const lb_u64*, lb_u64) {
  lb_native_schedule_point();
}

void* lb_native_lookup(const void* declaration, const void* key) {
  Map& map = current->state.map_declared(declaration);
  if (map.declared().type != BPF_MAP_TYPE_ARRAY) before_shared_access();
  return map.lookup(*static_cast<const lb_u32*>(key));
}

long lb_native_update(const void* declaration, const void* key, const void* value, lb_u64 flags) {
  before_shared_access();
  return current->state.map_declared(declaration)
      .update(*static_cast<const lb_u32*>(key), value, flags);
}

/// The low bits of the flags are the action for a slot without a socket.
long lb_native_redirect(const void* declaration, lb_u32 key, lb_u64 flags) {
  before_shared_access();
  if (!current->state.map_declared(declaration).lookup(key))
    return static_cast<long>(flags & (XDP_TX | XDP_PASS));
  current->slot = key;
  return XDP_REDIRECT;
}

/// As bpf_xdp_adjust_meta of net/core/filter.c.
long lb_native_adjust_meta(lb_native_context* context, int delta) {
  if (context->data_meta > context->data) return -ENOTSUP;
  const lb_u64 wanted = context->data_meta + static_cast<lb_u64>(static_cast<long>(delta));
  if (wanted > context->data || wanted < context->data - (kHeadroom - kFrameDescription))
    return -EINVAL;
  const lb_u64 bytes = context->data - wanted;
  if (bytes % 4 != 0 || bytes > kMetadataMax) return -EACCES;
  context->data_meta = wanted;
  current->frame.guard();
  return 0;
}

lb_u64 lb_native_time_ns(void) {
  return current->arrival.now_ns;
}

lb_u32 lb_native_cpu(void) {
  return current->arrival.cpu;
}

}  // extern "C"
