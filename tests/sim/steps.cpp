// SPDX-License-Identifier: Apache-2.0
#include "sim/steps.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/hook_cpu.h"
#include "sim/kernel.h"
#include "sim/scheduler.h"

namespace linearb::sim {
namespace {

using Field = Kernel::Word::Field;

/// How an access is made, as far as its name depends on it.
enum class How {
  load,
  store,
  store_zero,
  swap,
  lost_swap,  ///< another value is there
  add,
  subtract,
};

enum class Who {
  hook,
  receiver,
  clearing,
  gaps,
};

struct Name {
  Who who;
  Field field;
  How how;
  std::string_view step;
};

constexpr auto kAccesses = std::to_array<Name>({
    {Who::hook, Field::published, How::load, "published_look"},
    {Who::hook, Field::shown, How::load, "judge"},
    {Who::hook, Field::shown, How::swap, "mark_moved"},
    {Who::hook, Field::shown, How::lost_swap, "mark_passed"},
    {Who::hook, Field::window, How::load, "window_look"},
    {Who::hook, Field::window, How::swap, "claim_done"},
    {Who::hook, Field::window, How::lost_swap, "claim_race_lost"},
    {Who::hook, Field::returned, How::load, "credit_returned"},
    {Who::hook, Field::capacity, How::load, "credit_capacity"},
    {Who::hook, Field::redirected, How::load, "credit_redirected"},
    {Who::hook, Field::redirected, How::add, "credit_taken"},
    {Who::hook, Field::redirected, How::subtract, "credit_given_back"},
    {Who::receiver, Field::published, How::store_zero, "unpublish"},
    {Who::receiver, Field::published, How::store, "publish"},
    {Who::receiver, Field::shown, How::store, "publish_mark"},
    {Who::receiver, Field::shown, How::load, "mark_look"},
    {Who::receiver, Field::shown, How::swap, "mark_raised"},
    {Who::receiver, Field::returned, How::store, "returned"},
    {Who::receiver, Field::returned, How::store_zero, "returned"},
    {Who::receiver, Field::capacity, How::store, "capacity"},
    {Who::receiver, Field::capacity, How::store_zero, "capacity_closed"},
    {Who::clearing, Field::window, How::store_zero, "word"},
    {Who::gaps, Field::shown, How::load, "mark_look"},
    {Who::gaps, Field::redirected, How::load, "redirected_look"},
    {Who::gaps, Field::window, How::load, "claimed_look"},
});

/// Those that have no word of a map, or another name by what was before.
constexpr auto kOthers = std::to_array<std::pair<Who, std::string_view>>({
    {Who::hook, "packet"},
    {Who::hook, "slot_look"},
    {Who::hook, "claim_load"},
    {Who::hook, "redirect"},
    {Who::hook, "redirect_refused"},
    {Who::hook, "into_ring"},
    {Who::hook, "drop_duplicate"},
    {Who::hook, "drop_without_credit"},
    {Who::hook, "to_kernel"},
    {Who::hook, "flush"},
    {Who::receiver, "peek"},
    {Who::receiver, "fill"},
    {Who::receiver, "release"},
    {Who::receiver, "credit_closed"},
    {Who::receiver, "credit_begins"},
    {Who::receiver, "open_slot"},
    {Who::receiver, "empty_slot"},
    {Who::receiver, "grace"},
    {Who::clearing, "grace"},
    {Who::clearing, "cleared"},
    {Who::gaps, "declared_missing"},
});

Listener listener_;

Who who_is(std::string_view process) noexcept {
  return process == "receiver"   ? Who::receiver
         : process == "clearing" ? Who::clearing
         : process == "gaps"     ? Who::gaps
                                 : Who::hook;
}

How how_is(const Access& access) noexcept {
  switch (access.kind) {
    case LB_ACCESS_LOAD:
      return How::load;
    case LB_ACCESS_STORE:
      return access.value == 0 ? How::store_zero : How::store;
    case LB_ACCESS_SWAP:
      return *access.word == access.value ? How::swap : How::lost_swap;
    case LB_ACCESS_ADD:
      break;
  }
  return static_cast<lb_s64>(access.value) > 0 ? How::add : How::subtract;
}

}  // namespace

Step step_of(const Access& access) {
  const Kernel::Word word = Kernel::instance().word_at(access.word);
  const Who who = who_is(scheduler()->name_of(scheduler()->current()));
  const How how = how_is(access);
  const auto found = std::ranges::find_if(kAccesses, [&](const Name& name) {
    return name.who == who && name.field == word.field && name.how == how;
  });
  if (found == kAccesses.end()) return {};
  Step step{found->step, word.of};
  if (who != Who::hook) return step;
  HookCpu& cpu = HookCpu::current();
  if (how == How::add || how == How::subtract) cpu.hold_credit(how == How::add);
  if (step.name == "window_look" && cpu.holds_credit()) step.name = "claim_load";
  return step;
}

Step step_of(WayOut way_out, std::uint64_t number) {
  switch (way_out) {
    case WayOut::duplicate:
      return {"drop_duplicate", number};
    case WayOut::no_credit:
      return {"drop_without_credit", number};
    case WayOut::no_receiver:
      return {"to_kernel", number};
    default:
      return {};
  }
}

void listen(Listener listener) {
  listener_ = std::move(listener);
}

bool replays() noexcept {
  return static_cast<bool>(listener_);
}

void tell(const Step& step) {
  if (listener_ && !step.name.empty()) listener_(step);
}

bool has_step(std::string_view process, std::string_view step) noexcept {
  const Who who = who_is(process);
  return std::ranges::any_of(
             kAccesses, [&](const Name& name) { return name.who == who && name.step == step; }) ||
         std::ranges::any_of(kOthers, [&](const auto& other) {
           return other == std::pair{who, step};
         });
}

}  // namespace linearb::sim
