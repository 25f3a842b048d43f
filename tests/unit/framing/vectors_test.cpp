// SPDX-License-Identifier: Apache-2.0
//
// Datagrams built from the published layouts (headers.json), and what each must decode to.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/framing_file.h"
#include "framing/framing.h"

namespace linearb {
namespace {

std::vector<lb_u8> bytes_of(const std::string& hex) {
  std::vector<lb_u8> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<lb_u8>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

/// The bytes on the heap and nothing behind them, so that AddressSanitizer sees one read too many.
lb_kind decode_exactly(const lb_framing& framing, const lb_u8* bytes, std::size_t length,
                       lb_datagram* datagram) {
  auto copy = std::make_unique<lb_u8[]>(length);
  std::copy(bytes, bytes + length, copy.get());
  lb_kind kind = lb_framing_decode(&framing, copy.get(), copy.get() + length,
                                   static_cast<lb_u32>(length), datagram);
  if (kind == LB_KIND_MALFORMED) return kind;
  lb_u32 offset = framing.header_length;
  for (lb_u32 i = 0; i < datagram->count; i++) {
    lb_u32 message = lb_message_length(&framing, copy.get(), static_cast<lb_u32>(length), offset);
    if (message == 0) break;
    offset += message;
  }
  EXPECT_LE(offset, length);
  return kind;
}

const std::map<std::string, lb_kind> kKinds = {
    {"data", LB_KIND_DATA},
    {"heartbeat", LB_KIND_HEARTBEAT},
    {"heartbeat_off_hours", LB_KIND_HEARTBEAT},
    {"end_of_session", LB_KIND_END_OF_SESSION},
    {"unsequenced_data", LB_KIND_UNSEQUENCED},
};

nlohmann::json vectors() {
  std::ifstream stream(std::string(LINEARB_SOURCE_DIR) + "/tests/unit/framing/headers.json");
  return nlohmann::json::parse(stream);
}

TEST(Vectors, DecodeAsTheyMust) {
  for (const auto& row : vectors()) {
    SCOPED_TRACE(row.at("feed").get<std::string>() + " " + row.at("kind").get<std::string>());
    lb_framing framing = config::builtin_framing(row.at("feed").get<std::string>()).descriptor;
    std::vector<lb_u8> bytes = bytes_of(row.at("hex"));
    lb_datagram datagram{};
    ASSERT_EQ(decode_exactly(framing, bytes.data(), bytes.size(), &datagram),
              kKinds.at(row.at("kind")));
    EXPECT_EQ(datagram.first, row.at("seq").get<lb_u64>());
    EXPECT_EQ(datagram.count, row.at("count").get<lb_u32>());
    const auto& next = row.at("next_expected_after");
    EXPECT_EQ(datagram.numbered != 0, !next.is_null());
    if (next.is_null()) continue;
    EXPECT_EQ(lb_framing_next(&framing, datagram.first, datagram.count), next.get<lb_u64>());
  }
}

TEST(Vectors, MessagesReachToTheEndOfThePayload) {
  for (const auto& row : vectors()) {
    SCOPED_TRACE(row.at("feed").get<std::string>() + " " + row.at("kind").get<std::string>());
    lb_framing framing = config::builtin_framing(row.at("feed").get<std::string>()).descriptor;
    std::vector<lb_u8> bytes = bytes_of(row.at("hex"));
    auto length = static_cast<lb_u32>(bytes.size());
    lb_u32 offset = framing.header_length;
    for (lb_u32 i = 0; i < row.at("count").get<lb_u32>(); i++) {
      lb_u32 message = lb_message_length(&framing, bytes.data(), length, offset);
      ASSERT_GT(message, 0u);
      offset += message;
    }
    EXPECT_EQ(offset, length);
    EXPECT_EQ(lb_message_length(&framing, bytes.data(), length, offset), 0u);
  }
}

TEST(Vectors, CutAnywhereTheyAreMalformedOrReadWithinTheirBytes) {
  for (const auto& row : vectors()) {
    lb_framing framing = config::builtin_framing(row.at("feed").get<std::string>()).descriptor;
    std::vector<lb_u8> bytes = bytes_of(row.at("hex"));
    for (std::size_t length = 0; length < bytes.size(); length++) {
      SCOPED_TRACE(length);
      lb_datagram datagram{};
      lb_kind kind = decode_exactly(framing, bytes.data(), length, &datagram);
      /* Only MoldUDP64 does not say how long it is: it may lose the end of its last message. */
      if (length >= framing.header_length && !framing.payload_length.width) continue;
      EXPECT_EQ(kind, LB_KIND_MALFORMED);
    }
  }
}

TEST(Vectors, SessionsAndUnitsAreToldApart) {
  std::map<lb_u64, std::string> seen;
  for (const char* hex :
       {"53455353494f4e30303100000000000000660000", "53455353494f4e30303200000000000000660000",
        "00000000000000000000000000000000006600"
        "00"}) {
    lb_framing framing = config::builtin_framing("moldudp64").descriptor;
    std::vector<lb_u8> bytes = bytes_of(hex);
    lb_datagram datagram{};
    ASSERT_EQ(decode_exactly(framing, bytes.data(), bytes.size(), &datagram), LB_KIND_HEARTBEAT);
    EXPECT_TRUE(seen.emplace(datagram.session, hex).second) << hex;
  }
  lb_framing framing = config::builtin_framing("cboe-pitch").descriptor;
  std::vector<lb_u8> bytes = bytes_of("080000034d000000");
  lb_datagram datagram{};
  ASSERT_EQ(decode_exactly(framing, bytes.data(), bytes.size(), &datagram), LB_KIND_HEARTBEAT);
  EXPECT_EQ(datagram.session, 3u);
}

TEST(Sessions, EveryByteOfEveryWidthMatters) {
  for (lb_u8 width = 1; width <= LB_SESSION_MAX; width++) {
    lb_framing framing{};
    framing.header_length = static_cast<lb_u16>(width + 4);
    framing.session = {.offset = 0, .width = width, .big_endian = 0};
    framing.sequence = {.offset = width, .width = 2, .big_endian = 0};
    framing.count = {.offset = static_cast<lb_u16>(width + 2), .width = 2, .big_endian = 0};
    std::map<lb_u64, unsigned> seen;
    for (unsigned changed = 0; changed <= width; changed++) {
      std::vector<lb_u8> bytes(framing.header_length);
      std::fill_n(bytes.begin(), width, 0x20);
      if (changed < width) bytes[changed] = 0x21;
      lb_datagram datagram{};
      ASSERT_EQ(decode_exactly(framing, bytes.data(), bytes.size(), &datagram), LB_KIND_HEARTBEAT);
      EXPECT_TRUE(seen.emplace(datagram.session, changed).second) << +width << " " << changed;
      EXPECT_EQ(datagram.session >> LB_MARK_BITS, 0u);
    }
  }
}

/// An optiq packet, field by field, as framings/optiq.toml lays it out.
std::vector<lb_u8> optiq_packet(lb_u32 session_id) {
  std::vector<lb_u8> bytes;
  auto append = [&](lb_u64 value, int width) {
    for (int i = 0; i < width; i++) bytes.push_back(static_cast<lb_u8>(value >> 8 * i));
  };
  append(1, 1);           // version
  append(36, 1);          // length
  append(7, 2);           // service id
  append(session_id, 4);  // session id
  append(99, 4);          // sequence number
  append(1'700'000'000'000'000'000, 8);
  append(2, 2);         // message type
  append(100, 2);       // quantity
  append(12345, 4);     // price
  append(0xABCDEF, 8);  // order id
  return bytes;
}

TEST(Optiq, PacketIsTheMessageOfItsSessionId) {
  lb_framing framing = config::builtin_framing("optiq").descriptor;
  std::vector<lb_u8> bytes = optiq_packet(0xFFFFFFFF);
  ASSERT_EQ(bytes.size(), 36u);
  lb_datagram datagram{};
  ASSERT_EQ(decode_exactly(framing, bytes.data(), bytes.size(), &datagram), LB_KIND_DATA);
  EXPECT_EQ(datagram.first, 0xFFFFFFFFu);
  EXPECT_EQ(datagram.count, 1u);
  EXPECT_EQ(datagram.session, 0u);
  EXPECT_EQ(lb_framing_next(&framing, datagram.first, 1), 0u);
  EXPECT_EQ(lb_message_length(&framing, bytes.data(), 36, framing.header_length), 16u);
}

TEST(Optiq, WrongVersionLengthOrSizeIsMalformed) {
  lb_framing framing = config::builtin_framing("optiq").descriptor;
  std::vector<lb_u8> bytes = optiq_packet(5);
  lb_datagram datagram{};
  for (std::size_t guard : {0u, 1u}) {
    std::vector<lb_u8> changed = bytes;
    changed[guard]++;
    EXPECT_EQ(decode_exactly(framing, changed.data(), changed.size(), &datagram),
              LB_KIND_MALFORMED);
  }
  for (std::size_t length = 0; length < bytes.size(); length++)
    EXPECT_EQ(decode_exactly(framing, bytes.data(), length, &datagram), LB_KIND_MALFORMED);
}

TEST(Pitch, LengthThatIsNotThatOfThePayloadIsMalformed) {
  lb_framing framing = config::builtin_framing("cboe-pitch").descriptor;
  std::vector<lb_u8> bytes = bytes_of("090000034d000000");
  lb_datagram datagram{};
  EXPECT_EQ(decode_exactly(framing, bytes.data(), bytes.size(), &datagram), LB_KIND_MALFORMED);
}

TEST(Mold, CountThatCannotBeThereIsMalformed) {
  lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  std::vector<lb_u8> bytes = bytes_of("53455353494f4e303031000000000000006400020000");
  lb_datagram datagram{};
  EXPECT_EQ(decode_exactly(framing, bytes.data(), bytes.size(), &datagram), LB_KIND_MALFORMED);
  bytes[19] = 1;
  EXPECT_EQ(decode_exactly(framing, bytes.data(), bytes.size(), &datagram), LB_KIND_DATA);
}

TEST(Mold, NumberBeyondTheMarkIsMalformed) {
  lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  std::vector<lb_u8> bytes = bytes_of("53455353494f4e303031010000000000000000010000");
  lb_datagram datagram{};
  EXPECT_EQ(decode_exactly(framing, bytes.data(), bytes.size(), &datagram), LB_KIND_MALFORMED);
}

}  // namespace
}  // namespace linearb
