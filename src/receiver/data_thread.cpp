// SPDX-License-Identifier: Apache-2.0
#include "receiver/data_thread.h"

#include "sys/clock.h"

namespace linearb::receiver {
namespace {

constexpr std::uint64_t kTickNs = sequencer::Sequencer::kTickNs;
constexpr int kPollMs = 100;
/// While packets wait for others, or frames for their turn: that has to go on by itself.
constexpr int kSoonMs = 1;
/// Looks at the rings between two looks at the clock, when the thread spins.
constexpr std::uint32_t kSpinsPerTick = 1024;

DataPath::Parts with(DataPath::Parts parts, NoticeRing* notices, Injections& injections) {
  parts.notices = notices;
  parts.injections = &injections;
  return parts;
}

}  // namespace

DataThread::DataThread(const Parts& parts)
    : notices_(parts.wake_teller),
      path_(with(parts.path, parts.wake_teller ? &notices_ : nullptr, injections_)),
      wait_(parts.wait) {
  poll_.reserve(1 + LB_SLOTS_MAX);
}

/// What is waited for changes with it, within the reserved room.
bool DataThread::carry_out(Change& change) noexcept {
  if (!path_.carry_out(change)) return false;
  poll_.clear();
  poll_.push_back({wake_.fd(), POLLIN, 0});
  for (const Port* port : path_.ports()) poll_.push_back({port->socket->fd(), POLLIN, 0});
  return true;
}

void DataThread::receive_until(RunEnd& end) noexcept {
  for (std::uint32_t idle = 0;;) {
    const std::uint32_t received = path_.receive();
    path_.take_injected();
    carry_out_what_is_asked();
    if (end.is_reached()) return;
    idle = received ? 0 : idle + 1;
    if (received == 0) wait();
    if (received == 0 && wait_ != Wait::poll && idle % kSpinsPerTick != 0) continue;
    const std::uint64_t now_ns = sys::monotonic_ns();
    if (now_ns < next_tick_ns_) continue;
    tick_if_due(now_ns);
    if (end.is_reached_at(now_ns)) return;
  }
}

void DataThread::receive_once() noexcept {
  path_.receive();
  path_.take_injected();
  carry_out_what_is_asked();
  tick_if_due(sys::monotonic_ns());
}

void DataThread::tick_if_due(std::uint64_t now_ns) noexcept {
  if (now_ns < next_tick_ns_) return;
  next_tick_ns_ = now_ns + kTickNs;
  path_.tick(now_ns);
}

void DataThread::carry_out_what_is_asked() noexcept {
  Change* const change = handover_.pending();
  if (change && carry_out(*change)) handover_.done();
}

void DataThread::wait() noexcept {
  if (wait_ == Wait::poll) {
    ::poll(poll_.data(), poll_.size(), path_.has_to_go_on() ? kSoonMs : kPollMs);
    if (poll_.front().revents != 0) wake_.reset();
    return;
  }
  for (Port* port : path_.ports())
    if (wait_ == Wait::busy_poll || port->socket->rx_needs_wakeup()) port->socket->wake_rx();
}

void DataThread::wait_briefly() noexcept {
  ::poll(poll_.data() + 1, poll_.size() - 1, kSoonMs);
}

}  // namespace linearb::receiver
