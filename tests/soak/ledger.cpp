// SPDX-License-Identifier: Apache-2.0
#include "soak/ledger.h"

#include <cstring>

namespace linearb::soak {

Ledger::Ledger()
    : memory_({.what = "the ledger",
               .size_bytes = (kLedgerLines + kLedgerRuns) * kLedgerMessages,
               .flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE}) {
  auto* table = reinterpret_cast<std::uint8_t*>(memory_.data());
  for (std::uint8_t*& of_line : sent_) of_line = std::exchange(table, table + kLedgerMessages);
  for (std::uint8_t*& of_run : delivered_) of_run = std::exchange(table, table + kLedgerMessages);
}

void Ledger::begin(const Scenario& scenario) noexcept {
  messages_ = scenario.messages;
  channels_ = scenario.channels;
  line_count_ = scenario.lines.size();
  lives_ = scenario.lives;
  const std::uint64_t used = messages_ * channels_ * lives_.size();
  for (std::uint8_t* of_line : sent_) std::memset(of_line, 0, used);
  for (std::uint8_t* of_run : delivered_) std::memset(of_run, 0, used);
}

std::uint64_t Ledger::place_of(const Identity& message) const noexcept {
  if (message.channel >= channels_ || message.life >= lives_.size()) return kNowhere;
  const std::uint64_t offset = message.number - lives_[message.life].first;
  return offset < messages_ ? first_place(message.channel, message.life) + offset : kNowhere;
}

}  // namespace linearb::soak
