// SPDX-License-Identifier: Apache-2.0
#include "sink/trim.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "core/walk.h"
#include "support/packet.h"
#include "unit/sink/payload.h"

namespace linearb::sink {
namespace {

using test::Bytes;
using test::frame_of;

lb_framing framing_of(const std::string& name) {
  return config::builtin_framing(name).descriptor;
}

lb_walk walk_of(const Bytes& frame) {
  lb_walk walk{};
  EXPECT_EQ(lb_walk_frame(frame.data(), frame.data() + frame.size(), &walk), LB_WALK_DATAGRAM);
  return walk;
}

/// All frames that the runs make; nothing when the packet cannot be trimmed.
std::vector<Bytes> trimmed(const lb_framing& framing, const Bytes& frame, std::uint64_t first,
                           const std::vector<lb_run>& runs) {
  lb_walk walk = walk_of(frame);
  Trim trim{.framing = framing,
            .payload_offset = walk.payload_offset,
            .payload_length = walk.payload_length,
            .first = first,
            .runs = runs};
  Trimmer trimmer(frame, trim);
  std::vector<Bytes> frames;
  if (!trimmer.possible()) return frames;
  while (trimmer.next()) {
    frames.emplace_back(trimmer.size());
    trimmer.write(frames.back().data());
  }
  return frames;
}

void expect_right_checksums(const Bytes& frame, bool udp_checksum) {
  lb_walk walk = walk_of(frame);
  std::size_t udp = walk.payload_offset - 8u;
  std::span<const std::uint8_t> ip_header(&frame[walk.ip_offset], udp - walk.ip_offset);
  std::span<const std::uint8_t> datagram(&frame[udp], 8u + walk.payload_length);
  EXPECT_EQ(test::checksum_fold(ip_header), 0xFFFF);
  if (udp_checksum) {
    /* RFC 768: the pseudo-header is both addresses, protocol and length. */
    std::uint32_t length = static_cast<std::uint32_t>(datagram.size());
    std::uint32_t sum = test::checksum_fold(ip_header.subspan(12, 8), 17 + length);
    EXPECT_EQ(test::checksum_fold(datagram, sum), 0xFFFF);
  } else {
    EXPECT_EQ(datagram[6] + datagram[7], 0);
  }
}

/// The frame with an identification, which a trim has to leave alone.
Bytes identified(Bytes frame) {
  lb_walk walk = walk_of(frame);
  test::store_u16(frame, walk.ip_offset + 4u, 0xabcd);
  test::store_u16(frame, walk.ip_offset + 10u, 0);
  std::span<const std::uint8_t> ip_header(&frame[walk.ip_offset],
                                          walk.payload_offset - 8u - walk.ip_offset);
  test::store_u16(frame, walk.ip_offset + 10u, 0xffffu - test::checksum_fold(ip_header));
  return frame;
}

/// The frame without what a trim may change: IP length and checksum, UDP length and checksum.
Bytes kept_headers(const Bytes& frame) {
  lb_walk walk = walk_of(frame);
  Bytes headers(frame.begin(), frame.begin() + walk.payload_offset);
  for (std::size_t changed :
       {walk.ip_offset + 2, walk.ip_offset + 10, walk.payload_offset - 4, walk.payload_offset - 2})
    headers[changed] = headers[changed + 1] = 0;
  return headers;
}

/// Messages of a decoded frame, walked one by one.
std::vector<Bytes> messages_of(const lb_framing& framing, const Bytes& frame,
                               const lb_datagram& datagram) {
  lb_walk walk = walk_of(frame);
  const lb_u8* payload = &frame[walk.payload_offset];
  std::vector<Bytes> messages;
  lb_u32 offset = framing.header_length;
  for (lb_u32 i = 0; i < datagram.count; i++) {
    lb_u32 length = lb_message_length(&framing, payload, walk.payload_length, offset);
    EXPECT_GT(length, 0u);
    messages.emplace_back(payload + offset, payload + offset + length);
    offset += length;
  }
  EXPECT_EQ(offset, walk.payload_length) << "nothing stands behind the last message";
  return messages;
}

lb_datagram decoded(const lb_framing& framing, const Bytes& frame) {
  lb_walk walk = walk_of(frame);
  const lb_u8* payload = &frame[walk.payload_offset];
  lb_datagram datagram{};
  EXPECT_EQ(lb_framing_decode(&framing, payload, payload + walk.payload_length, walk.payload_length,
                              &datagram),
            LB_KIND_DATA);
  return datagram;
}

/// Everything about one trial, made from its seed alone.
struct Trial {
  explicit Trial(const lb_framing& feed, unsigned seed) : framing(feed), random(seed) {
    messages.resize(1 + below(30));
    for (Bytes& message : messages) {
      message.resize(framing.smallest_message + below(40));
      for (std::uint8_t& byte : message) byte = static_cast<std::uint8_t>(random());
    }
    /* Every fourth packet crosses the end of the numbers. */
    first = below(4) ? 1 + below(1'000'000) : framing.sequence_limit - 1 - below(10);
    for (std::size_t tags = below(3); tags > 0; tags--) packet.vlan(0x2064);
    packet.options(4 * below(4)).padding(below(20));
    udp_checksum = below(2) == 0;
    if (!udp_checksum) packet.without_udp_checksum();
    packet.payload(test::payload_of(framing, first, messages));
    choose_runs();
  }

