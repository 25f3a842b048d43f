// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "merge/merge.h"

namespace linearb::cli {

/// "[########----------------] 33 %  1,234,567 packets"; without the bar where nobody knows how
/// long a capture is, as with a pipe.
std::string progress_text(const merge::Progress& progress);

}  // namespace linearb::cli
