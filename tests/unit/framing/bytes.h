// SPDX-License-Identifier: Apache-2.0
//
// What tests of framings do with bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "framing/framing.h"

namespace linearb::test {

inline std::vector<lb_u8> bytes_of(const std::string& hex) {
  std::vector<lb_u8> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<lb_u8>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

/// The bytes on the heap and nothing behind them, so that AddressSanitizer sees one read too many.
inline lb_kind decode_exactly(const lb_framing& framing, std::span<const lb_u8> bytes,
                              lb_datagram* datagram) {
  const auto length = static_cast<lb_u32>(bytes.size());
  auto copy = std::make_unique<lb_u8[]>(length);
  std::copy(bytes.begin(), bytes.end(), copy.get());
  lb_kind kind = lb_framing_decode(&framing, copy.get(), copy.get() + length, length, datagram);
  if (kind == LB_KIND_MALFORMED) return kind;
  lb_u32 offset = framing.header_length;
  for (lb_u32 i = 0; i < datagram->count; i++) {
    lb_u32 message = lb_message_length(&framing, copy.get(), length, offset);
    if (message == 0) break;
    offset += message;
  }
  if (datagram->count) {
    EXPECT_LE(offset, length);
  }
  return kind;
}

}  // namespace linearb::test
