// SPDX-License-Identifier: Apache-2.0
#include "sys/mapped_memory.h"

#include <gtest/gtest.h>

#include "linearb/error.h"
#include "support/error_text.h"

namespace linearb::sys {
namespace {

TEST(MappedMemory, MovesAndIsUnmappedOnce) {
  MappedMemory first({.what = "a test", .size_bytes = 4096});
  first.data()[4095] = std::byte{7};
  MappedMemory second(std::move(first));
  EXPECT_FALSE(first);
  EXPECT_EQ(first.size_bytes(), 0u);
  MappedMemory third;
  EXPECT_FALSE(third);
  third = std::move(second);
  ASSERT_TRUE(third);
  EXPECT_EQ(third.size_bytes(), 4096u);
  EXPECT_EQ(third.data()[4095], std::byte{7});
}

TEST(MappedMemory, ARefusalNamesTheObject) {
  const Mapping impossible{.what = "a test", .size_bytes = 4096, .flags = MAP_SHARED, .fd = -1};
  EXPECT_FALSE(MappedMemory::try_map(impossible));
  try {
    MappedMemory{impossible};
    FAIL() << "mapped";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "map 4096 bytes of a test: Bad file descriptor");
  }
}

TEST(MappedMemory, SaysWhatToDoWhereMemoryIsShort) {
  const auto refusal = [](const Mapping& mapping) {
    return test::error_text([&] { MappedMemory{mapping}; });
  };
  constexpr std::size_t kImpossible = std::size_t{1} << 62;
  EXPECT_EQ(refusal({.what = "a test", .size_bytes = kImpossible}),
            "map 4611686018427387904 bytes of a test: Cannot allocate memory; free memory, or "
            "raise its limit (ulimit -v)");
  EXPECT_EQ(refusal({.what = "a test", .when_short = "ask for less", .size_bytes = kImpossible}),
            "map 4611686018427387904 bytes of a test: Cannot allocate memory; ask for less");
}

}  // namespace
}  // namespace linearb::sys
