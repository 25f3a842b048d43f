// SPDX-License-Identifier: Apache-2.0
//
// Captures that others recorded, from bats-dissectors (commit a0c2618) and moldudp-unwrap (commit
// de7a292) on GitHub. Without them these tests are skipped: see support/captures.h.
#include <algorithm>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "capture/raw_datagrams.h"
#include "capture/reader.h"
#include "config/framing_file.h"
#include "core/walk.h"
#include "support/captures.h"

namespace linearb::capture {
namespace {

/// What one multicast group of a capture carried.
struct Group {
  unsigned heartbeats = 0;
  unsigned unnumbered_heartbeats = 0;
  unsigned packets = 0;
  std::uint64_t messages = 0;
  std::uint64_t lowest = ~0ull;
  std::uint64_t next = 0;
  std::uint64_t lowest_heartbeat = ~0ull;
};

void count(Group& group, const lb_datagram& datagram, lb_kind kind) {
  if (kind == LB_KIND_HEARTBEAT) {
    (datagram.numbered ? group.heartbeats : group.unnumbered_heartbeats)++;
    group.lowest_heartbeat = std::min<std::uint64_t>(group.lowest_heartbeat, datagram.first);
    return;
  }
  ASSERT_EQ(kind, LB_KIND_DATA);
  group.packets++;
  group.messages += datagram.count;
  group.lowest = std::min<std::uint64_t>(group.lowest, datagram.first);
  group.next = std::max<std::uint64_t>(group.next, datagram.first + datagram.count);
}

TEST(RealCaptures, CboePitchIsAsItsReadmeSays) {
  lb_framing framing = config::builtin_framing("cboe-pitch").descriptor;
  auto path = test::find_capture("bats/mcastpitch_realtime_useq.pcap");
  if (!path) GTEST_SKIP() << test::no_capture("bats/mcastpitch_realtime_useq.pcap");
  Reader reader(*path);
  std::map<lb_u32, Group> groups;
  unsigned datagrams = 0;
  while (auto record = reader.next()) {
    const lb_u8* end = record->bytes.data() + record->bytes.size();
    lb_walk walk{};
    ASSERT_EQ(lb_walk_frame(record->bytes.data(), end, &walk), LB_WALK_DATAGRAM);
    EXPECT_EQ(walk.port, 32001);
    datagrams++;
    const lb_u8* payload = record->bytes.data() + walk.payload_offset;
    lb_datagram datagram{};
    lb_kind kind = lb_framing_decode(&framing, payload, payload + walk.payload_length,
                                     walk.payload_length, &datagram);
    EXPECT_EQ(lb_framing_key(&framing, payload, payload + walk.payload_length), 1u) << "unit";
    count(groups[walk.destination], datagram, kind);
    lb_u32 offset = framing.header_length;
    for (lb_u32 i = 0; i < datagram.count; i++)
      offset += lb_message_length(&framing, payload, walk.payload_length, offset);
    EXPECT_EQ(offset, walk.payload_length);
  }
  EXPECT_EQ(datagrams, 739u);
  ASSERT_EQ(groups.size(), 2u);
  const Group* real_time = nullptr;
  const Group* gap_response = nullptr;
  for (const auto& [address, group] : groups) (group.packets ? real_time : gap_response) = &group;
  ASSERT_TRUE(real_time && gap_response);
  EXPECT_EQ(real_time->heartbeats, 356u);
  EXPECT_EQ(real_time->lowest_heartbeat, 1u);
  EXPECT_EQ(real_time->packets, 19u);
  EXPECT_EQ(real_time->messages, 40u);
  EXPECT_EQ(real_time->lowest, 3u);
  EXPECT_EQ(real_time->next, 43u);
  EXPECT_EQ(gap_response->unnumbered_heartbeats, 364u);
  EXPECT_EQ(gap_response->heartbeats, 0u);
}

TEST(RealCaptures, MoldSampleIsAsItsReadmeSays) {
  lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  auto path = test::find_capture("mold/mold.sample.dat");
  if (!path) GTEST_SKIP() << test::no_capture("mold/mold.sample.dat");
  RawDatagrams raw(*path, framing);
  std::map<lb_u64, lb_u32> counts;
  while (auto payload = raw.next()) {
    lb_datagram datagram{};
    auto length = static_cast<lb_u32>(payload->size());
    ASSERT_EQ(
        lb_framing_decode(&framing, payload->data(), payload->data() + length, length, &datagram),
        LB_KIND_DATA);
    counts[datagram.first] = datagram.count;
  }
  EXPECT_TRUE(raw.cut()) << "the last message says 25 bytes, and the file has 20 more";
  EXPECT_EQ(counts, (std::map<lb_u64, lb_u32>{{1, 15}, {16, 13}, {29, 13}}));
}

}  // namespace
}  // namespace linearb::capture
