// SPDX-License-Identifier: Apache-2.0
#include "bench/figures.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

namespace linearb::bench {
namespace {

std::optional<Spread> spread_if_any(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  return spread_of(std::move(values));
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  return {values[values.size() / 2], values.front(), values.back(), values.size()};
}

std::optional<Spread> Figures::of(const std::string& name) const {
  std::vector<double> values;
  for (const auto& round : rounds_)
    if (const auto found = round.find(name); found != round.end()) values.push_back(found->second);
  return spread_if_any(std::move(values));
}

std::optional<Spread> Figures::of(const Ratio& ratio) const {
  std::vector<double> values;
  for (const auto& round : rounds_) {
    const auto of = round.find(ratio.of), against = round.find(ratio.against);
    if (of != round.end() && against != round.end() && against->second > 0)
      values.push_back(of->second / against->second);
  }
  return spread_if_any(std::move(values));
}

std::vector<std::string> Figures::names() const {
  std::set<std::string> names;
  for (const auto& round : rounds_)
    for (const auto& [name, value] : round) names.insert(name);
  return {names.begin(), names.end()};
}

nlohmann::ordered_json to_json(const Spread& spread) {
  return {{"median", spread.median},
          {"min", spread.least},
          {"max", spread.most},
          {"rounds", spread.rounds}};
}

}  // namespace linearb::bench
