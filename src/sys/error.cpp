// SPDX-License-Identifier: Apache-2.0
#include "sys/error.h"

#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace linearb::sys {

namespace {

std::string_view way_on(int error_number, std::string_view next) {
  if (error_number == EMFILE) return "raise the limit of open files (ulimit -n)";
  if (error_number == ENFILE) return "raise the system's limit of open files (sysctl fs.file-max)";
  return next;
}

}  // namespace

void throw_errno(std::string_view what, std::string_view next, int error_number) {
  error_number = std::abs(error_number);
  std::string text = fmt::format("{}: {}", what, std::strerror(error_number));
  next = way_on(error_number, next);
  if (!next.empty()) text += fmt::format("; {}", next);
  throw Error(text);
}

}  // namespace linearb::sys
