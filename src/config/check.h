// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "config/framing_file.h"
#include "config/places.h"
#include "linearb/options.h"

namespace linearb::config {

/// The framing of each channel, in their order; a file that several name is read once. Throws
/// InvalidOption for one that cannot be had, or that does not go with the other options.
std::vector<Framing> load_framings(const ReceiverOptions& options);

/// A bit for each of the lines that only repairs, in their order.
std::uint32_t repair_mask(const ReceiverOptions& options) noexcept;

/// Everything that can be known to be wrong without touching the system: validate(), and the
/// framings. Throws UsageError; it begins with file, line and column where `places` knows them.
void check(const ReceiverOptions& options, const Places& places);

}  // namespace linearb::config
