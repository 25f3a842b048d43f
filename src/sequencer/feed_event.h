// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "linearb/event.h"
#include "sequencer/notice.h"

namespace linearb::sequencer {

/// What a notice is to the user: the names are the caller's to know, `line` may be empty.
Event feed_event(const Notice& notice, const std::string& channel, const std::string& line,
                 std::uint64_t time_ns);

}  // namespace linearb::sequencer
