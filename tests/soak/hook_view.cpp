// SPDX-License-Identifier: Apache-2.0
#include "soak/hook_view.h"

#include <algorithm>

#include <unistd.h>

#include "lab/lab.h"
#include "sys/interface.h"

namespace linearb::soak {
namespace {

std::vector<hook::Interface> interfaces_of(const Scenario& scenario) {
  std::vector<hook::Interface> interfaces;
  for (std::size_t line = 0; line < scenario.lines.size(); ++line) {
    const std::string name = lab::destination_name(static_cast<char>('A' + line));
    interfaces.push_back({name, sys::interface_index(name)});
  }
  return interfaces;
}

std::uint64_t outstanding_of(const lb_credit& credit) noexcept {
  const std::uint64_t returned = lb_load_acquire(&credit.returned);
  return lb_load_acquire(&credit.redirected) - returned;
}

}  // namespace

HookView::HookView(const Scenario& scenario)
    : hook_(interfaces_of(scenario), {scenario.channels, scenario.channels}),
      bank_(static_cast<std::uint32_t>(hook_.maps().config().bank)),
      threads_(scenario.threads),
      cpus_(static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_CONF))) {}

HookView::Counts HookView::counts(std::size_t line) const noexcept {
  Counts counts;
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
    lb_counters& of_cpu = hook_.maps().counters(bank_, static_cast<std::uint32_t>(line), cpu);
    counts.packets += lb_load_acquire(&of_cpu.packets);
    counts.no_credit += lb_load_acquire(&of_cpu.no_credit);
    counts.no_receiver += lb_load_acquire(&of_cpu.no_receiver);
  }
  return counts;
}

bool HookView::is_published(std::size_t line) const noexcept {
  const lb_mark& mark = hook_.maps().mark(0, static_cast<std::uint32_t>(line));
  return lb_load_acquire(&mark.published) != 0;
}

std::uint64_t HookView::outstanding(std::size_t line) const noexcept {
  std::uint64_t all = 0;
  for (std::uint32_t thread = 0; thread < threads_; ++thread)
    all += outstanding_of(credit_of(line, thread));
  return all;
}

HookView::Room HookView::room(std::size_t line) const noexcept {
  Room least{~std::uint64_t{0}, ~std::uint64_t{0}};
  for (std::uint32_t thread = 0; thread < threads_; ++thread) {
    const lb_credit& credit = credit_of(line, thread);
    const std::uint64_t capacity = lb_load_acquire(&credit.capacity);
    const std::uint64_t outstanding = outstanding_of(credit);
    const auto left = [=](std::uint64_t limit) { return limit - std::min(limit, outstanding); };
    least.for_any = std::min(least.for_any, left(capacity / 2));
    least.for_news = std::min(least.for_news, left(capacity));
  }
  return least;
}

lb_credit& HookView::credit_of(std::size_t line, std::uint32_t thread) const noexcept {
  return hook_.maps().credit(
      lb_slot_of(lb_slot_group_of(static_cast<std::uint32_t>(line), thread), 0));
}

}  // namespace linearb::soak
