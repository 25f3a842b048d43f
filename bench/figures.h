// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the suite has measured: for each figure one value of each round. Ratios are made of values
/// of the same round, so that what slows the whole machine for a while slows both.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace linearb::bench {

struct Spread {
  double median = 0;
  double least = 0;
  double most = 0;
  std::size_t rounds = 0;
};

/// Of at least one value.
Spread spread_of(std::vector<double> values);

/// What is to be reached.
struct Target {
  double value = 0;
  bool at_most = false;

  bool is_met_by(double median) const noexcept {
    return at_most ? median <= value : median >= value;
  }
};

/// One figure against another one, as `of / against`.
struct Ratio {
  std::string name;
  std::string of;
  std::string against;
  std::optional<Target> target{};
};

class Figures {
 public:
  void begin_round() { rounds_.emplace_back(); }
  void add(const std::string& name, double value) { rounds_.back()[name] = value; }

  /// Nothing when no round has it.
  std::optional<Spread> of(const std::string& name) const;
  /// Over the rounds that have both.
  std::optional<Spread> of(const Ratio& ratio) const;
  /// In the order of their names.
  std::vector<std::string> names() const;

 private:
  std::vector<std::map<std::string, double>> rounds_;
};

nlohmann::ordered_json to_json(const Spread& spread);

}  // namespace linearb::bench
