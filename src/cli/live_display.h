// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace linearb::cli {

/// Shows a few lines of text while something runs: on a terminal they are redrawn in place, ten
/// times a second; elsewhere the first of them is written once a second.
///
/// It writes to stderr, and takes what it drew away again when it ends.
class LiveDisplay {
 public:
  /// `lines` is called from a thread of its own until the display is destroyed.
  explicit LiveDisplay(std::function<std::vector<std::string>()> lines);
  ~LiveDisplay() = default;
  LiveDisplay(const LiveDisplay&) = delete;
  LiveDisplay& operator=(const LiveDisplay&) = delete;

 private:
  void run(const std::stop_token& ended);

  std::function<std::vector<std::string>()> lines_;
  std::jthread thread_;  // last: it uses the members above
};

/// What a terminal is sent to put `lines` in the place of the `drawn` lines above the cursor.
std::string redraw_text(std::size_t drawn, const std::vector<std::string>& lines);

}  // namespace linearb::cli
