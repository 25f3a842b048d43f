// SPDX-License-Identifier: Apache-2.0
#include "sequencer/feed_event.h"

#include <array>

#include <fmt/format.h>

namespace linearb::sequencer {
namespace {

/// "message 5", "messages 5 to 7".
std::string messages_text(const Notice& notice) {
  if (notice.count == 1) return fmt::format("message {}", notice.first);
  return fmt::format("messages {} to {}", notice.first, notice.first + notice.count - 1);
}

/// By condition.
constexpr std::array kMeanings = {"is up, without a loss for a while",
                                  "is degraded: it loses messages", "is silent: it brings nothing",
                                  "is down, as its interface is", "is back"};

Event::Kind kind_of(Notice::Kind kind) noexcept {
  constexpr std::array kKinds = {Event::Kind::gap, Event::Kind::late_repair, Event::Kind::epoch,
                                 Event::Kind::line_state, Event::Kind::divergent};
  return kKinds[static_cast<std::size_t>(kind)];
}

std::string text_of(const Notice& notice, const std::string& line) {
  switch (notice.kind) {
    case Notice::Kind::gap:
      return fmt::format("no line brought {} (epoch {})", messages_text(notice), notice.epoch);
    case Notice::Kind::late_repair:
      return fmt::format("{} of a gap came after all{}{} (epoch {})", messages_text(notice),
                         line.empty() ? "" : ", on line ", line, notice.epoch);
    case Notice::Kind::epoch:
      return fmt::format("epoch {} begins with message {}", notice.epoch, notice.first);
    case Notice::Kind::divergent:
      return fmt::format("line {} brought other bytes under message {}{} (epoch {})", line,
                         notice.first, notice.count == 1 ? "" : " and others", notice.epoch);
    case Notice::Kind::line:
      return fmt::format("line {} {}", line, kMeanings[static_cast<std::size_t>(notice.condition)]);
  }
  return {};
}

}  // namespace

Event feed_event(const Notice& notice, const std::string& channel, const std::string& line,
                 std::uint64_t time_ns) {
  Event event;
  event.kind = kind_of(notice.kind);
  event.lines = line;
  event.text = fmt::format("channel {}: {}", channel, text_of(notice, line));
  event.channel = channel;
  event.first = notice.first;
  event.count = notice.count;
  event.epoch = notice.epoch;
  event.state = notice.condition;
  event.time_ns = time_ns;
  return event;
}

}  // namespace linearb::sequencer
