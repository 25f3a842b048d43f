// SPDX-License-Identifier: Apache-2.0
//
// What --json prints, and --events writes. The names are those of the fields of Summary and Event;
// a field is never renamed or taken away, others may follow. gap_messages and gaps are null under
// --dedup lru.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "linearb/event.h"
#include "linearb/summary.h"

namespace linearb::report {

nlohmann::ordered_json to_json(const Summary& summary);
/// Without the fields that say nothing of an event of its kind. The time is UTC, as RFC 3339 has
/// it, with nanoseconds.
nlohmann::ordered_json to_json(const Event& event);

/// The key of a stream: a number, or the text of one that has several fields; null without.
nlohmann::ordered_json key_json(const std::optional<std::string>& key);

/// One object on one line. Bytes of a name that are not UTF-8 are replaced, not refused. Throws
/// Error when the stream does not take it.
void print_json(std::FILE* stream, const nlohmann::ordered_json& object);

}  // namespace linearb::report
