// SPDX-License-Identifier: Apache-2.0
#include "cli/unknown_name.h"

#include <gtest/gtest.h>

namespace linearb::cli {
namespace {

/// What is said about a command line that was refused.
std::optional<std::string> said(const std::string& words) {
  CLI::App app;
  app.require_subcommand(1);
  CLI::App* lab = app.add_subcommand("lab");
  lab->require_subcommand(1);
  CLI::App* up = lab->add_subcommand("up");
  unsigned lines = 0;
  up->add_option("--lines", lines);
  EXPECT_THROW(app.parse(words), CLI::ParseError);
  return describe_unknown_name(app);
}

TEST(UnknownName, OfACommand) {
  EXPECT_EQ(said("lba up"), "there is no command \"lba\"; did you mean \"lab\"?");
  EXPECT_EQ(said("lab upp"), "there is no command \"upp\"; did you mean \"up\"?");
  EXPECT_EQ(said("everything"), "there is no command \"everything\"; it can be lab");
}

TEST(UnknownName, OfAnOption) {
  EXPECT_EQ(said("lab up --line=3"), "there is no option \"--line\"; did you mean \"--lines\"?");
}

TEST(UnknownName, AWordWhereNoneIsTaken) {
  EXPECT_EQ(said("lab up now"), "up takes no \"now\"");
}

TEST(UnknownName, NothingToSayWhenEveryWordIsKnown) {
  EXPECT_EQ(said("lab up --lines many"), std::nullopt);
  EXPECT_EQ(said("lab"), std::nullopt);
}

}  // namespace
}  // namespace linearb::cli
