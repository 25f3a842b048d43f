// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace linearb::sys {

/// Of the running kernel, as uname(2) has it: "6.1.0-28-amd64".
std::string kernel_release();

/// Whether a release is that version or a later one. One that cannot be read is not.
bool is_at_least(std::string_view release, unsigned major, unsigned minor) noexcept;

}  // namespace linearb::sys
