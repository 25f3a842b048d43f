// SPDX-License-Identifier: Apache-2.0
#include "cli/event_log.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "linearb/error.h"
#include "report/json.h"

namespace linearb::cli {
namespace {

/// Those that a feed can bring by the million, or that every start brings.
bool is_of_feed(Event::Kind kind) {
  return kind == Event::Kind::gap || kind == Event::Kind::late_repair ||
         kind == Event::Kind::epoch || kind == Event::Kind::line_state ||
         kind == Event::Kind::divergent;
}

/// The terminal may be gone: nobody is told then.
void print(const std::string& line) {
  std::fputs(fmt::format("linearb: {}\n", line).c_str(), stderr);
}

}  // namespace

bool LineLimit::allows(std::uint64_t now_ns) noexcept {
  const std::uint64_t second = now_ns / 1'000'000'000;
  if (std::exchange(second_, second) != second) shown_ = 0;
  if (shown_ < kLinesPerSecond) return ++shown_, true;
  ++left_out_;
  return false;
}

std::uint64_t LineLimit::take_left_out() noexcept {
  return std::exchange(left_out_, 0);
}

EventLog::EventLog(std::string path, Shows shows) : path_(std::move(path)), shows_(shows) {
  if (!path_.empty()) file_ = open(path_);
}

EventLog::File EventLog::open(const std::string& path) {
  File file(std::fopen(path.c_str(), "ae"));
  if (!file)
    throw UsageError(fmt::format("--events {}: cannot write it: {}", path, std::strerror(errno)));
  return file;
}

void EventLog::reopen() {
  const std::lock_guard lock(mutex_);
  if (!path_.empty() && error_.empty()) file_ = open(path_);
}

void EventLog::tell(const Event& event) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (file_) write(event);
    if (shows_ == Shows::events) show(event);
  } catch (const std::exception&) {  // memory is short
  }
}

void EventLog::write(const Event& event) {
  try {
    report::print_json(file_.get(), report::to_json(event));
  } catch (const Error& error) {
    error_ = fmt::format("--events {}: {}", path_, error.what());
    file_.reset();
    print(error_);
  }
}

/// That a channel's first epoch begins is no news to whoever started it.
void EventLog::show(const Event& event) {
  if (event.kind == Event::Kind::epoch && event.epoch == 1) return;
  if (is_of_feed(event.kind) && !limit_.allows(event.time_ns)) return;
  show_left_out();
  print(event.text);
}

void EventLog::show_left_out() {
  const std::uint64_t left_out = limit_.take_left_out();
  if (left_out > 0)
    print(fmt::format("{} more events{}", left_out,
                      path_.empty() ? "; --events FILE keeps all of them" : ": " + path_));
}

std::string EventLog::finish() noexcept {
  const std::lock_guard lock(mutex_);
  show_left_out();
  return error_;
}

}  // namespace linearb::cli
