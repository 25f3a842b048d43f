// SPDX-License-Identifier: Apache-2.0
#include "sys/error.h"

#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace linearb::sys {

void throw_errno(std::string_view what, std::string_view next, int error_number) {
  std::string text = fmt::format("{}: {}", what, std::strerror(std::abs(error_number)));
  if (!next.empty()) text += fmt::format("; {}", next);
  throw Error(text);
}

}  // namespace linearb::sys