  void choose_runs() {
    std::size_t index = below(4);
    while (index < messages.size()) {
      std::size_t count = 1 + below(std::min<std::size_t>(5, messages.size() - index));
      begins.push_back(index);
      runs.push_back({.first = lb_framing_next(&framing, first, static_cast<lb_u32>(index)),
                      .count = static_cast<lb_u32>(count)});
      index += count + 1 + below(4);
    }
  }

  std::size_t below(std::size_t limit) { return random() % limit; }

  lb_framing framing;
  std::mt19937 random;
  std::vector<Bytes> messages;
  std::uint64_t first = 0;
  test::PacketBuilder packet;
  bool udp_checksum = true;
  std::vector<lb_run> runs;
  std::vector<std::size_t> begins;  // index of the first message of each run
};

void check(const Trial& trial) {
  Bytes frame = identified(trial.packet.build());
  lb_datagram whole = decoded(trial.framing, frame);
  std::vector<Bytes> all = messages_of(trial.framing, frame, whole);
  std::vector<Bytes> frames = trimmed(trial.framing, frame, trial.first, trial.runs);
  ASSERT_EQ(frames.size(), trial.runs.size());
  for (std::size_t i = 0; i < frames.size(); i++) {
    lb_datagram datagram = decoded(trial.framing, frames[i]);
    EXPECT_EQ(datagram.first, trial.runs[i].first);
    EXPECT_EQ(datagram.count, trial.runs[i].count);
    EXPECT_EQ(datagram.session, whole.session);
    auto begin = all.begin() + static_cast<std::ptrdiff_t>(trial.begins[i]);
    EXPECT_EQ(messages_of(trial.framing, frames[i], datagram),
              std::vector<Bytes>(begin, begin + trial.runs[i].count));
    EXPECT_EQ(kept_headers(frames[i]), kept_headers(frame));
    lb_walk walk = walk_of(frames[i]);
    EXPECT_EQ(frames[i].size(), walk.payload_offset + walk.payload_length) << "no padding";
    EXPECT_EQ(lb_load_u16_be(&frames[i][walk.ip_offset + 2u]), frames[i].size() - walk.ip_offset);
    expect_right_checksums(frames[i], trial.udp_checksum);
  }
}

TEST(Trimmer, KeepsTheMessagesOfItsRunsAndNothingElse) {
  for (const char* name : {"moldudp64", "cboe-pitch"}) {
    lb_framing framing = framing_of(name);
    for (unsigned seed = 0; seed < 2000 && !testing::Test::HasFailure(); seed++) {
      SCOPED_TRACE(std::string(name) + " seed " + std::to_string(seed));
      check(Trial(framing, seed));
    }
  }
}

TEST(Trimmer, WritesAUdpChecksumOfZeroAsAllOnes) {
  lb_framing framing = framing_of("moldudp64");
  Bytes message(4);
  auto checksum_with = [&](std::uint32_t word) {
    test::store_u16(message, 2, word);
    Bytes frame = frame_of(framing, 1, {Bytes(4), message});
    Bytes result = trimmed(framing, frame, 1, {{.first = 2, .count = 1}}).at(0);
    return lb_load_u16_be(&result[walk_of(result).payload_offset - 2u]);
  };
  /* A word that is the checksum of the rest makes the sum all ones, and its complement 0. */
  EXPECT_EQ(checksum_with(checksum_with(0)), 0xFFFF);
}

TEST(Trimmer, WithoutRunsThereIsNothingToWrite) {
  lb_framing framing = framing_of("moldudp64");
  Bytes frame = frame_of(framing, 1, {Bytes(4)});
  EXPECT_TRUE(trimmed(framing, frame, 1, {}).empty());
}

class TrimmerRefuses : public testing::Test {
 protected:
  bool possible(const std::vector<lb_run>& runs, std::uint64_t first = 10) {
    lb_walk walk{};
    lb_walk_frame(frame_.data(), frame_.data() + frame_.size(), &walk);
    Trim trim{.framing = framing_,
              .payload_offset = walk.payload_offset,
              .payload_length = walk.payload_length + payload_error_,
              .first = first,
              .runs = runs};
    return Trimmer(frame_, trim).possible();
  }

