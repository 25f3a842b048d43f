// SPDX-License-Identifier: Apache-2.0
#include "hook/flow_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <random>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "support/error_text.h"

namespace linearb::hook {
namespace {

using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint16_t>;

Key key_of(const lb_flow& flow) {
  return {flow.interface_index, flow.destination, flow.port};
}

lb_flow flow_of(std::uint32_t interface_index, std::uint32_t destination, std::uint16_t port,
                std::uint16_t channel = 0) {
  lb_flow flow{};
  flow.interface_index = interface_index;
  flow.destination = destination;
  flow.port = port;
  flow.channel = channel;
  return flow;
}

std::uint32_t group(std::uint32_t last_two_bytes) {
  return 0xef000000u + last_two_bytes;
}

/// As src/bpf looks: one bucket of both tables behind each other, exact flows if there are any,
/// then those that take every destination, if there are any.
const lb_flow* find_as_the_hook_does(std::span<const lb_flow_bucket> map, std::uint64_t index,
                                     const Key& key) {
  const auto [interface_index, destination, port] = key;
  const auto look = [&](std::uint32_t address) {
    return lb_bucket_find(&map[lb_flow_bucket_of(index, interface_index, address, port)],
                          interface_index, address, port);
  };
  const lb_flow* flow = nullptr;
  if (index & LB_FLOWS_EXACT) flow = look(destination);
  if (!flow && index & LB_FLOWS_ANY) flow = look(0);
  return flow;
}

/// The map of the hook, with the table in its place.
std::vector<lb_flow_bucket> map_with(const FlowTable& table, std::uint32_t place) {
  std::vector<lb_flow_bucket> map(LB_FLOW_TABLES * table.buckets.size());
  std::ranges::copy(table.buckets, map.begin() + static_cast<long>(place * table.buckets.size()));
  return map;
}

std::vector<lb_flow> random_flows(std::mt19937& random, std::size_t count) {
  std::set<Key> keys;
  std::vector<lb_flow> flows;
  while (flows.size() < count) {
    const std::uint32_t interface_index = 3 + random() % 4;
    const std::uint32_t destination = random() % 5 == 0 ? 0 : group(random() % 0x10000);
    const auto port = static_cast<std::uint16_t>(30'001 + random() % 2000);
    if (!keys.insert({interface_index, destination, port}).second) continue;
    flows.push_back(
        flow_of(interface_index, destination, port, static_cast<std::uint16_t>(flows.size())));
  }
  return flows;
}

TEST(FlowTable, FindsEveryFlowAsTheHookDoes) {
  for (const std::size_t count : {1, 4, 5, 64, 65, 500, 1000, 4000}) {
    std::mt19937 random(static_cast<std::uint32_t>(count));
    const std::vector<lb_flow> flows = random_flows(random, count);
    for (const std::uint32_t place : {0u, 1u}) {
      const FlowTable table = build_flow_table(flows, buckets_for(count), place);
      const std::vector<lb_flow_bucket> map = map_with(table, place);
      for (const lb_flow& flow : flows) {
        const lb_flow* const by_hook = find_as_the_hook_does(map, table.index, key_of(flow));
        ASSERT_NE(by_hook, nullptr) << count << " flows, channel " << flow.channel;
        EXPECT_EQ(by_hook->channel, flow.channel);
        const auto [interface_index, destination, port] = key_of(flow);
        const lb_flow* const by_receiver = find_flow(table, interface_index, destination, port);
        ASSERT_NE(by_receiver, nullptr);
        EXPECT_EQ(by_receiver->channel, flow.channel);
      }
    }
  }
}

TEST(FlowTable, AgreesWithTheHookOnWhatIsNoFlow) {
  std::mt19937 random(1);
  const std::vector<lb_flow> flows = random_flows(random, 1000);
  const FlowTable table = build_flow_table(flows, buckets_for(flows.size()), 1);
  const std::vector<lb_flow_bucket> map = map_with(table, 1);
  std::set<Key> keys;
  for (const lb_flow& flow : flows) keys.insert(key_of(flow));
  int found = 0;
  for (int i = 0; i < 100'000; ++i) {
    const Key key{3 + random() % 5, group(random() % 0x10000), 30'001 + random() % 2000};
    const auto [interface_index, destination, port] = key;
    const bool is_flow = keys.contains(key) || keys.contains({interface_index, 0, port});
    const lb_flow* const by_receiver = find_flow(table, interface_index, destination, port);
    EXPECT_EQ(by_receiver != nullptr, is_flow);
    const lb_flow* const by_hook = find_as_the_hook_does(map, table.index, key);
    EXPECT_EQ(by_hook != nullptr, is_flow);
    if (by_hook && by_receiver) {
      EXPECT_EQ(by_hook->channel, by_receiver->channel);
    }
    found += is_flow;
  }
  EXPECT_GT(found, 0) << "some of what is asked has to be there";
}

TEST(FlowTable, PrefersTheExactDestination) {
  const std::array flows{flow_of(3, 0, 30'001, 1), flow_of(3, group(1), 30'001, 2)};
  const FlowTable table = build_flow_table(flows, buckets_for(flows.size()), 0);
  EXPECT_EQ(find_flow(table, 3, group(1), 30'001)->channel, 2);
  EXPECT_EQ(find_flow(table, 3, group(2), 30'001)->channel, 1);
  EXPECT_EQ(find_flow(table, 3, group(1), 30'002), nullptr);
  EXPECT_EQ(find_flow(table, 4, group(1), 30'001), nullptr) << "another interface";
}

TEST(FlowTable, SaysWhichShapesOfFlowsItHas) {
  const lb_flow any = flow_of(3, 0, 30'001);
  const lb_flow exact = flow_of(3, group(1), 30'001);
  const auto shapes_of = [](std::vector<lb_flow> flows) {
    return build_flow_table(flows, buckets_for(flows.size()), 0).index &
           (LB_FLOWS_EXACT | LB_FLOWS_ANY);
  };
  EXPECT_EQ(shapes_of({}), 0u);
  EXPECT_EQ(shapes_of({any}), LB_FLOWS_ANY);
  EXPECT_EQ(shapes_of({exact}), LB_FLOWS_EXACT);
  EXPECT_EQ(shapes_of({exact, any}), LB_FLOWS_EXACT | LB_FLOWS_ANY);
}

TEST(FlowTable, LinesMayShareGroupAndPort) {
  const std::array flows{flow_of(3, group(1), 30'001, 1), flow_of(4, group(1), 30'001, 1)};
  const FlowTable table = build_flow_table(flows, buckets_for(flows.size()), 0);
  EXPECT_NE(find_flow(table, 3, group(1), 30'001), find_flow(table, 4, group(1), 30'001));
}

TEST(FlowTable, TakesTheSourcesOfAFlowOnItsLineAlone) {
  std::vector<lb_flow> flows;
  const std::uint32_t both[] = {0x0a010101, 0x0a010102};
  lb_flow on_a = flow_of(3, group(1), 30'001, 7);
  lb_flow on_b = on_a;
  on_b.interface_index = 4;
  on_b.line = 1;
  add_flow(flows, on_a, both);
  add_flow(flows, on_b, {&both[1], 1});
  add_flow(flows, flow_of(3, 0, 30'001, 8), {});
  const FlowTable table = build_flow_table(flows, buckets_for(flows.size()), 1);
  EXPECT_EQ(table.index & (LB_FLOWS_EXACT | LB_FLOWS_ANY), LB_FLOWS_EXACT | LB_FLOWS_ANY);
  const lb_flow& a = *find_flow(table, 3, group(1), 30'001);
  const lb_flow& b = *find_flow(table, 4, group(1), 30'001);
  const lb_flow& any = *find_flow(table, 3, group(2), 30'001);
  EXPECT_TRUE(takes_source(table, a, both[0]));
  EXPECT_TRUE(takes_source(table, a, both[1]));
  EXPECT_FALSE(takes_source(table, a, 0x0a010103));
  EXPECT_FALSE(takes_source(table, b, both[0]));
  EXPECT_TRUE(takes_source(table, b, both[1]));
  EXPECT_TRUE(takes_source(table, any, 0x0a010103));
  const std::vector<lb_flow_bucket> map = map_with(table, 1);
  EXPECT_NE(find_as_the_hook_does(map, table.index, {LB_SOURCES_OF_LINE(0u), both[0], 7}), nullptr);
  EXPECT_EQ(find_as_the_hook_does(map, table.index, {LB_SOURCES_OF_LINE(1u), both[0], 7}), nullptr);
}

TEST(FlowTable, RefusesTwins) {
  const std::array flows{flow_of(3, group(0x1e01), 30'001, 1), flow_of(4, group(1), 30'001, 2),
                         flow_of(3, group(0x1e01), 30'001, 3)};
  EXPECT_EQ(test::error_text([&] { build_flow_table(flows, 256, 0); }),
            "two channels have the same destination 239.0.30.1:30001 on one interface; give each "
            "channel of a line a group and port of its own");
}

TEST(FlowTable, RefusesMoreFlowsThanThereIsRoomFor) {
  std::mt19937 random(1);
  const std::vector<lb_flow> flows = random_flows(random, 1025);
  EXPECT_EQ(test::error_text([&] { build_flow_table(flows, 256, 0); }),
            "1025 flows and sources do not fit into 256 buckets; detach the hook, so that it is "
            "loaded with a larger table");
  EXPECT_THROW(build_flow_table(flows, 256, 0), UsageError);
}

TEST(FlowTable, WorksWithASingleBucket) {
  std::mt19937 random(1);
  const std::vector<lb_flow> flows = random_flows(random, LB_BUCKET_FLOWS);
  const FlowTable table = build_flow_table(flows, 1, 1);
  const std::vector<lb_flow_bucket> map = map_with(table, 1);
  for (const lb_flow& flow : flows)
    EXPECT_NE(find_as_the_hook_does(map, table.index, key_of(flow)), nullptr);
}

TEST(BucketsFor, LeavesRoomForFourTimesTheFlows) {
  EXPECT_EQ(buckets_for(0), static_cast<std::uint32_t>(LB_FLOW_BUCKETS_DEFAULT));
  for (const std::size_t flows : {1, 64, 65, 1000, 4000, 4096}) {
    const std::uint32_t buckets = buckets_for(flows);
    EXPECT_TRUE(std::has_single_bit(buckets)) << flows;
    EXPECT_GE(buckets, 4 * flows);
    EXPECT_TRUE(buckets < 8 * flows || buckets == LB_FLOW_BUCKETS_DEFAULT) << flows;
  }
}

}  // namespace
}  // namespace linearb::hook
