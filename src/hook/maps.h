// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/layout.h"
#include "framing/framing.h"
#include "sys/fd.h"
#include "sys/mapped_memory.h"

namespace linearb::hook {

/// The map of lb_memory, one a channel. The hook's object has none: it is made for a hook that is
/// to outlive its receivers.
inline constexpr const char* kMemories = "memories";

/// The maps that the hook and the receiver share. The arrays are memory: reading a counter,
/// returning a credit or publishing a channel is a load or a store, not a system call.
///
/// What may be written by whom stands at each value in core/layout.h. The views live as long as
/// this object.
class Maps {
 public:
  /// Takes the descriptors of all maps of one hook, by name; `memories` alone need not be there.
  /// Throws Error when one is missing or has another layout than this build.
  explicit Maps(std::map<std::string, sys::Fd> descriptors);

  lb_config& config() const noexcept { return config_.front(); }
  std::span<lb_flow_bucket> flows() const noexcept { return flows_; }
  std::span<lb_stream_bucket> streams() const noexcept { return streams_; }
  std::span<lb_framing> framings() const noexcept { return framings_; }
  std::span<lb_channel> windows() const noexcept { return windows_; }
  /// Of what was delivered, by channel; none where the hook has no memory.
  std::span<lb_memory> memories() const noexcept { return memories_; }
  lb_mark& mark(std::uint32_t channel, std::uint32_t line) const noexcept {
    return marks_[channel * LB_LINES_MAX + line];
  }
  lb_credit& credit(std::uint32_t slot) const noexcept { return credits_[slot]; }
  lb_counters& counters(std::uint32_t bank, std::uint32_t line, std::uint32_t cpu) const noexcept {
    return counters_[(bank * LB_LINES_MAX + line) * LB_CPUS_MAX + cpu];
  }
  lb_histogram& skew(std::uint32_t bank, std::uint32_t line) const noexcept {
    return skews_[bank * LB_LINES_MAX + line];
  }
  std::uint32_t flow_buckets() const noexcept {
    return static_cast<std::uint32_t>(flows_.size()) / LB_FLOW_TABLES;
  }

  /// Puts a socket into its slot: from here on the hook redirects to it. Throws Error.
  void set_socket(std::uint32_t slot, int socket_fd) const;
  /// Empties a slot; one that is empty already is no error.
  void clear_socket(std::uint32_t slot) const noexcept;
  /// What is no flow on this interface is counted on this line. Throws Error.
  void set_interface(std::uint32_t interface_index, std::uint32_t line) const;
  /// One that is not there is no error.
  void clear_interface(std::uint32_t interface_index) const noexcept;
  void clear_interfaces() const noexcept;
  /// How many identifiers it has room for.
  std::uint32_t identifiers() const;
  /// Forgets every identifier of dedup = "lru".
  void clear_seen_sessions() const noexcept;

  /// Takes one map more, which is not of the hook's object. Throws Error.
  void add_memories(sys::Fd memories);
  /// A program keeps what is bound to it, and tells the next receiver of it. Throws Error.
  void bind_memories(const sys::Fd& program) const;

  /// Pins each map by its name. Throws Error.
  void pin(const std::string& directory) const;

  /// The number that the kernel gave the config map: the same for every view of one hook.
  std::uint32_t identity() const;

 private:
  template <class Value>
  std::span<Value> map_array(const char* name);
  int fd(const char* name) const;

  std::map<std::string, sys::Fd> descriptors_;
  std::vector<sys::MappedMemory> memory_;
  std::span<lb_config> config_;
  std::span<lb_flow_bucket> flows_;
  std::span<lb_stream_bucket> streams_;
  std::span<lb_framing> framings_;
  std::span<lb_channel> windows_;
  std::span<lb_mark> marks_;
  std::span<lb_credit> credits_;
  std::span<lb_counters> counters_;
  std::span<lb_histogram> skews_;
  std::span<lb_memory> memories_;
};

}  // namespace linearb::hook
