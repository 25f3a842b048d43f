// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What each venue says beside its data, told as what one of its lines carries, and what has to
/// come of it: whatever the venue says, nothing takes the place of a message that was lost, the
/// next message is delivered, and what comes once more on the other line changes nothing.

#include <chrono>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/packet.h"

namespace linearb::test {

struct VenueStep {
  enum class Is {
    data,     ///< messages that have numbers: the hook may claim them
    lost,     ///< the same, and it does not come to this machine
    control,  ///< says something of the numbers, and has no message with one
    message,  ///< has such a message, and is no data all the same: a reset, what is sent again
    noise,    ///< nothing of the feed
  };
  Is is;
  Bytes payload;
  std::uint64_t time_ns;  ///< after the first
};

/// One line of a venue's feed.
class VenueLine {
 public:
  explicit VenueLine(unsigned index) : time_(1000 * (index + 1)) {}

  VenueLine& data(Bytes payload) { return add(VenueStep::Is::data, std::move(payload)); }
  VenueLine& loses(Bytes payload) { return add(VenueStep::Is::lost, std::move(payload)); }
  VenueLine& says(Bytes payload) { return add(VenueStep::Is::control, std::move(payload)); }
  VenueLine& says_in_message(Bytes payload) {
    return add(VenueStep::Is::message, std::move(payload));
  }
  VenueLine& sends_again(Bytes payload) { return add(VenueStep::Is::message, std::move(payload)); }
  VenueLine& carries_noise(Bytes payload) { return add(VenueStep::Is::noise, std::move(payload)); }
  VenueLine& waits(std::chrono::nanoseconds time) {
    return now_ns_ += static_cast<std::uint64_t>(time.count()), *this;
  }
  /// A time of sending: of each packet, and of each line, another one.
  std::uint64_t time() { return ++time_; }

  const std::vector<VenueStep>& steps() const { return steps_; }

 private:
  VenueLine& add(VenueStep::Is is, Bytes payload) {
    steps_.push_back({is, std::move(payload), now_ns_ += 100'000});
    return *this;
  }

  std::vector<VenueStep> steps_;
  std::uint64_t now_ns_ = 0;
  std::uint64_t time_;
};

struct VenueStory {
  const char* framing;
  const char* title;
  void (*tell)(VenueLine&);
  /// By epochs, where both lines carry that: "1: 1-3 5-6; 2: 1".
  const char* delivered;
  const char* missing = "";
  unsigned unsequenced = 0;  ///< packets without numbers, which every line delivers
};

std::span<const VenueStory> venue_stories();
inline std::vector<VenueStep> steps_on(unsigned line, const VenueStory& story) {
  VenueLine told(line);
  story.tell(told);
  return told.steps();
}

inline void PrintTo(const VenueStory& story, std::ostream* out) {
  *out << story.framing << ": " << story.title;
}
/// "OpraV6ALineIntegrityHasTheLastNumber".
std::string name_of_story(const VenueStory& story);

}  // namespace linearb::test
