// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "sim/receiver_run.h"
#include "sim/reference.h"

namespace linearb::sim {

/// The rule by which a number could be declared missing while the lines go on. The program has
/// nothing that needs it: it delivers in the order of arrival, and tells gaps at the end of an
/// epoch. The model has it, since two orders of the hook are there for its sake.
///
/// Every line's mark is behind the number; all that was redirected then has come; and still nobody
/// has claimed it. It reads what the production code wrote.
bool declare_if_missing(const ReceiverRun& receiver, Reference& reference, std::uint32_t life,
                        std::uint64_t number);

}  // namespace linearb::sim
