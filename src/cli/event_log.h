// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "linearb/event.h"

namespace linearb::cli {

/// How many lines of a kind of which there can be millions a terminal gets in a second.
class LineLimit {
 public:
  static constexpr std::uint32_t kLinesPerSecond = 20;

  /// Whether one more may be shown at that time.
  bool allows(std::uint64_t now_ns) noexcept;
  /// How many were not, since this was asked last.
  std::uint64_t take_left_out() noexcept;

 private:
  std::uint64_t second_ = 0;
  std::uint32_t shown_ = 0;
  std::uint64_t left_out_ = 0;
};

/// Where the command line tells events: as a line for people on stderr, and all of them as JSON, an
/// object a line, in a file. Any thread.
class EventLog {
 public:
  enum class Shows {
    events,
    nothing  ///< on stderr
  };

  /// Goes on behind what is in the file. An empty path: without a file. Throws UsageError when it
  /// cannot be opened.
  explicit EventLog(std::string path, Shows shows = Shows::events);

  void tell(const Event& event) noexcept;
  /// The file may have been moved away: what comes from here on goes to one of its name. Throws
  /// UsageError when that cannot be opened; then it goes where it went.
  void reopen();
  /// Says what was left out of the lines for people, if anything was. Returns why the file could
  /// not be written on; empty: it was.
  std::string finish() noexcept;

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  static File open(const std::string& path);
  void write(const Event& event);
  void show(const Event& event);
  void show_left_out();

  std::mutex mutex_;
  std::string path_;
  Shows shows_;
  File file_;  ///< null: there is none, or it failed
  std::string error_;
  LineLimit limit_;
};

}  // namespace linearb::cli
