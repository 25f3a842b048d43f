// SPDX-License-Identifier: Apache-2.0
#include "sequencer/seen_identifiers.h"

#include <random>
#include <unordered_set>

#include <gtest/gtest.h>

#include "unit/sequencer/allocations.h"

namespace linearb::sequencer::test {
namespace {

constexpr std::uint32_t kIdentifiers = SeenIdentifiers::kIdentifiers;

/// Spreads a count over all 32 bits, each once: what venues without order give.
std::uint32_t identifier(std::uint32_t count) {
  return count * 2'654'435'769u;
}

TEST(SeenIdentifiers, AgreesWithASetUntilItIsFull) {
  SeenIdentifiers seen;
  std::unordered_set<std::uint32_t> reference;
  std::mt19937 random(1);
  while (reference.size() < kIdentifiers - 1) {
    const std::uint32_t value = random() % (2 * kIdentifiers);
    ASSERT_EQ(seen.insert(value), reference.insert(value).second) << value;
  }
}

TEST(SeenIdentifiers, TakesEveryValueOfThirtyTwoBits) {
  SeenIdentifiers seen;
  for (const std::uint32_t value : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    EXPECT_TRUE(seen.insert(value)) << value;
    EXPECT_FALSE(seen.insert(value)) << value;
  }
}

/// Whatever goes on, an identifier is known until as many others came after it.
TEST(SeenIdentifiers, KnowsTheLastOnesWhenTablesChange) {
  SeenIdentifiers seen;
  std::uint32_t refused = 0;
  std::uint32_t taken_twice = 0;
  for (std::uint32_t i = 0; i < 3 * kIdentifiers + 5; ++i) {
    refused += !seen.insert(identifier(i));
    taken_twice += seen.insert(identifier(i));
    if (i < kIdentifiers || i % 101 != 0) continue;
    taken_twice += seen.insert(identifier(i - kIdentifiers + 1));
    taken_twice += seen.insert(identifier(i - kIdentifiers / 2));
  }
  EXPECT_EQ(refused, 0u);
  EXPECT_EQ(taken_twice, 0u);
}

TEST(SeenIdentifiers, ForgetsThoseOfTwoTablesAgo) {
  SeenIdentifiers seen;
  for (std::uint32_t i = 0; i < 2 * kIdentifiers; ++i) seen.insert(identifier(i));
  EXPECT_TRUE(seen.insert(identifier(0)));
  EXPECT_FALSE(seen.insert(identifier(kIdentifiers)));
}

TEST(SeenIdentifiers, AllocatesNothingAfterItsConstruction) {
  SeenIdentifiers seen;
  const Allocations allocations;
  for (std::uint32_t i = 0; i < 2 * kIdentifiers; ++i) seen.insert(identifier(i));
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace linearb::sequencer::test
