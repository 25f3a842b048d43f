// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>

#include <nlohmann/json.hpp>

#include "feeder/result.h"

namespace linearb::cli {

/// What became of the packets of each line, for `feed` and as part of `demo`.
nlohmann::ordered_json to_json(const feeder::FeederResult& result);
void print_result(std::FILE* stream, const feeder::FeederResult& result);

}  // namespace linearb::cli
