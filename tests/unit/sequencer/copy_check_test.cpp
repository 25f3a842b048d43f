// SPDX-License-Identifier: Apache-2.0
#include "sequencer/copy_check.h"

#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "unit/sequencer/allocations.h"

namespace linearb::sequencer::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// Packets of moldudp64, whose messages can be told apart.
class CopyCheckTest : public testing::Test, protected Decisions, protected Notices {
 protected:
  CopyCheckTest() { copies_.follow(sequencer_); }

  void decided(const Packet&, const Decision&) noexcept override { ++decided_; }
  bool has_room() const noexcept override { return true; }
  void tell(const Notice& notice) noexcept override {
    last_ = notice;
    ++told_;
  }

  /// Messages of one byte each.
  static Bytes packet(std::uint8_t first, const Bytes& messages) {
    Bytes bytes(20);
    bytes[0] = 'S';
    bytes[17] = first;
    bytes[19] = static_cast<std::uint8_t>(messages.size());
    for (const std::uint8_t message : messages) bytes.insert(bytes.end(), {0, 1, message});
    return bytes;
  }
  void send(std::size_t line, const Bytes& payload, bool is_claimed = false) {
    Packet packet;
    packet.line = static_cast<std::uint8_t>(line);
    packet.arrival_ns = now_ns_ += 1000;
    packet.payload = payload;
    packet.is_claimed = is_claimed;
    sequencer::decode(framing_, packet);
    sequencer_.push(packet);
  }

  lb_framing framing_ = config::builtin_framing("moldudp64").descriptor;
  const lb_framing* framings_[1] = {&framing_};
  CopyCheck copies_{*this, this};
  Sequencer sequencer_{framings_, {.lines = 2}, Sequencer::Dedup::window, copies_};
  std::uint64_t now_ns_ = 1'000'000'000;
  std::uint64_t decided_ = 0;
  std::uint64_t told_ = 0;
  Notice last_;
};

TEST_F(CopyCheckTest, TheSameBytesAreNoMatter) {
  send(0, packet(1, {7, 8, 9}));
  send(1, packet(1, {7, 8, 9}));
  EXPECT_EQ(decided_, 2u);
  EXPECT_EQ(copies_.divergent(1), 0u);
  EXPECT_EQ(told_, 0u);
}

TEST_F(CopyCheckTest, OtherBytesAreOfTheLineThatBroughtThemLater) {
  send(0, packet(1, {7, 8, 9}));
  send(1, packet(1, {7, 0, 0}));
  EXPECT_EQ(decided_, 2u);
  EXPECT_EQ(copies_.divergent(0), 0u);
  EXPECT_EQ(copies_.divergent(1), 1u) << "a packet, not a message";
  ASSERT_EQ(told_, 1u);
  EXPECT_EQ(last_.kind, Notice::Kind::divergent);
  EXPECT_EQ(last_.line, 1);
  EXPECT_EQ(last_.epoch, 1u);
  EXPECT_EQ(last_.first, 2u);
  EXPECT_EQ(last_.count, 2u);
}

TEST_F(CopyCheckTest, MessagesAreComparedHoweverTheyArePacked) {
  send(0, packet(1, {1, 2}));
  send(0, packet(3, {3, 4}));
  send(1, packet(1, {1}));
  send(1, packet(2, {2, 3, 4, 5}));
  EXPECT_EQ(told_, 0u);
  send(0, packet(4, {4, 0, 6}));
  EXPECT_EQ(copies_.divergent(0), 1u) << "B had brought another 5";
}

TEST_F(CopyCheckTest, HeadersAreNotCompared) {
  Bytes copy = packet(1, {1});
  send(0, copy);
  copy[1] = 'T';  // another session: an epoch of its own
  send(1, copy);
  EXPECT_EQ(told_, 0u);
}

TEST_F(CopyCheckTest, WhatTheHookHasClaimedIsPassedOver) {
  send(0, packet(1, {1}), true);
  send(1, packet(1, {2}));
  EXPECT_EQ(told_, 0u) << "nothing is known of the first";
  send(0, packet(2, {1}));
  send(1, packet(2, {2}), true);
  EXPECT_EQ(told_, 0u);
}

/// Of the first epoch the message is known, of the second it is not: the hook has claimed it there.
TEST_F(CopyCheckTest, InAnotherEpochItIsAnotherMessage) {
  send(0, packet(1, {1}));
  Bytes next = packet(1, {2});
  next[1] = 'T';  // another session
  send(0, next, true);
  send(1, next);
  EXPECT_EQ(sequencer_.channel(0).newest_epoch(), 2u);
  EXPECT_EQ(told_, 0u);
}

TEST_F(CopyCheckTest, AllocatesNothingAfterItsConstruction) {
  const Bytes payload = packet(1, {1, 2, 3});
  const Allocations allocations;
  for (int i = 0; i < 1000; ++i) send(1, payload);
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace linearb::sequencer::test
