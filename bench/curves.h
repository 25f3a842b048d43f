// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How cost grows: what is measured at several points of one axis, all else as in the main figures.

#include <string>
#include <vector>

#include "bench/measurements.h"

namespace linearb::bench {

struct Curve {
  struct Point {
    double at = 0;       ///< on the axis
    std::string figure;  ///< its name among the figures
  };
  std::string name;    ///< "packet size"
  std::string axis;    ///< with its unit: "bytes of a frame"
  std::string series;  ///< "linearb"
  std::string unit;    ///< of the figures: "M frames/s"
  std::vector<Point> points;
};

struct Curves {
  std::vector<Curve> curves;
  Measurements measurements;  ///< of all their points
};

Curves make_curves(const Settings& settings);

}  // namespace linearb::bench
