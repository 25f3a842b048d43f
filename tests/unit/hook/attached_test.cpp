// SPDX-License-Identifier: Apache-2.0
#include "hook/attached.h"

#include <gtest/gtest.h>

#include "core/layout.h"

namespace linearb::hook {
namespace {

TEST(LayoutVersion, StandsInTheNameOfTheProgram) {
  const struct {
    const char* name;
    std::optional<std::uint32_t> version;
  } rows[] = {
      {LB_TEXT(LB_HOOK_FUNCTION), LB_LAYOUT_VERSION},
      {"linearb_v1", 1},
      {"linearb_v120", 120},
      {"linearb_v", std::nullopt},
      {"linearb_v2x", std::nullopt},
      {"linearb_vx", std::nullopt},
      {"linearb_v-1", std::nullopt},
      {"linearb_v99999999999", std::nullopt},
      {"linearb", std::nullopt},
      {"xlinearb_v2", std::nullopt},
      {"xdp_dispatcher", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& row : rows) EXPECT_EQ(layout_version_of(row.name), row.version) << row.name;
}

/// The kernel keeps fifteen letters of a program's name.
TEST(LayoutVersion, FitsTheNameThatTheKernelKeeps) {
  EXPECT_LE(std::string_view(LB_TEXT(LB_HOOK_FUNCTION)).size(), 15u);
}

TEST(Program, IsNamedAlsoWhenItHasNoName) {
  Program program;
  EXPECT_EQ(program.title(), "without a name");
  program.name = "test";
  EXPECT_EQ(program.title(), "test");
}

}  // namespace
}  // namespace linearb::hook
