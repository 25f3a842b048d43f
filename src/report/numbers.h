// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace linearb::report {

/// Numbers as a person reads them: "1,234,567".
std::string grouped(std::uint64_t number);

/// A span of time in the largest unit that leaves a digit before the point: "834 ns", "50.1 us".
std::string time_text(std::uint64_t ns);

/// A part of a whole in percent: "1.02 %"; of nothing, "0.00 %".
std::string share_text(std::uint64_t part, std::uint64_t whole);

/// What came in a second, rounded; 0 when no time passed.
std::uint64_t rate_per_second(std::uint64_t count, double seconds);

}  // namespace linearb::report
