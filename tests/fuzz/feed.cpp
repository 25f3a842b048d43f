// SPDX-License-Identifier: Apache-2.0
//
// What networks do to the lines of a feed: losses, repeats, other packets on each line, restarts.
// The story (unit/sequencer/story.h) is the plain reference: it knows what was sent, so it knows
// what has to be delivered, and which gaps there are.
#include <cstdio>
#include <string>

#include "fuzz/fuzz.h"
#include "unit/sequencer/story.h"

namespace linearb::fuzz {
namespace {

using namespace std::chrono_literals;
using sequencer::test::LineScript;
using sequencer::test::Story;

constexpr std::uint64_t kMessages = 400;  // of each life
constexpr std::uint64_t kFirst = 1;
/// A line that loses the end of one life and the beginning of the next looks as if it had gone on:
/// nobody can tell, so the first and the last messages are not lost.
constexpr std::uint64_t kNeverLost = 64;

bool may_be_lost(std::uint64_t first, std::uint64_t last) {
  return first >= kFirst + kNeverLost && last + kNeverLost < kFirst + kMessages;
}

/// One life on one line: each byte is what becomes of the next packet.
void send_life(Input& input, LineScript& line) {
  for (std::uint64_t number = kFirst; number < kFirst + kMessages;) {
    const std::uint8_t how = input.byte();
    const std::uint64_t last =
        std::min(kFirst + kMessages - 1, number + (how & 7) * (how & 0x80 ? 8u : 1u));
    line.packs(static_cast<std::uint32_t>(last - number + 1)).every(50us);
    switch (how >> 3 & 15) {
      case 1:
        may_be_lost(number, last) ? line.loses(number, last) : line.sends(number, last);
        break;
      case 2:
        line.sends(number, last).sends(number, last);
        break;
      case 3:
        line.waits(std::chrono::microseconds(input.byte())).sends(number, last);
        break;
      default:
        line.sends(number, last);
    }
    number = last + 1;
  }
}

}  // namespace
}  // namespace linearb::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linearb::fuzz;
  Input input(data, size);
  const std::uint8_t plan = input.byte();
  const unsigned lines = 2 + (plan & 1);
  const unsigned lives = 1 + (plan >> 1 & 3);
  Story story("moldudp64", lines);
  for (unsigned i = 0; i < lines; ++i) {
    LineScript& line = story.line(i);
    if (i > 0) line.waits(std::chrono::microseconds(100 * input.byte()));
    for (unsigned life = 1; life <= lives; ++life) {
      if (life > 1) line.waits(100ms);
      if (life > 1) plan & 8 ? line.opens_session(std::to_string(life)) : line.restarts();
      send_life(input, line);
    }
  }
  if (plan & 16) story.put_hook_in_front(1 + input.below(30));
  story.play();
  const std::string complaint = story.complaint();
  if (!complaint.empty()) std::fputs(complaint.c_str(), stderr);
  require(complaint.empty(), "what came on any line is delivered once, and the gaps are told");
  return 0;
}
