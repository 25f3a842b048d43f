// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace linearb::config {

/// The candidate that a mistyped name most likely meant: the one that the fewest letters have to be
/// put in, taken out or changed for, the first of equals. Nothing when even that one differs in so
/// many that it would be a guess.
std::optional<std::string> nearest_name(std::string_view name,
                                        std::span<const std::string> candidates);

/// What to tell somebody who typed a name that does not exist: `did you mean "native"?`, or, when
/// nothing is near, `it can be auto, native, generic`.
std::string suggest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace linearb::config
