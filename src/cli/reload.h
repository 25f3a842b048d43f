// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "linearb/options.h"

namespace linearb::cli {

/// What is different, as "2 channels added (x, y), 1 removed (z), 12 unchanged". A channel is known
/// by its name and its framing; one that has other destinations is changed.
std::string describe_change(const std::vector<Channel>& before, const std::vector<Channel>& after);

/// Reads a receiver's options again while it runs. A configuration that is wrong is refused whole,
/// and the one that runs goes on.
class Reloader {
 public:
  struct Parts {
    std::string path;                       ///< of the configuration file; empty: there is none
    std::vector<Channel> running;           ///< of the receiver as it was started
    std::function<ReceiverOptions()> read;  ///< command line and file once more
    std::function<void(const ReceiverOptions&)> apply;  ///< throws when it changed nothing
  };

  explicit Reloader(Parts parts);

  /// Returns the line that the operator reads, whatever goes wrong.
  std::string reload() noexcept;

 private:
  std::string change();

  Parts parts_;
};

}  // namespace linearb::cli