  lb_framing framing_ = framing_of("cboe-pitch");
  Bytes frame_ = frame_of(framing_, 10, {Bytes(4), Bytes(9), Bytes(5)});
  std::uint32_t payload_error_ = 0;
};

TEST_F(TrimmerRefuses, NothingThatIsThere) {
  EXPECT_TRUE(possible({{10, 1}, {12, 1}}));
  EXPECT_TRUE(possible({{10, 3}}));
  EXPECT_TRUE(possible({{10, 1}, {11, 1}}));
}

TEST_F(TrimmerRefuses, RunsThatAreNotInThePacket) {
  EXPECT_FALSE(possible({{9, 1}}));
  EXPECT_FALSE(possible({{13, 1}}));
  EXPECT_FALSE(possible({{0, 1}}));
  EXPECT_FALSE(possible({{11, 3}}));
  EXPECT_FALSE(possible({{11, 0xFFFFFFFF}}));
  EXPECT_FALSE(possible({{11, 0}}));
}

TEST_F(TrimmerRefuses, ANumberThatTheFeedNeverHasAfterItsWrap) {
  frame_ = frame_of(framing_, 0xFFFFFFFF, {Bytes(4), Bytes(9), Bytes(5)});
  EXPECT_TRUE(possible({{1, 1}}, 0xFFFFFFFF));
  EXPECT_FALSE(possible({{0, 1}}, 0xFFFFFFFF));
}

TEST_F(TrimmerRefuses, RunsThatOverlapOrGoBack) {
  EXPECT_FALSE(possible({{10, 2}, {11, 1}}));
  EXPECT_FALSE(possible({{12, 1}, {10, 1}}));
}

TEST_F(TrimmerRefuses, APacketOfAnotherNumber) {
  EXPECT_FALSE(possible({{11, 1}}, 11));
}

TEST_F(TrimmerRefuses, MessagesThatDoNotFitThePayload) {
  frame_[walk_of(frame_).payload_offset + 8u + 4] = 200;
  EXPECT_TRUE(possible({{10, 1}}));
  EXPECT_FALSE(possible({{11, 1}}));
  EXPECT_FALSE(possible({{12, 1}}));
}

TEST_F(TrimmerRefuses, APacketThatIsNoDataOfTheFraming) {
  frame_[walk_of(frame_).payload_offset]++;  // its length
  EXPECT_FALSE(possible({{10, 1}}));
}

TEST_F(TrimmerRefuses, AnotherPayloadThanTheFrameHas) {
  payload_error_ = 1;
  EXPECT_FALSE(possible({{10, 1}}));
}

TEST_F(TrimmerRefuses, WhatIsNoDatagram) {
  frame_.resize(frame_.size() - 1);
  EXPECT_FALSE(possible({{10, 1}}));
}

TEST_F(TrimmerRefuses, FramingsThatCannotBeWalked) {
  framing_.message_length.width = 0;
  EXPECT_FALSE(possible({{10, 1}}));
  framing_ = framing_of("optiq");
  EXPECT_FALSE(possible({{10, 1}}));
}

}  // namespace
}  // namespace linearb::sink
