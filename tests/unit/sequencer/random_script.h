// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iosfwd>
#include <vector>

#include <rapidcheck.h>

#include "unit/sequencer/story.h"

/// Feeds for RapidCheck: what every packet of every line is, and when it comes. One that breaks a
/// property is made smaller, packet by packet, as long as it still does; what is left is printed.
namespace linearb::sequencer::test {

/// How the next life of the feed begins.
enum class Renewal {
  none,     ///< there is one life
  session,  ///< with a new session
  restart,  ///< the numbers go back to 1
  reset,    ///< a packet says so, that has a number and messages of its own, or neither
};

/// What may happen to a feed; the rest is drawn.
struct Weather {
  Renewal renewal = Renewal::none;
  /// Nothing comes so late that nobody waits for it any more: all lines are there from the start,
  /// and never silent for long; what is reordered comes within the allowance; nothing is sent
  /// again.
  bool is_punctual = false;
};

/// A packet, in the order in which they come.
struct Step {
  Sent sent;
  /// Without it nobody could tell what the line says from then on, by numbers alone.
  bool is_needed = false;
};

struct Script {
  Renewal renewal = Renewal::none;
  std::uint32_t lines = 1;
  std::vector<Step> steps;
};

/// Of up to so many messages in a life as the size says. Smaller ones have fewer lines, lives or
/// packets: a packet that is missing is one that was lost.
rc::Gen<Script> scripts(const Weather& weather);

/// "+1250us B life 2: 17-20"; readable, for whoever looks for the cause.
std::ostream& operator<<(std::ostream& out, const Script& script);

}  // namespace linearb::sequencer::test
