// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What fuzz targets share. A target is a file with LLVMFuzzerTestOneInput: any bytes, and what has
/// to hold of them. libFuzzer looks for bytes with which it does not (./dev fuzz); replay_main.cpp
/// runs those of corpus/ in every other build.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "linearb/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace linearb::fuzz {

/// The input has broken a rule: it is a finding.
inline void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken rule: %s\n", rule);
  std::abort();
}

/// Whatever the input is, it can be used, or who used it is told what is wrong.
template <class Use>
void expect_used_or_refused(Use use) {
  try {
    use();
  } catch (const UsageError& error) {
    require(*error.what() != '\0', "a refusal says why");
  }
}

/// Choices from the front of the input. Behind its end they are all zero.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}

  bool empty() const { return bytes_.empty(); }

  template <class Value>
  Value take() {
    Value value{};
    const std::span<const std::uint8_t> from = bytes(sizeof(value));
    if (!from.empty()) std::memcpy(&value, from.data(), from.size());
    return value;
  }
  std::uint8_t byte() { return take<std::uint8_t>(); }
  /// 0 to limit - 1, of a limit up to 65,536.
  std::uint32_t below(std::uint32_t limit) {
    return (limit > 256 ? take<std::uint16_t>() : byte()) % limit;
  }
  bool flag() { return byte() & 1; }
  std::span<const std::uint8_t> bytes(std::size_t count) {
    const auto taken = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }
  std::span<const std::uint8_t> rest() { return bytes(bytes_.size()); }

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace linearb::fuzz
