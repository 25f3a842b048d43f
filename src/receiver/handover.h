// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "hook/flow_table.h"
#include "receiver/port.h"
#include "sequencer/channel.h"
#include "sequencer/line_watch.h"
#include "sequencer/streams.h"

namespace linearb::receiver {

/// What the data thread is to do between two batches, while it receives. Whoever asks for it has
/// made everything that it needs, and keeps alive what it points to: the data thread allocates
/// nothing.
struct Change {
  struct NewChannel {
    std::uint16_t index = 0;
    std::unique_ptr<sequencer::Channel> channel;
    std::uint64_t identity = 0;  ///< whose the memory in its place is to be, where there is one
    std::uint32_t origin = 0;    ///< serial of the configured channel
    sequencer::Alarms alarms{};
  };
  struct OldChannel {
    std::uint16_t index = 0;
    std::unique_ptr<sequencer::Channel> channel{};  ///< ended, as an answer
  };

  struct StreamsOf {
    std::uint16_t place = 0;  ///< of the configured channel
    std::unique_ptr<sequencer::StreamGroup> group{};
  };

  /// First all this has to have come, or to be given up: of each port, what the hook had
  /// redirected.
  std::vector<std::pair<Port*, std::uint64_t>> wait_for{};
  std::vector<Port*> closed{};     ///< not looked at any more
  std::vector<Port*> forgotten{};  ///< closed before; the answer is those that nobody needs now
  std::vector<OldChannel> removed{};
  std::vector<NewChannel> added{};
  /// Of channels that go on, by place.
  std::vector<std::pair<std::uint16_t, sequencer::Alarms>> alarms{};
  std::vector<StreamsOf> streams_closed{};  ///< the group is an answer
  std::vector<StreamsOf> streams_opened{};
  std::vector<Port*> opened{};             ///< looked at from here on
  const hook::FlowTable* flows = nullptr;  ///< null: as before
};

/// One change at a time, from a thread that may wait to the data thread, which does not: it looks
/// at one word.
class Handover {
 public:
  /// Waits until the data thread has done it. False when the run ended before: then nothing of it
  /// was done. `wake` gets the data thread out of its wait for packets.
  template <class Wake>
  bool request(Change& change, Wake&& wake) noexcept {
    const std::uint32_t answers = answers_.load(std::memory_order_acquire);
    Change* nobody = nullptr;
    done_ = nullptr;
    if (!change_.compare_exchange_strong(nobody, &change, std::memory_order_acq_rel)) return false;
    wake();
    answers_.wait(answers, std::memory_order_acquire);
    return done_ == &change;
  }

  /// Data thread. Null: nothing is asked for.
  Change* pending() const noexcept {
    Change* const change = change_.load(std::memory_order_acquire);
    return change == &none_ ? nullptr : change;
  }
  /// Data thread: pending() was done.
  void done() noexcept {
    done_ = change_.load(std::memory_order_relaxed);
    change_.store(nullptr, std::memory_order_release);
    answer();
  }
  /// Data thread, at the end of its run: nothing is done from here on, and nobody waits.
  void end() noexcept {
    change_.store(&none_, std::memory_order_release);
    answer();
  }

 private:
  void answer() noexcept {
    answers_.fetch_add(1, std::memory_order_release);
    answers_.notify_all();
  }

  Change none_;  ///< stands in change_ when the run is over; only its address is used
  std::atomic<Change*> change_ = nullptr;
  std::atomic<std::uint32_t> answers_ = 0;
  Change* done_ = nullptr;  ///< written between change_ and answers_, read after both
};

}  // namespace linearb::receiver
