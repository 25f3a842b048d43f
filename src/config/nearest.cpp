// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace linearb::config {
namespace {

/// A name that differs in more letters, or in more than two thirds of its own, is not taken for a
/// slip of the pen.
constexpr std::size_t kSlipMax = 3;

/// Levenshtein's distance.
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); i++) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < right.size(); j++) {
      std::size_t changed = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view name,
                                        std::span<const std::string> candidates) {
  std::optional<std::string> nearest;
  std::size_t limit = std::min(kSlipMax, name.size() * 2 / 3);
  std::size_t least = limit + 1;
  for (const std::string& candidate : candidates) {
    std::size_t distance = edit_distance(name, candidate);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

std::string suggest_name(std::string_view name, std::span<const std::string> candidates) {
  std::optional<std::string> nearest = nearest_name(name, candidates);
  if (nearest) return fmt::format("did you mean \"{}\"?", *nearest);
  return fmt::format("it can be {}", fmt::join(candidates, ", "));
}

}  // namespace linearb::config
