// SPDX-License-Identifier: Apache-2.0
//
// The target that must fail: whoever runs the fuzzers runs it first, and believes the others only
// when it was found out. The finding is a read behind the input, which takes four right bytes;
// where no AddressSanitizer sees that, a rule is broken behind it.
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || data[0] != 'b' || data[1] != 'i' || data[2] != 'r' || data[3] != 'd') return 0;
  const volatile std::uint8_t* const behind = data + size;
  static_cast<void>(*behind);
  linearb::fuzz::require(false, "the canary sings");
  return 0;
}
