// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "linearb/error.h"

namespace linearb::test {

/// What the operator reads when `action` fails; "no error" when it does not.
template <class Action>
std::string error_text(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace linearb::test
