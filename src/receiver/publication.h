// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "hook/maps.h"
#include "sequencer/sequencer.h"

namespace linearb::receiver {

/// Tells the hook what it may judge itself.
///
/// A change of epoch takes four steps, so that bits of another life are never met:
///
///   1. data thread     publishes 0 for every line: everything goes up, user space arbitrates
///   2. this thread     waits one grace period: no hook still acts on what was published
///   3. this thread     clears window and stamps
///   4. data thread     publishes line by line, mark first, as each shows that it is in the epoch
///
/// The data thread never waits. Until step 4 the hook drops nothing of the channel.
class Publication {
 public:
  Publication(const hook::Maps& maps, std::uint32_t channels, std::uint32_t lines);
  ~Publication();
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

  /// After a packet of this channel and line that the hook did not claim: brings what is published
  /// into line with what the sequencer knows. Data thread.
  void follow(std::uint32_t channel_index, std::uint32_t line,
              sequencer::Channel& channel) noexcept;

  /// The channel is gone: the hook judges nothing of it any more. Data thread.
  void forget(std::uint32_t channel_index) noexcept;

  /// What packets of the channel carry that were judged by what is published now. Data thread.
  std::uint32_t generation(std::uint32_t channel_index) const noexcept {
    return channels_[channel_index].generation;
  }

  /// Where the hook has seen the line come to in that epoch of the channel; 0 where it does not
  /// know. What moved the mark may still be on its way. Data thread.
  std::uint64_t mark_of(std::uint32_t channel_index, std::uint32_t line,
                        std::uint64_t epoch) const noexcept;

  /// Tells the sequencer where the hook's marks are. What the hook drops does not come up, and a
  /// line that goes on there has not restarted. Data thread.
  void tell_marks(std::uint32_t channel_index, sequencer::Channel& channel, std::uint64_t then_ns,
                  std::uint64_t now_ns) const noexcept;

  /// The same when all that the hook has handed over was received: what is missing up to there
  /// never comes.
  void tell_ends(std::uint32_t channel_index, sequencer::Channel& channel) const noexcept;

 private:
  struct Channel {
    std::uint64_t epoch = 0;  ///< data thread: what is published, or will be
    std::uint32_t generation = 0;
    /// How often the window was to be cleared, and the last of them that was done; they pair. Not
    /// the generation, which comes round: a window would be taken to be clear that nobody cleared.
    std::atomic<std::uint64_t> wanted = 0;
    std::atomic<std::uint64_t> cleared = 0;
  };

  void begin(std::uint32_t channel_index, sequencer::Channel& channel) noexcept;
  void publish(lb_mark& mark, const Channel& state, const sequencer::Channel& channel,
               std::uint32_t line) noexcept;
  void clear_loop();
  void clear_wanted();

  const hook::Maps& maps_;
  std::uint32_t lines_;
  std::uint32_t channel_count_;
  std::unique_ptr<Channel[]> channels_;
  std::atomic<std::uint32_t> requests_ = 0;  ///< counts; the thread waits for it to change
  std::atomic<bool> ending_ = false;
  std::thread thread_;  ///< last: everything it uses is there before it and after it
};

}  // namespace linearb::receiver
