// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "linearb/options.h"
#include "linearb/reloaded.h"

namespace linearb::cli {

/// "2 channels added (x, y), 1 removed (z), 12 unchanged".
std::string describe_change(const Reloaded& reloaded);

/// Reads a receiver's options again while it runs. A configuration that is wrong is refused whole,
/// and the one that runs goes on.
class Reloader {
 public:
  struct Parts {
    std::string path;                       ///< of the configuration file; empty: there is none
    std::function<ReceiverOptions()> read;  ///< command line and file once more
    std::function<Reloaded(const ReceiverOptions&)> apply;  ///< throws when it changed nothing
  };

  explicit Reloader(Parts parts);

  /// Returns the line that the operator reads, whatever goes wrong.
  std::string reload() noexcept;

 private:
  std::string change();

  Parts parts_;
};

}  // namespace linearb::cli
