// SPDX-License-Identifier: Apache-2.0
#include "feeder/line_sender.h"

#include <utility>

namespace linearb::feeder {

LineSender::LineSender(xsk::Umem* umem, const LineSenderOptions& options)
    : name_(options.name),
      interface_(options.socket.interface),
      place_(options.place),
      schedule_(options.units_per_packet, options.impairment, options.seed, options.place,
                options.delay_queue),
      counters_(interface_),
      dropped_before_(counters_.read().dropped),
      exit_(umem ? Exit(std::in_place_type<XskExit>, *umem, options.socket, name_)
                 : Exit(std::in_place_type<LiveExit>, interface_, counters_)) {}

std::uint32_t LineSender::send_due(Source& source, std::uint64_t now_ns,
                                   std::uint32_t most) noexcept {
  if (schedule_.due_ns() > now_ns) return 0;
  return std::visit(
      [&](auto& exit) {
        auto block = exit.begin(most);
        std::uint32_t count = 0;
        for (; block.room() != 0 && schedule_.due_ns() <= now_ns; ++count) {
          const Departure& departure = schedule_.front();
          block.put(write_packet(source, departure, block.next()));
          if (departure.last) source.release(schedule_.units_of(departure.index));
          schedule_.pop();
        }
        return count;
      },
      exit_);
}

std::uint32_t LineSender::push() {
  return std::visit([](auto& exit) { return exit.push(); }, exit_);
}

std::uint64_t LineSender::sent() const noexcept {
  return std::visit([](const auto& exit) { return exit.sent(); }, exit_);
}

std::uint64_t LineSender::completed() const noexcept {
  return std::visit([](const auto& exit) { return exit.completed(); }, exit_);
}

std::uint64_t LineSender::outstanding() const noexcept {
  return sent() - completed();
}

LineResult LineSender::result() const {
  return {.name = name_,
          .ledger = schedule_.ledger(),
          .sent = sent(),
          .completed = completed(),
          .interface_dropped = counters_.read().dropped - dropped_before_,
          .lost = schedule_.lost_units(),
          .unlisted = schedule_.lost_packets().unlisted(),
          .frames_conserved =
              std::visit([](const auto& exit) { return exit.frames_conserved(); }, exit_)};
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
