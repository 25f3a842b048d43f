// SPDX-License-Identifier: Apache-2.0
#include "hook/removal.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <fmt/format.h>

#include <bpf/libbpf.h>

#include "hook/ownership.h"
#include "hook/pins.h"
#include "sys/error.h"

namespace linearb::hook {
namespace {

bool is_among(std::span<const Interface> interfaces, const Attached& attached) {
  return std::ranges::find(interfaces, attached.interface.index, &Interface::index) !=
         interfaces.end();
}

bool is_same_hook(const Attached& a, const Attached& b) {
  return a.program.id == b.program.id || (a.hook_id() != 0 && a.hook_id() == b.hook_id());
}

bool is_of_one(const Attached& attached, const std::vector<Attached>& programs) {
  return std::ranges::any_of(
      programs, [&](const Attached& program) { return is_same_hook(program, attached); });
}

void refuse_owned(const Attached& attached) {
  if (attached.hook_id() == 0) return;
  const auto owner = owner_of(attached.hook_id());
  if (!owner) return;
  throw Error(fmt::format("a {} owns the hook on {}; stop it first{}", owner->title(),
                          attached.interface.name,
                          owner->pid ? fmt::format(" (kill -INT {})", owner->pid) : ""));
}

/// One that is gone by itself is not counted, and no failure.
bool take_off(const Attached& attached) {
  const int error = detach_program(attached.interface, attached.native, attached.program.fd);
  if (error == ENODEV || error == ENOENT) return false;
  if (error != 0)
    sys::throw_errno(fmt::format("take {} (id {}) off {}", attached.program.name,
                                 attached.program.id, attached.interface.name),
                     error == EBUSY ? "a process holds it there by a BPF link: end that process"
                                    : "this needs CAP_NET_ADMIN: run as root",
                     error);
  return true;
}

/// What is on the interfaces, and what is elsewhere.
struct Found {
  std::vector<Attached> ours, foreign, elsewhere;
};

Found sort_out(std::vector<Attached> all, std::span<const Interface> interfaces) {
  Found found;
  for (Attached& attached : all) {
    auto& group = !is_among(interfaces, attached) ? found.elsewhere
                  : attached.is_ours()            ? found.ours
                                                  : found.foreign;
    group.push_back(std::move(attached));
  }
  return found;
}

void remove_pins(const std::vector<std::string>& paths, Removal& removal) {
  for (const std::string& path : paths)
    if (remove_pin(path)) removal.pins.push_back(path);
}

}  // namespace

Removal remove_hooks(std::span<const Interface> interfaces, WhenOwned when_owned) {
  libbpf_set_print(nullptr);  // what it has to say stands in the errors
  std::vector<Attached> all = all_attached();
  const std::vector<Pin> pins = find_pins();
  const std::vector<StalePins> stale = stale_pins(all, pins);
  Found found = sort_out(std::move(all), interfaces);
  if (when_owned == WhenOwned::refuse) std::ranges::for_each(found.ours, refuse_owned);

  Removal removal;
  removal.foreign = std::move(found.foreign);
  std::vector<std::string> paths;
  for (Attached& attached : found.ours) {
    if (!is_of_one(attached, found.elsewhere))
      std::ranges::copy(pins_of({&attached, 1}, pins), std::back_inserter(paths));
    if (take_off(attached)) removal.programs.push_back(std::move(attached));
  }
  for (Attached& attached : found.elsewhere)
    if (is_of_one(attached, removal.programs)) removal.remaining.push_back(std::move(attached));
  remove_pins(paths, removal);
  for (const StalePins& hook : stale) remove_pins(hook.paths, removal);
  removal.directories = remove_empty_directories();
  return removal;
}

}  // namespace linearb::hook
