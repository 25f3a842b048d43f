// SPDX-License-Identifier: Apache-2.0
#include "config/places.h"

#include <utility>

namespace linearb::config {

void Places::set(Subject subject, std::string place) {
  places_.insert_or_assign(std::move(subject), std::move(place));
}

std::optional<std::string> Places::find(Subject subject) const {
  auto found = places_.find(subject);
  if (found != places_.end()) return found->second;
  if (!subject.key.empty())
    subject.key.clear();
  else if (subject.index)
    subject.index.reset();
  else
    return std::nullopt;
  return find(std::move(subject));
}

}  // namespace linearb::config
