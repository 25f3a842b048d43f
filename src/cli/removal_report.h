// SPDX-License-Identifier: Apache-2.0
//
// What was taken off and what went with it, as `detach` and `lab down` say it.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "hook/removal.h"

namespace linearb::cli {

/// A sentence for each thing that went, and for each that stays although it was asked for.
std::vector<std::string> sentences(const hook::Removal& removal);

/// programs, pins, directories; foreign and remaining, which stay.
nlohmann::ordered_json to_json(const hook::Removal& removal);

/// interface, mode, id, name.
nlohmann::ordered_json to_json(const hook::Attached& attached);

}  // namespace linearb::cli
