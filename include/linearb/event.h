// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace linearb {

/// Something that happened to a line beside its packets, when a receiver begins or while it runs;
/// or what the receiver before it left for a channel.
struct Event {
  enum class Kind {
    line_gone,      ///< its interface was removed; the other lines go on
    line_back,      ///< an interface of that name is there again, and is received from
    line_renewed,   ///< its sockets were dead, and were opened again
    line_down,      ///< its interface was set down, or
    line_up,        ///< up again
    more_queues,    ///< the interface has more RX queues; they are received from
    losses,         ///< what the hook redirected never came: kernel_lost in the summary
    larger_mtu,     ///< packets may be larger than a frame now; those go to the kernel
    hook_there,     ///< the hook was there when the receiver began, and stays when it ends
    hook_again,     ///< somebody had detached the hook; it is attached again
    hook_foreign,   ///< somebody has put another XDP program in its place: the line is deaf
    too_many_keys,  ///< a channel has no room for another stream: its packets are not delivered
    went_on,        ///< the channel goes on where the receiver before this one was
    in_hand,        ///< that one died when the application had these messages of the channel; they
                    ///< are delivered again if a line brings them again
    trouble,        ///< what was to be done about one of the above has failed, and is tried again
  };

  Kind kind = Kind::trouble;
  std::string lines;        ///< those on the interface: "A", "A, B"
  std::string interface;    ///< its name
  std::string text;         ///< one line for people that says all of it
  std::string channel{};    ///< too_many_keys, went_on, in_hand: its name; then there is no line
  std::uint64_t first = 0;  ///< in_hand: messages [first, first + count)
  std::uint64_t count = 0;
};

/// Told by the constructor, then on a thread of the receiver's own; it may take its time, but
/// delays what follows.
using OnEvent = std::function<void(const Event&)>;

}  // namespace linearb
