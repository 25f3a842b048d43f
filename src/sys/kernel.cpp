// SPDX-License-Identifier: Apache-2.0
#include "sys/kernel.h"

#include <charconv>
#include <utility>

#include <sys/utsname.h>

namespace linearb::sys {

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? names.release : "";
}

bool is_at_least(std::string_view release, unsigned major, unsigned minor) noexcept {
  const char* const end = release.data() + release.size();
  unsigned its_major = 0;
  unsigned its_minor = 0;
  const auto first = std::from_chars(release.data(), end, its_major);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return false;
  if (std::from_chars(first.ptr + 1, end, its_minor).ec != std::errc{}) return false;
  return std::pair(its_major, its_minor) >= std::pair(major, minor);
}

}  // namespace linearb::sys
