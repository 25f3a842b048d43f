// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Real captures of exchanges. They stand beside the project, not in it: each keeps its own
/// licence. A test that wants one is skipped with a word where they are not.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace linearb::test {

inline std::filesystem::path captures_directory() {
  return std::filesystem::path(LINEARB_SOURCE_DIR) / ".." / "shared" / "captures";
}

/// The path of a capture ("bats/mcastpitch_realtime_useq.pcap"), or nothing:
///
///   const auto capture = find_capture("mold/mold.sample.dat");
///   if (!capture) GTEST_SKIP() << no_capture("mold/mold.sample.dat");
inline std::optional<std::filesystem::path> find_capture(std::string_view name) {
  auto path = captures_directory() / name;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

inline std::string no_capture(std::string_view name) {
  return "no capture " + (captures_directory() / name).string();
}

}  // namespace linearb::test
