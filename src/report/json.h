// SPDX-License-Identifier: Apache-2.0
//
// What --json prints. The names are those of the fields of Summary; a field is never renamed or
// taken away, others may follow. gap_messages and gaps are null under --dedup lru.
#pragma once

#include <cstdio>

#include <nlohmann/json.hpp>

#include "linearb/summary.h"

namespace linearb::report {

nlohmann::ordered_json to_json(const Summary& summary);

/// One object on one line. Bytes of a name that are not UTF-8 are replaced, not refused. Throws
/// Error when the stream does not take it.
void print_json(std::FILE* stream, const nlohmann::ordered_json& object);

}  // namespace linearb::report
