// SPDX-License-Identifier: Apache-2.0
#include "core/flow.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "support/packet.h"

namespace linearb {
namespace {

using Flows = std::vector<lb_flow>;

constexpr int kMultipliersTried = 20;

lb_flow flow_of(std::uint32_t interface_index, std::uint32_t destination, std::uint32_t port) {
  lb_flow flow{};
  flow.interface_index = interface_index;
  flow.destination = destination;
  flow.port = static_cast<std::uint16_t>(port);
  return flow;
}

/// `groups` addresses that follow each other, each with `ports` ports that do, on `interfaces`
/// interfaces: how feeds are laid out.
Flows consecutive(std::uint32_t first_group, std::uint32_t groups, std::uint32_t ports,
                  std::uint32_t interfaces) {
  Flows flows;
  for (std::uint32_t interface_index = 3; interface_index < 3 + interfaces; interface_index++)
    for (std::uint32_t group = first_group; group < first_group + groups; group++)
      for (std::uint32_t port = 30001; port < 30001 + ports; port++)
        flows.push_back(flow_of(interface_index, group, port));
  return flows;
}

Flows random_flows(std::uint64_t seed, std::size_t count, std::uint32_t interfaces) {
  std::mt19937_64 random(seed);
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint16_t>> keys;
  while (keys.size() < count)
    keys.emplace(static_cast<std::uint32_t>(1 + random() % interfaces),
                 static_cast<std::uint32_t>(0xe0000000 | random() % (1 << 28)),
                 static_cast<std::uint16_t>(1024 + random() % 60'000));
  Flows flows;
  for (auto [interface_index, destination, port] : keys)
    flows.push_back(flow_of(interface_index, destination, port));
  return flows;
}

std::uint32_t bits_for(const Flows& flows) {
  std::size_t wanted = std::max<std::size_t>(4 * flows.size(), LB_FLOW_BUCKETS_DEFAULT);
  return static_cast<std::uint32_t>(std::countr_zero(std::bit_ceil(wanted)));
}

std::uint32_t bucket_of(std::uint64_t index, const lb_flow& flow) {
  return lb_flow_bucket_of(index, flow.interface_index, flow.destination, flow.port);
}

/// How many flows the fullest bucket would have to hold.
std::uint32_t fullest_bucket(const Flows& flows, std::uint64_t index, std::uint32_t bits) {
  std::vector<std::uint32_t> held(std::size_t{1} << bits);
  for (const lb_flow& flow : flows) held.at(bucket_of(index, flow))++;
  return std::ranges::max(held);
}

/// How many multipliers have to be tried before one serves.
int multipliers_needed(const Flows& flows) {
  std::uint32_t bits = bits_for(flows);
  std::mt19937 random(1);
  for (int tried = 1; tried <= kMultipliersTried; tried++) {
    std::uint64_t index = lb_flow_index(static_cast<lb_u32>(random()), bits, 0, LB_FLOWS_EXACT);
    if (fullest_bucket(flows, index, bits) <= LB_BUCKET_FLOWS) return tried;
  }
  return kMultipliersTried + 1;
}

struct Layout {
  const char* description;
  Flows flows;
};

TEST(Flow, HighBitsAreAsManyAsAreAskedFor) {
  EXPECT_EQ(lb_high_bits(~0ull, 0), 0u) << "a table of one bucket";
  EXPECT_EQ(lb_high_bits(1ull << 63, 1), 1u);
  EXPECT_EQ(lb_high_bits(0x12345678'9abcdef0ull, 8), 0x12u);
  EXPECT_EQ(lb_high_bits(0x12345678'9abcdef0ull, 31), 0x12345678u >> 1);
}

/// A table can be built for every layout of feeds, not only for addresses that are spread anyhow:
/// what feeds have is addresses and ports that follow each other, the same on every line.
TEST(Flow, FindsAMultiplierForEveryLayout) {
  std::uint32_t group = test::address("224.0.204.0");
  const Layout table[] = {
      {"one", consecutive(group, 1, 1, 1)},
      {"one group on two lines", consecutive(group, 1, 1, 2)},
      {"one group on eight lines", consecutive(group, 1, 1, 8)},
      {"any group, one port, eight lines", consecutive(0, 1, 1, 8)},
      {"any group, ports that follow each other", consecutive(0, 1, 64, 2)},
      {"one group, ports that follow each other", consecutive(group, 1, 64, 2)},
      {"groups that follow each other", consecutive(group, 96, 1, 2)},
      {"groups and ports on five lines", consecutive(group, 12, 35, 5)},
      {"4,000 groups on one line", consecutive(group, 4'000, 1, 1)},
      {"1,000 groups on four lines", consecutive(group, 1'000, 1, 4)},
      {"ten random ones", random_flows(1, 10, 4)},
      {"300 random ones", random_flows(2, 300, 4)},
      {"4,000 random ones", random_flows(3, 4'000, 4)},
      {"4,000 random ones on one line", random_flows(4, 4'000, 1)},
  };
  for (const Layout& row : table) {
    EXPECT_LE(multipliers_needed(row.flows), kMultipliersTried) << row.description;
  }
}

TEST(Flow, StaysInsideItsTable) {
  std::mt19937_64 random(11);
  for (std::uint32_t bits = 0; bits <= 16; bits++) {
    for (int round = 0; round < 2'000; round++) {
      lb_flow flow = flow_of(static_cast<lb_u32>(random()), static_cast<lb_u32>(random()),
                             static_cast<lb_u16>(random()));
      lb_u32 multiplier = static_cast<lb_u32>(random());
      std::uint32_t first = bucket_of(lb_flow_index(multiplier, bits, 0, 0), flow);
      std::uint32_t second = bucket_of(lb_flow_index(multiplier, bits, 1, 0), flow);
      ASSERT_LT(first, 1u << bits);
      ASSERT_EQ(second, first + (1u << bits)) << "the same bucket of the other table";
    }
  }
}

TEST(Flow, DoesNotDependOnTheShapes) {
  lb_flow flow = flow_of(4, test::address("239.1.1.1"), 30001);
  std::uint32_t bucket = bucket_of(lb_flow_index(12345, 8, 0, 0), flow);
  EXPECT_EQ(bucket_of(lb_flow_index(12345, 8, 0, LB_FLOWS_EXACT | LB_FLOWS_ANY), flow), bucket);
}

TEST(Flow, IsFoundInItsBucket) {
  lb_flow_bucket bucket{};
  bucket.flows[0] = flow_of(3, 7, 100);
  bucket.flows[1] = flow_of(4, 7, 100);
  bucket.flows[2] = flow_of(3, 8, 100);
  bucket.flows[3] = flow_of(3, 7, 101);
  EXPECT_EQ(lb_bucket_find(&bucket, 3, 7, 100), &bucket.flows[0]);
  EXPECT_EQ(lb_bucket_find(&bucket, 4, 7, 100), &bucket.flows[1]);
  EXPECT_EQ(lb_bucket_find(&bucket, 3, 8, 100), &bucket.flows[2]);
  EXPECT_EQ(lb_bucket_find(&bucket, 3, 7, 101), &bucket.flows[3]);
  EXPECT_EQ(lb_bucket_find(&bucket, 4, 8, 100), nullptr);
  EXPECT_EQ(lb_bucket_find(&bucket, 3, 7, 102), nullptr);
}

TEST(Flow, IsNotFoundInAnEmptyBucket) {
  lb_flow_bucket bucket{};
  EXPECT_EQ(lb_bucket_find(&bucket, 3, 0, 0), nullptr);
  EXPECT_EQ(lb_bucket_find(&bucket, 3, 0, 30001), nullptr);
}

}  // namespace
}  // namespace linearb
