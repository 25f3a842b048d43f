// SPDX-License-Identifier: Apache-2.0
#include "feeder/result.h"

#include <algorithm>

namespace linearb::feeder {
namespace {

std::vector<lb_run> intersection(std::span<const lb_run> left, std::span<const lb_run> right) {
  std::vector<lb_run> both;
  auto a = left.begin();
  auto b = right.begin();
  while (a != left.end() && b != right.end()) {
    std::uint64_t first = std::max(a->first, b->first);
    std::uint64_t a_end = a->first + a->count;
    std::uint64_t b_end = b->first + b->count;
    std::uint64_t end = std::min(a_end, b_end);
    if (first < end) both.push_back({first, static_cast<lb_u32>(end - first)});
    if (a_end <= b_end) ++a;
    if (b_end <= a_end) ++b;
  }
  return both;
}

}  // namespace

std::vector<lb_run> lost_on_every_line(std::span<const LineResult> lines) {
  if (lines.empty()) return {};
  std::vector<lb_run> lost = lines.front().lost;
  for (const LineResult& line : lines.subspan(1)) lost = intersection(lost, line.lost);
  return lost;
}

}  // namespace linearb::feeder
