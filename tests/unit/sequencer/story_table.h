// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cctype>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "unit/sequencer/story.h"

namespace linearb::sequencer::test {

/// A row of a table of stories. Whatever it tells, each message that came on any line has to be
/// delivered once, every packet counted once, and the gaps reported as they are.
struct Told {
  const char* title;
  void (*tell)(Story&);
  /// What else has to hold, after the end.
  void (*check)(const Story&) = nullptr;
  const char* framing = "moldudp64";
  std::uint32_t lines = 2;
};

inline void PrintTo(const Told& told, std::ostream* out) {
  *out << told.title;
}

inline std::string name_of_test(const testing::TestParamInfo<Told>& info) {
  std::string name;
  bool begins_word = true;
  for (const char* letter = info.param.title; *letter; ++letter) {
    if (std::isalnum(static_cast<unsigned char>(*letter)))
      name += begins_word ? static_cast<char>(std::toupper(*letter)) : *letter;
    begins_word = !std::isalnum(static_cast<unsigned char>(*letter));
  }
  return name;
}

inline void play(const Told& told) {
  Story story(told.framing, told.lines);
  told.tell(story);
  story.play();
  EXPECT_EQ(story.complaint(), "");
  if (told.check) told.check(story);
}

/// The same with most copies dropped before the sequencer sees them: what is delivered, and what is
/// a gap, does not change.
inline void play_behind_hook(const Told& told) {
  Story story(told.framing, told.lines);
  told.tell(story);
  story.put_hook_in_front(1);
  story.play();
  EXPECT_EQ(story.complaint(), "");
}

/// The same in the order of numbers: that changes when something is delivered, and nothing else.
inline void play_in_order(const Told& told) {
  Story story(told.framing, told.lines);
  told.tell(story);
  story.put_in_order();
  story.play();
  EXPECT_EQ(story.complaint(), "");
}

}  // namespace linearb::sequencer::test
