// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "linearb/error.h"
#include "linearb/event.h"
#include "linearb/options.h"
#include "linearb/reloaded.h"
#include "linearb/summary.h"

namespace linearb {

/// The line of a delivery that the application has injected.
inline constexpr std::uint8_t kInjectedLine = kLinesMax;

/// A range of message numbers, [first, first + count).
struct Run {
  std::uint64_t first = 0;
  std::uint32_t count = 0;
};

/// One packet with messages that were not delivered before. Everything in it points into the
/// frame that the kernel wrote: it is valid until the callback returns, and nothing is copied.
///
/// In Order::sequence a packet comes in parts where another one has what is between them, each part
/// with its own `news`; Summary::packets counts it once.
struct Delivery {
  /// Place in ReceiverOptions::channels; those that Receiver::reload adds are counted on, in
  /// their order, and no number is used twice.
  std::uint32_t channel = 0;
  std::uint64_t key = 0;         ///< of its stream, where the framing has a key
  std::uint8_t line = 0;         ///< index into ReceiverOptions::lines, or kInjectedLine
  std::uint64_t epoch = 0;       ///< 0 for unsequenced packets
  std::uint64_t arrival_ns = 0;  ///< CLOCK_MONOTONIC, when the hook saw the packet
  Run range;                     ///< all messages of the packet
  std::span<const Run> news;     ///< those that are new, ascending; the whole range as a rule
  std::span<const std::uint8_t> payload;  ///< of the UDP datagram
  std::span<const std::uint8_t> packet;   ///< from the Ethernet header on

  bool is_whole() const noexcept { return news.size() == 1 && news[0].count == range.count; }
};

/// What a running receiver can tell at any moment, for a display. Counts since the start.
struct Progress {
  std::uint64_t packets = 0;   ///< delivered
  std::uint64_t messages = 0;  ///< delivered
  struct OfLine {
    std::uint64_t packets = 0;
    std::uint64_t won = 0;
    std::uint64_t duplicate = 0;
  };
  std::vector<OfLine> lines;
};

/// Arbitrates the lines of a feed: loads and attaches the hook if none is attached, joins the
/// multicast groups, owns the AF_XDP sockets, and hands each message once to a callback.
///
/// An interface that is removed while it receives is taken back when there is one of its name
/// again; the other lines go on meanwhile.
///
/// One receiver owns a hook at a time. Not copyable, not movable; `stop`, `reload`, `inject` and
/// `progress` may be called from any thread, everything else from one.
class Receiver {
 public:
  using Deliver = std::function<void(const Delivery&)>;

  /// Sets everything up; packets that arrive from here on wait in the rings. `deliver` is called
  /// from the thread that calls run(); it may be empty. With several data threads
  /// (ReceiverOptions::threads) that is one of them, and the others are the receiver's own: of one
  /// channel they never call it at the same time. `on_event` may be empty too; it is called from
  /// here, and from a thread of the receiver's own while run() goes on. Throws UsageError for what
  /// the caller can mend in the options, Error for what the system refused; nothing stays attached
  /// then.
  Receiver(const ReceiverOptions& options, Deliver deliver, OnEvent on_event = {});
  /// Detaches what this receiver attached.
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// Receives until stop(), or until an end that the options name; then empties the slots, drains
  /// the rings, which this thread does for all, and sums up. Call once. Throws Error when a system
  /// call fails that must not. A file of `write_path` that cannot be written ends the run too, and
  /// the summary says why.
  Summary run();

  /// Ends run() soon. Safe from a signal handler.
  void stop() noexcept;

  /// Changes the channels while run() goes on: they come and go without losing a packet of the
  /// others. A channel of the same name and framing goes on as it is, also when its destinations
  /// change. Returns when it is done. It waits for run(), so it is not for the thread that calls
  /// run(), nor for a callback. Throws UsageError when anything but the channels differs from what
  /// runs, or when the new ones cannot be had, Error when the system refuses or the run is over;
  /// then nothing has changed.
  Reloaded reload(const ReceiverOptions& options);

  /// Hands in a packet that came on no line, as a venue's retransmission service sends it to fill a
  /// gap: `channel` is Event::channel_number, `payload` what a datagram of the channel's framing
  /// would have, with numbered messages, up to 9,000 bytes. It is copied, and judged like a
  /// retransmission: what is new in it is delivered, with kInjectedLine. In Order::sequence that is
  /// behind later messages, where the gap was told before.
  ///
  /// From any thread, also from `on_event`; not from `deliver`. Waits for a reload that is under
  /// way. False when 64 of them wait already, to be tried again, and when the run is over. Throws
  /// UsageError for a channel that is not there and for a payload that is nothing of it.
  bool inject(std::uint32_t channel, std::span<const std::uint8_t> payload);

  /// A snapshot for a display.
  Progress progress() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace linearb
