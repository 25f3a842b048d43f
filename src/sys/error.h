// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <string_view>

#include "linearb/error.h"

namespace linearb::sys {

/// Throws Error "what: errno in words; next". `what` names the call and the object ("bind AF_XDP
/// socket to vethA_dst queue 0"), `next` what the operator can do; it may be empty. `error_number`
/// may be negative, as libbpf returns it. Where there is one way on whatever was tried
/// (EMFILE, ENFILE), it stands instead of `next`.
[[noreturn]] void throw_errno(std::string_view what, std::string_view next = {},
                              int error_number = errno);

}  // namespace linearb::sys
