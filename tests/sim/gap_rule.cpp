// SPDX-License-Identifier: Apache-2.0
#include "sim/gap_rule.h"

#include <array>

#include "sim/scheduler.h"
#include "sim/steps.h"

namespace linearb::sim {
namespace {

constexpr std::uint32_t kLines = 2;
constexpr std::uint64_t kLookAgainNs = 1000;

bool has_come(const receiver::Port& port, std::uint64_t redirected) {
  return port.redirected_before + port.received >= redirected;
}

}  // namespace

bool declare_if_missing(const ReceiverRun& receiver, Reference& reference, std::uint32_t life,
                        std::uint64_t number) {
  const linearb::hook::Maps& maps = receiver.maps();
  std::uint32_t generation = 0;
  for (std::uint32_t line = 0; line < kLines; ++line) {
    const std::uint64_t shown = lb_load_acquire(&maps.mark(0, line).shown);
    if (lb_mark_value(shown) <= number) return false;
    generation = lb_mark_generation(shown);
  }
  std::array<std::uint64_t, kLines> redirected{};
  for (std::uint32_t line = 0; line < kLines; ++line)
    redirected[line] = lb_load_acquire(&maps.credit(receiver.port(line).slot).redirected);
  for (std::uint32_t line = 0; line < kLines; ++line)
    while (!has_come(receiver.port(line), redirected[line])) scheduler()->sleep_for(kLookAgainNs);
  if (lb_window_holds(maps.windows()[0].words, LB_WINDOW_ORDER, generation, number, 1))
    return false;
  if (reference.is_delivered(life, number)) return false;
  reference.declared_missing(life, number);
  tell({"declared_missing"});
  return true;
}

}  // namespace linearb::sim
