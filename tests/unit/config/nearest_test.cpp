// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace linearb::config {
namespace {

const std::vector<std::string> kModes{"auto", "native", "generic"};

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest_name("natve", kModes), "native");
  EXPECT_EQ(nearest_name("genreic", kModes), "generic");
  EXPECT_EQ(nearest_name("native", kModes), "native");
}

TEST(Nearest, DoesNotGuess) {
  EXPECT_EQ(nearest_name("zero-copy", kModes), std::nullopt);
  // Two letters of two are another word, not a slip.
  EXPECT_EQ(nearest_name("xy", std::vector<std::string>{"ab"}), std::nullopt);
  EXPECT_EQ(nearest_name("", kModes), std::nullopt);
  EXPECT_EQ(nearest_name("native", {}), std::nullopt);
}

TEST(Nearest, TheFirstOfEqualsWins) {
  EXPECT_EQ(nearest_name("line", std::vector<std::string>{"lines", "fine"}), "lines");
}

TEST(Nearest, ListsWhatThereIsWhenNothingIsNear) {
  EXPECT_EQ(suggest_name("natve", kModes), "did you mean \"native\"?");
  EXPECT_EQ(suggest_name("fastest", kModes), "it can be auto, native, generic");
}

}  // namespace
}  // namespace linearb::config
