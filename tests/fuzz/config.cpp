// SPDX-License-Identifier: Apache-2.0
//
// Any text as the configuration file of `linearb receive`: it is understood, or refused as a
// mistake of the user's.
#include <string_view>

#include "cli/receive.h"
#include "core/layout.h"
#include "fuzz/fuzz.h"
#include "fuzz/memory_file.h"
#include "linearb/error.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linearb;
  // A framing may be any file that is there; a device has no end.
  if (std::string_view(reinterpret_cast<const char*>(data), size).contains("/dev")) return 0;
  const fuzz::MemoryFile file({data, size});
  fuzz::expect_used_or_refused([&] {
    const ReceiverOptions options = cli::parse_receive({"receive", "--config", file.path()});
    fuzz::require(options.lines.size() <= LB_LINES_MAX, "lines have their places");
    fuzz::require(options.channels.size() <= LB_CHANNELS_MAX, "channels have theirs");
  });
  return 0;
}
