// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace linearb {

/// What the control plane throws. The text is one line for the operator: what was tried, on what,
/// why it failed (errno in words), and what to do next. The data path never throws.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A wrong option, configuration, framing or capture: the caller's input has to change before a
/// second attempt can succeed. The command line ends with exit status 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

}  // namespace linearb
