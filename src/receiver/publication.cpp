// SPDX-License-Identifier: Apache-2.0
#include "receiver/publication.h"

#include <algorithm>

#include "linearb/error.h"
#include "sys/grace.h"
#include "sys/thread.h"

namespace linearb::receiver {

Publication::Publication(const hook::Maps& maps, std::uint32_t channels, std::uint32_t lines)
    : maps_(maps),
      lines_(lines),
      channel_count_(channels),
      channels_(std::make_unique<Channel[]>(channels)) {
  sys::wait_for_grace_period();  // throws here, in the caller's hands, where there is no way to
                                 // wait
  thread_ = sys::start_thread([this] { clear_loop(); });
}

Publication::~Publication() {
  ending_.store(true);
  requests_.fetch_add(1);
  requests_.notify_one();
  thread_.join();
}

void Publication::follow(std::uint32_t channel_index, std::uint32_t line,
                         sequencer::Channel& channel) noexcept {
  Channel& state = channels_[channel_index];
  if (state.epoch != channel.newest_epoch()) begin(channel_index, channel);
  lb_mark& mark = maps_.mark(channel_index, line);
  if (!channel.line_is_in_newest(line)) {
    if (mark.published != 0) lb_store_release(&mark.published, 0);
    return;
  }
  const std::uint64_t wanted = state.wanted.load(std::memory_order_relaxed);
  if (wanted != 0 && state.cleared.load(std::memory_order_acquire) == wanted)
    publish(mark, state, channel, line);
}

void Publication::forget(std::uint32_t channel_index) noexcept {
  for (std::uint32_t line = 0; line < lines_; ++line)
    lb_store_release(&maps_.mark(channel_index, line).published, 0);
  channels_[channel_index].epoch = 0;
}

void Publication::tell_marks(std::uint32_t channel_index, sequencer::Channel& channel,
                             std::uint64_t then_ns, std::uint64_t now_ns) const noexcept {
  for (std::uint32_t line = 0; line < lines_; ++line) {
    const lb_mark& mark = maps_.mark(channel_index, line);
    if (mark.published != 0)
      channel.line_marked(line, channels_[channel_index].epoch,
                          lb_mark_value(lb_load_acquire(&mark.shown)), then_ns, now_ns);
  }
}

void Publication::tell_ends(std::uint32_t channel_index,
                            sequencer::Channel& channel) const noexcept {
  const Channel& state = channels_[channel_index];
  for (std::uint32_t line = 0; line < lines_; ++line) {
    const std::uint64_t shown = lb_load_acquire(&maps_.mark(channel_index, line).shown);
    if (state.epoch != 0 && lb_mark_generation(shown) == state.generation)
      channel.line_shown(line, state.epoch, lb_mark_value(shown));
  }
}

std::uint64_t Publication::mark_of(std::uint32_t channel_index, std::uint32_t line,
                                   std::uint64_t epoch) const noexcept {
  const Channel& state = channels_[channel_index];
  const std::uint64_t shown = lb_load_acquire(&maps_.mark(channel_index, line).shown);
  if (state.epoch != epoch || lb_mark_generation(shown) != state.generation) return 0;
  return lb_mark_value(shown);
}

/// Step 1.
void Publication::begin(std::uint32_t channel_index, sequencer::Channel& channel) noexcept {
  Channel& state = channels_[channel_index];
  tell_ends(channel_index, channel);
  for (std::uint32_t line = 0; line < lines_; ++line)
    lb_store_release(&maps_.mark(channel_index, line).published, 0);
  state.epoch = channel.newest_epoch();
  state.generation = state.generation % LB_GENERATION_MAX + 1;
  state.wanted.fetch_add(1, std::memory_order_release);
  requests_.fetch_add(1);
  requests_.notify_one();
}

/// Step 4; later, when the line was found to have jumped ahead, its mark follows.
void Publication::publish(lb_mark& mark, const Channel& state, const sequencer::Channel& channel,
                          std::uint32_t line) noexcept {
  const std::uint64_t end = channel.line_end(line);
  const std::uint64_t word = lb_mark_word(state.generation, channel.newest_session());
  if (mark.published != word) {
    lb_store_release(&mark.shown, lb_mark_word(state.generation, end));
    lb_store_release(&mark.published, word);
    return;
  }
  std::uint64_t shown = lb_load_acquire(&mark.shown);
  while (lb_mark_value(shown) < end) {
    const std::uint64_t found =
        lb_compare_swap(&mark.shown, shown, lb_mark_word(state.generation, end));
    if (found == shown) return;
    shown = found;
  }
}

void Publication::clear_loop() {
  std::uint32_t seen = 0;
  while (!ending_.load()) {
    requests_.wait(seen);
    seen = requests_.load();
    if (!ending_.load()) clear_wanted();
  }
}

/// Steps 2 and 3, for all channels that wait. Nothing is published to them meanwhile: the data
/// thread publishes only what it finds cleared.
void Publication::clear_wanted() {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> waiting;
  for (std::uint32_t i = 0; i < channel_count_; ++i) {
    const std::uint64_t wanted = channels_[i].wanted.load(std::memory_order_acquire);
    if (wanted != channels_[i].cleared.load(std::memory_order_relaxed))
      waiting.emplace_back(i, wanted);
  }
  if (waiting.empty()) return;
  try {
    sys::wait_for_grace_period();
  } catch (const Error&) {
    return;  // it worked at the start; the channels stay as they are, arbitrated in user space
  }
  for (const auto& [channel, wanted] : waiting) {
    lb_channel& window = maps_.windows()[channel];
    for (std::uint64_t& word : window.words) lb_store_release(&word, 0);
    for (std::uint64_t& stamp : window.stamps) lb_store_release(&stamp, 0);
    channels_[channel].cleared.store(wanted, std::memory_order_release);
  }
}

}  // namespace linearb::receiver
