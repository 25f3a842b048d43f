// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Texts of framing files, with one thing changed, and what is said about them.

#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "support/error_text.h"

namespace linearb::config::test {

/// What parse_framing says when it refuses the text.
inline std::string refusal(const std::string& toml) {
  return linearb::test::error_text([&] { parse_framing(toml, "feed.toml"); });
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t place = text.find(from);
  EXPECT_NE(place, text.npos) << from;
  return text.replace(place, from.size(), to);
}

/// A change to a text that is right, with which it is refused.
struct Refused {
  const char* what;
  const char* from;  ///< in the text
  const char* to;
  const char* message;  ///< has to be part of what is said
};

/// For the list of ctest: bytes of pointers change from run to run.
inline void PrintTo(const Refused& refused, std::ostream* out) {
  *out << refused.what;
}

}  // namespace linearb::config::test
