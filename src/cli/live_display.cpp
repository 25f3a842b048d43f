// SPDX-License-Identifier: Apache-2.0
#include "cli/live_display.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace linearb::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRedrawInterval{100};
constexpr milliseconds kPlainInterval{1000};

/// Sleeps, but not beyond the end. Returns false when it has come.
bool sleep_unless(const std::stop_token& ended, milliseconds interval) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, ended, interval, [] { return false; });
  return !ended.stop_requested();
}

}  // namespace

// ECMA-48, section 8.3: CSI n A is cursor up, CSI J erases to the end of the page.
std::string redraw_text(std::size_t drawn, const std::vector<std::string>& lines) {
  std::string text = drawn ? fmt::format("\x1b[{}A\r\x1b[J", drawn) : "";
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

LiveDisplay::LiveDisplay(std::function<std::vector<std::string>()> lines)
    : lines_(std::move(lines)), thread_([this](const std::stop_token& ended) { run(ended); }) {}

void LiveDisplay::run(const std::stop_token& ended) {
  if (!::isatty(STDERR_FILENO)) {
    while (sleep_unless(ended, kPlainInterval)) fmt::print(stderr, "{}\n", lines_().front());
    return;
  }
  std::size_t drawn = 0;
  do {
    std::vector<std::string> lines = lines_();
    fmt::print(stderr, "{}", redraw_text(drawn, lines));
    drawn = lines.size();
  } while (sleep_unless(ended, kRedrawInterval));
  fmt::print(stderr, "{}", redraw_text(drawn, {}));
}

}  // namespace linearb::cli
