// SPDX-License-Identifier: Apache-2.0
//
// Datagrams built from the published layouts, and what each must decode to: headers.json, and what
// more_headers.py adds to it.
#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/framing_file.h"
#include "framing/framing.h"
#include "unit/framing/bytes.h"

namespace linearb {
namespace {

using test::bytes_of;
using test::decode_exactly;

/// What the vectors call a feed, and its framing.
const std::map<std::string, std::string> kFramings = {
    {"moldudp64", "moldudp64"},
    {"ose_itch", "ose-itch"},
    {"asx_ntp", "asx-ntp"},
    {"cix_aspen", "cix-aspen"},
    {"cboe_pitch", "cboe-pitch"},
    {"cme_mdp3", "cme-mdp3"},
    {"iex_tp", "iex-tp"},
    {"nyse_pillar", "nyse-pillar"},
    {"opra_v6", "opra-v6"},
    {"opra_v5", "opra-v5"},
    {"cta_cqs", "cta-v2"},
    {"cta_cts", "cta-v2"},
    {"memx_udp", "memx"},
    {"miax_mach", "miax-mach"},
    {"eurex_eobi", "eurex-eobi"},
    {"hkex_omd", "hkex-omd"},
    {"lse_mitch_gtp", "lse-mitch"},
    {"euronext_optiq", "euronext-optiq-mdg"},
    {"ice_impact", "ice-impact"},
    {"b3_umdf", "b3-umdf"},
    {"coinbase_derivatives", "coinbase-derivatives"},
    {"deribit_starbase", "deribit"},
    {"moex_simba", "moex-simba"},
    {"aquis_amd", "aquis"},
};

/// What the vectors call a packet, and what it is here. A packet that comes first behind a restart
/// is data, unless it says so itself: it is its number, or its session, that begins anew.
const std::map<std::string, lb_kind> kKinds = {
    {"data", LB_KIND_DATA},
    {"data_bundle_of_2", LB_KIND_DATA},
    {"incremental", LB_KIND_DATA},
    {"first_of_week", LB_KIND_DATA},
    {"after_restart", LB_KIND_DATA},
    {"psn_overflow", LB_KIND_DATA},
    {"heartbeat", LB_KIND_HEARTBEAT},
    {"heartbeat_off_hours", LB_KIND_HEARTBEAT},
    {"heartbeat_before_session", LB_KIND_HEARTBEAT},
    {"heartbeat_Sequence_2", LB_KIND_HEARTBEAT},
    {"line_integrity", LB_KIND_HEARTBEAT},
    {"end_of_session", LB_KIND_END_OF_SESSION},
    {"session_shutdown", LB_KIND_END_OF_SESSION},
    {"end_of_day", LB_KIND_END_OF_SESSION},
    {"sequence_reset", LB_KIND_RESET},
    {"restart", LB_KIND_RESET},
    {"reset_block_sequence", LB_KIND_RESET},
    {"start_of_day", LB_KIND_RESET},
    {"start_of_session", LB_KIND_RESET},
    {"unsequenced_data", LB_KIND_UNSEQUENCED},
    {"retransmission", LB_KIND_RETRANSMISSION},
    {"malformed", LB_KIND_MALFORMED},
};

struct Vector {
  std::string feed, what;
  std::string name;
  lb_framing framing;
  lb_kind kind;
  std::vector<lb_u8> bytes;
  lb_u64 seq;
  lb_u32 count;         // of the header
  nlohmann::json next;  // null: it says nothing
};

std::vector<Vector> vectors() {
  std::vector<Vector> all;
  for (const char* file : {"headers.json", "more_headers.json"}) {
    std::ifstream stream(std::string(LINEARB_SOURCE_DIR) + "/tests/unit/framing/" + file);
    for (const auto& row : nlohmann::json::parse(stream)) {
      const std::string feed = row.at("feed"), what = row.at("kind");
      all.push_back({.feed = feed,
                     .what = what,
                     .name = feed + " " + what + ": " + row.at("note").get<std::string>(),
                     .framing = config::builtin_framing(kFramings.at(feed)).descriptor,
                     .kind = kKinds.at(what),
                     .bytes = bytes_of(row.at("hex")),
                     .seq = row.at("seq"),
                     .count = row.at("count"),
                     .next = row.at("next_expected_after")});
    }
  }
  return all;
}

/// Whether its messages have numbers of their own. A reset, or the end of a session, may be such a
/// message; what says only which number comes next has none.
bool has_messages(const Vector& vector) {
  switch (vector.kind) {
    case LB_KIND_DATA:
    case LB_KIND_UNSEQUENCED:
    case LB_KIND_RETRANSMISSION:
      return true;
    case LB_KIND_RESET:
    case LB_KIND_END_OF_SESSION:  // next + count is what comes next, if the number is its own
      return vector.count > 0 && vector.next == vector.seq + vector.count;
    default:
      return false;
  }
}

TEST(Vectors, DecodeAsTheyMust) {
  for (const Vector& vector : vectors()) {
    SCOPED_TRACE(vector.name);
    lb_datagram datagram{};
    ASSERT_EQ(decode_exactly(vector.framing, vector.bytes, &datagram), vector.kind);
    if (vector.kind == LB_KIND_MALFORMED) continue;
    EXPECT_EQ(datagram.count, has_messages(vector) ? vector.count : 0);
    if (has_messages(vector) && datagram.numbered) {
      EXPECT_EQ(datagram.first, vector.seq);
    }
    if (vector.next.is_null()) continue;
    EXPECT_TRUE(datagram.numbered);
    EXPECT_EQ(lb_framing_next(&vector.framing, datagram.first, datagram.count), vector.next);
  }
}

TEST(Vectors, WhatSaysNothingOfTheNextNumberIsNotBelievedToSayIt) {
  for (const Vector& vector : vectors()) {
    if (!vector.next.is_null() || vector.kind == LB_KIND_MALFORMED) continue;
    SCOPED_TRACE(vector.name);
    lb_datagram datagram{};
    decode_exactly(vector.framing, vector.bytes, &datagram);
    if (vector.what == "line_integrity") {
      // It repeats the number of the last message, which is as good as naming the next one: it
      // moves nothing where that message came, and tells of a loss where it did not.
      EXPECT_TRUE(datagram.numbered);
      EXPECT_EQ(datagram.first, vector.seq + 1);
    } else {
      // A retransmission has numbers, and by its kind says nothing about where its line is.
      EXPECT_EQ(datagram.numbered != 0, vector.kind == LB_KIND_RETRANSMISSION);
    }
  }
}

/// In OPRA's global trading hours blocks of OPRA itself have another session indicator than those
/// of participants, and one sequence with them.
TEST(Vectors, TheSessionIndicatorOfOpraIsNoSession) {
  for (Vector& vector : vectors()) {
    if (vector.feed != "opra_v6" || vector.kind == LB_KIND_MALFORMED) continue;
    constexpr std::size_t kSessionIndicator = 5;
    for (const lb_u8 indicator : std::initializer_list<lb_u8>{0, 1, 5, 0x58}) {
      vector.bytes[kSessionIndicator] = indicator;
      lb_datagram datagram{};
      EXPECT_EQ(decode_exactly(vector.framing, vector.bytes, &datagram), vector.kind);
      EXPECT_EQ(datagram.session, 0u) << indicator;
    }
  }
}

TEST(Vectors, AreOfEveryFramingThatComesAlong) {
  std::set<std::string> seen = {"optiq"};  // its tests are below
  for (const Vector& vector : vectors())
    if (vector.kind == LB_KIND_DATA) seen.insert(kFramings.at(vector.feed));
  for (const std::string& name : config::builtin_framing_names())
    EXPECT_TRUE(seen.contains(name)) << name;
}

TEST(Vectors, MessagesReachToTheEndOfThePayload) {
  for (const Vector& vector : vectors()) {
    const auto length = static_cast<lb_u32>(vector.bytes.size());
    if (vector.kind == LB_KIND_MALFORMED || !has_messages(vector) ||
        !(lb_framing_is_one_message(&vector.framing) ||
          lb_messages_can_be_walked(&vector.framing, vector.bytes.data(), length)))
      continue;
    SCOPED_TRACE(vector.name);
    lb_u32 offset = vector.framing.header_length;
    for (lb_u32 i = 0; i < vector.count; i++) {
      const lb_u32 message =
          lb_message_length(&vector.framing, vector.bytes.data(), length, offset);
      ASSERT_GT(message, 0u);
      offset += message;
    }
    EXPECT_EQ(offset, length);
    EXPECT_EQ(lb_message_length(&vector.framing, vector.bytes.data(), length, offset), 0u);
  }
}

TEST(Vectors, CutAnywhereTheyAreMalformedOrReadWithinTheirBytes) {
  for (const Vector& vector : vectors()) {
    for (std::size_t length = 0; length < vector.bytes.size(); length++) {
      SCOPED_TRACE(vector.name + " cut to " + std::to_string(length));
      lb_datagram datagram{};
      const lb_kind kind = decode_exactly(vector.framing, {vector.bytes.data(), length}, &datagram);
      // Who does not say how long a packet is may lose the end of the last message.
      if (length < vector.framing.least_length || vector.framing.payload_length.width) {
        EXPECT_EQ(kind, LB_KIND_MALFORMED);
      }
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
    ASSERT_EQ(decode_exactly(framing, bytes, &datagram), LB_KIND_HEARTBEAT);
    EXPECT_TRUE(seen.emplace(datagram.session, hex).second) << hex;
  }
  lb_framing framing = config::builtin_framing("cboe-pitch").descriptor;
  std::vector<lb_u8> bytes = bytes_of("080000034d000000");
  lb_datagram datagram{};
  ASSERT_EQ(decode_exactly(framing, bytes, &datagram), LB_KIND_HEARTBEAT);
  EXPECT_EQ(datagram.session, 0u);
  EXPECT_EQ(lb_framing_key(&framing, bytes.data(), bytes.data() + bytes.size()), 3u);
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
      ASSERT_EQ(decode_exactly(framing, bytes, &datagram), LB_KIND_HEARTBEAT);
      EXPECT_TRUE(seen.emplace(datagram.session, changed).second) << +width << " " << changed;
      EXPECT_EQ(datagram.session >> LB_MARK_BITS, 0u);
    }
  }
}

/// They cross from one process to another, in marks and memories: a build folds as the one before
/// it did, or it has another layout.
TEST(Sessions, AreFoldedAsTheyAlwaysWere) {
  struct Fold {
    std::string_view session;
    lb_u8 big_endian;
    lb_u64 folded;
  };
  constexpr Fold table[] = {{"SESS", 1, 0x53455353ull},
                            {"SESS", 0, 0x53534553ull},
                            {"SESSION0", 1, 0x595c43eb1e5256ull},
                            {"SESSION001", 1, 0x3a7986b5e5f000ull},
                            {"SESSION001", 0, 0x3224c5b8303eccull}};
  for (const Fold& row : table) {
    lb_framing framing{};
    const auto width = static_cast<lb_u8>(row.session.size());
    framing.header_length = static_cast<lb_u16>(width + 4);
    framing.session = {.offset = 0, .width = width, .big_endian = row.big_endian};
    framing.sequence = {.offset = width, .width = 2, .big_endian = 0};
    framing.count = {.offset = static_cast<lb_u16>(width + 2), .width = 2, .big_endian = 0};
    std::vector<lb_u8> bytes(framing.header_length);
    std::ranges::copy(row.session, bytes.begin());
    lb_datagram datagram{};
    ASSERT_EQ(decode_exactly(framing, bytes, &datagram), LB_KIND_HEARTBEAT);
    EXPECT_EQ(datagram.session, row.folded) << row.session << " " << +row.big_endian;
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
  ASSERT_EQ(decode_exactly(framing, bytes, &datagram), LB_KIND_DATA);
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
    EXPECT_EQ(decode_exactly(framing, changed, &datagram), LB_KIND_MALFORMED);
  }
  for (std::size_t length = 0; length < bytes.size(); length++)
    EXPECT_EQ(decode_exactly(framing, {bytes.data(), length}, &datagram), LB_KIND_MALFORMED);
}

TEST(Pitch, LengthThatIsNotThatOfThePayloadIsMalformed) {
  lb_framing framing = config::builtin_framing("cboe-pitch").descriptor;
  std::vector<lb_u8> bytes = bytes_of("090000034d000000");
  lb_datagram datagram{};
  EXPECT_EQ(decode_exactly(framing, bytes, &datagram), LB_KIND_MALFORMED);
}

TEST(Mold, CountThatCannotBeThereIsMalformed) {
  lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  std::vector<lb_u8> bytes = bytes_of("53455353494f4e303031000000000000006400020000");
  lb_datagram datagram{};
  EXPECT_EQ(decode_exactly(framing, bytes, &datagram), LB_KIND_MALFORMED);
  bytes[19] = 1;
  EXPECT_EQ(decode_exactly(framing, bytes, &datagram), LB_KIND_DATA);
}

TEST(Mold, NumberBeyondTheMarkIsMalformed) {
  lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  std::vector<lb_u8> bytes = bytes_of("53455353494f4e303031010000000000000000010000");
  lb_datagram datagram{};
  EXPECT_EQ(decode_exactly(framing, bytes, &datagram), LB_KIND_MALFORMED);
}

}  // namespace
}  // namespace linearb
