// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "feeder/impairment.h"
#include "linearb/options.h"

namespace linearb::soak {

/// A place in the feed: messages of one channel since its beginning, whatever their numbers.
/// All channels are about as far.
using Position = std::uint64_t;

struct Stretch {
  Position begin = 0;
  Position end = 0;
};

/// What one line makes of the feed.
struct LineHabits {
  std::uint32_t cut = 1;  ///< messages in a packet
  Position lag = 0;       ///< so far behind the first line
  /// Loss, bursts, duplicates and reordering. Time has no part in it: nothing is scheduled.
  feeder::LineImpairment impairment;
  std::vector<Stretch> silent;  ///< where it sends nothing
  /// Else it sends whether or not there is credit, once its channel is published.
  bool waits_for_room = true;
  std::uint32_t poison_one_in = 0;  ///< packets; 0: never
};

/// What is done to the receiver while the feed runs.
struct Disturbance {
  enum class Kind {
    stopped,  ///< the process stands still, and goes on
    killed,   ///< it is gone without a word, and another one starts
    ended,    ///< it ends as it should, and another one starts
  };
  Kind kind = Kind::stopped;
  Stretch where;  ///< from about here to about there
};

/// One numbering of every channel.
struct Life {
  std::uint64_t first = 1;  ///< number
  std::string session;      ///< where the framing has one
};

/// One world of the soak: what is sent, on which lines, to whom. All of it follows from the seed.
struct Scenario {
  std::string name;
  std::uint64_t seed = 0;

  // The receiver.
  Mode mode = Mode::native;
  Wait wait = Wait::poll;
  Order order = Order::arrival;
  std::uint32_t frames = 4096;
  std::uint32_t threads = 1;
  Checksum checksum = Checksum::ignore;
  std::uint32_t slow_ns = 0;  ///< what the application needs for a packet

  // The feed.
  std::string framing = "moldudp64";
  std::uint32_t channels = 1;
  std::vector<Life> lives{{}};
  std::uint64_t messages = 0;        ///< of each life and channel
  std::uint32_t packets_factor = 1;  ///< of the packets that a scenario has
  /// Of each life, all channels together: room for what a seed has happen.
  std::uint64_t messages_least = 20'000;
  bool restarts_in_session = false;
  /// No line has these; on the first channel only.
  Stretch hole{};

  // The lines.
  std::vector<LineHabits> lines{2};
  std::uint32_t senders = 1;  ///< threads on CPUs of their own; line i is sent by i % senders
  std::uint32_t block = 64;   ///< packets of one line between two looks at the others
  std::uint32_t batch = 64;   ///< frames that the kernel makes at a time

  std::vector<Disturbance> disturbances{};

  Position end() const noexcept { return messages * lives.size(); }
};

/// Every kind of scenario, and what it is.
struct Kind {
  std::string_view name;
  std::string_view what;
};
std::vector<Kind> kinds();

/// The scenario of a seed. An empty name leaves the kind to the seed; `packets` is about how many
/// it has on all lines together where they are fast. Throws UsageError for an unknown name.
Scenario draw(std::uint64_t seed, std::string_view name, std::uint64_t packets);

/// All parameters on one line.
std::string describe(const Scenario& scenario);

}  // namespace linearb::soak
