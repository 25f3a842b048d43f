// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace linearb {

/// How a line of a channel is doing, compared with the other lines.
enum class LineState {
  up,
  degraded,  ///< it has lost messages in the last ten seconds
  silent,    ///< it brings nothing, and others do, or the feed should
  down,      ///< its interface is down, or gone
  back,      ///< it was silent or down, and brings something again since less than ten seconds
};

/// Something that happened to a line or a channel beside the messages that are delivered, when a
/// receiver begins or while it runs; or what the receiver before it left for a channel.
struct Event {
  enum class Kind {
    line_gone,      ///< its interface was removed; the other lines go on
    line_back,      ///< an interface of that name is there again, and is received from
    line_renewed,   ///< its sockets were dead, and were opened again
    line_down,      ///< its interface was set down, or
    line_up,        ///< up again
    more_queues,    ///< the interface has more RX queues; they are received from
    losses,         ///< what the hook redirected never came: kernel_lost in the summary
    unguarded,      ///< generic mode, several threads, and a kernel that may mix up their frames
    larger_mtu,     ///< packets may be larger than a frame now; those go to the kernel
    hook_there,     ///< the hook was there when the receiver began, and stays when it ends
    hook_again,     ///< somebody had detached the hook; it is attached again
    hook_foreign,   ///< somebody has put another XDP program in its place: the line is deaf
    too_many_keys,  ///< a channel has no room for another stream: its packets are not delivered
    went_on,        ///< the channel goes on where the receiver before this one was
    in_hand,        ///< that one died when the application had these messages of the channel; they
                    ///< are delivered again if a line brings them again
    trouble,        ///< what was to be done about one of the above has failed, and is tried again
    gap,            ///< messages that no line delivered, and every line that lives has passed
    late_repair,    ///< they were told as a gap, and are delivered after all
    epoch,          ///< the numbers of the channel begin, or begin anew, with `first`
    line_state,     ///< a line of the channel is in another state
    divergent,      ///< a line brought other bytes under `count` numbers from `first` on
    events_lost,  ///< `count` events that there was no room for; never a gap while the run goes on
  };

  Kind kind = Kind::trouble;
  std::string lines;        ///< those on the interface: "A", "A, B"; of a channel's event the line
  std::string interface;    ///< its name
  std::string text;         ///< one line for people that says all of it
  std::string channel{};    ///< its name, with the key of its stream: "optiq", "pitch/3"
  std::uint64_t first = 0;  ///< in_hand, gap, late_repair, divergent: so many messages from
  std::uint64_t count = 0;  ///< this one on; epoch: its first one; events_lost: how many
  std::uint64_t epoch = 0;  ///< gap, late_repair, epoch, divergent: of the channel, from 1
  LineState state = LineState::up;   ///< line_state
  std::uint32_t channel_number = 0;  ///< of those of a channel from gap on: Delivery::channel,
  std::uint64_t key = 0;             ///< and Delivery::key
  std::uint64_t time_ns = 0;         ///< when it was found out: CLOCK_REALTIME
};

/// "gap", "late_repair": as the files of --events have it.
constexpr const char* name_of(Event::Kind kind) noexcept {
  constexpr std::array kNames = {
      "line_gone",     "line_back",  "line_renewed", "line_down",  "line_up",    "more_queues",
      "losses",        "unguarded",  "larger_mtu",   "hook_there", "hook_again", "hook_foreign",
      "too_many_keys", "went_on",    "in_hand",      "trouble",    "gap",        "late_repair",
      "epoch",         "line_state", "divergent",    "events_lost"};
  static_assert(kNames.size() == static_cast<std::size_t>(Event::Kind::events_lost) + 1);
  return kNames[static_cast<std::size_t>(kind)];
}

/// "up", "silent".
constexpr const char* name_of(LineState state) noexcept {
  constexpr std::array kNames = {"up", "degraded", "silent", "down", "back"};
  static_assert(kNames.size() == static_cast<std::size_t>(LineState::back) + 1);
  return kNames[static_cast<std::size_t>(state)];
}

/// Told by the constructor, then on a thread of the receiver's own, and what the end of the run
/// brings on the one that calls run(). It may take its time, but delays what follows; it may call
/// Receiver::inject; an exception of its own is caught.
///
/// A gap is told within some milliseconds once every line that lives has passed it, or when it is
/// a second old. Gaps are told as long as Dedup is window; so are epochs and states of lines.
using OnEvent = std::function<void(const Event&)>;

}  // namespace linearb
