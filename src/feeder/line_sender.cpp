// SPDX-License-Identifier: Apache-2.0
#include "feeder/line_sender.h"

#include <algorithm>

#include <fmt/format.h>

#include "sys/error.h"

namespace linearb::feeder {

LineSender::LineSender(xsk::Umem& umem, const LineSenderOptions& options)
    : name_(options.name),
      place_(options.place),
      schedule_(options.units_per_packet, options.impairment, options.seed, options.place,
                options.delay_queue),
      umem_(umem),
      socket_(umem, options.socket) {}

std::uint32_t LineSender::send_due(Source& source, std::uint64_t now_ns,
                                   std::uint32_t most) noexcept {
  xsk::FramePool& pool = socket_.pool();
  if (schedule_.due_ns() > now_ns || pool.empty()) return 0;
  xsk::TxBatch batch = socket_.send(std::min(most, pool.size()));
  std::uint32_t count = 0;
  for (; batch.room() != 0 && schedule_.due_ns() <= now_ns; ++count) {
    const Departure& departure = schedule_.front();
    std::uint64_t frame = pool.take();
    batch.put(frame, write_packet(source, departure, umem_.data(frame)));
    if (departure.last) source.release(schedule_.units_of(departure.index));
    schedule_.pop();
  }
  sent_ += count;
  return count;
}

std::uint32_t LineSender::push() {
  if (outstanding() == 0) return 0;
  if (socket_.kick_tx() == xsk::Kick::kFailed)
    sys::throw_errno(fmt::format("line {}: send on {}", name_, interface()),
                     fmt::format("see `ip link show {}`", interface()));
  std::uint32_t count = socket_.reclaim();
  completed_ += count;
  return count;
}

LineResult LineSender::result() const {
  return {.name = name_,
          .ledger = schedule_.ledger(),
          .sent = sent_,
          .completed = completed_,
          .lost = schedule_.lost_units(),
          .unlisted = schedule_.lost_packets().unlisted(),
          .frames_conserved = socket_.conserved()};
}

std::uint32_t LineSender::write_packet(Source& source, const Departure& departure,
                                       std::byte* data) const noexcept {
  auto* frame = reinterpret_cast<std::uint8_t*>(data);
  UnitRange units = schedule_.units_of(departure.index);
  std::uint32_t length = source.write(place_, units, departure.base_ns, frame);
  if (departure.corrupt_bit != kNoCorruptBit) {
    std::uint32_t byte = source.payload_offset(units) + departure.corrupt_bit / 8;
    frame[byte] = static_cast<std::uint8_t>(frame[byte] ^ 1u << departure.corrupt_bit % 8);
  }
  return length;
}

}  // namespace linearb::feeder
