// SPDX-License-Identifier: Apache-2.0
// The window and the mark trust their callers: count is 1 to LB_CLAIM_MAX, and nothing overflows.
// Who promises it is lb_framing_decode and lb_judge; here is whether they keep it.
#include <array>
#include <cstdint>

#include <gtest/gtest.h>

#include "framing/judge.h"

namespace linearb {
namespace {

constexpr std::uint32_t kGeneration = 9;
constexpr std::uint64_t kSession = 77;
constexpr std::uint64_t kAhead = LB_AHEAD_DEFAULT;

/// Session u8, count u16, sequence u64, all little-endian; a message has at least one byte.
constexpr std::size_t kHeader = 11;
using Payload = std::array<std::uint8_t, 600>;

lb_framing framing_up_to(std::uint64_t sequence_limit) {
  lb_framing framing{};
  framing.header_length = kHeader;
  framing.smallest_message = 1;
  framing.session = {0, 1, 0};
  framing.count = {1, 2, 0};
  framing.sequence = {3, 8, 0};
  framing.sequence_limit = sequence_limit;
  return framing;
}

struct Judged {
  lb_kind kind;
  lb_verdict verdict;
};

/// What the hook makes of a payload whose line shows `shown`.
Judged judge(const lb_framing& framing, std::uint64_t shown, std::uint64_t first,
             std::uint16_t count) {
  Payload payload{};
  payload[0] = kSession;
  __builtin_memcpy(&payload[1], &count, sizeof(count));
  __builtin_memcpy(&payload[3], &first, sizeof(first));
  lb_datagram datagram{};
  const std::uint8_t* end = payload.data() + payload.size();
  lb_kind kind = lb_framing_decode(&framing, payload.data(), end, payload.size(), &datagram);
  if (kind == LB_KIND_MALFORMED) return {kind, LB_VERDICT_NOT_DATA};
  lb_s32 place = 0;
  lb_verdict verdict = lb_judge(kind, &datagram, &framing, lb_mark_word(kGeneration, kSession),
                                lb_mark_word(kGeneration, shown), 0, kAhead, &place);
  return {kind, verdict};
}

struct Row {
  const char* description;
  std::uint64_t shown;
  std::uint64_t first;
  std::uint16_t count;
  lb_kind kind;
  lb_verdict verdict;
};

constexpr std::uint64_t kLimit = std::uint64_t{1} << 32;

TEST(WindowPreconditions, AreKept) {
  const Row table[] = {
      {"one", 100, 100, 1, LB_KIND_DATA, LB_VERDICT_CLAIMED},
      {"as many as a claim takes", 100, 100, LB_CLAIM_MAX, LB_KIND_DATA, LB_VERDICT_CLAIMED},
      {"one more", 100, 100, LB_CLAIM_MAX + 1, LB_KIND_DATA, LB_VERDICT_COUNT},
      {"none", 100, 100, 0, LB_KIND_HEARTBEAT, LB_VERDICT_NOT_DATA},
      {"more than fit the payload", 100, 100, 590, LB_KIND_MALFORMED, LB_VERDICT_NOT_DATA},
      {"the largest count", 100, 100, 0xffff, LB_KIND_MALFORMED, LB_VERDICT_NOT_DATA},
      {"behind the mark", 100, 99, 1, LB_KIND_DATA, LB_VERDICT_BEHIND},
      {"as far ahead as may be", 100, 100 + kAhead, 1, LB_KIND_DATA, LB_VERDICT_CLAIMED},
      {"further ahead", 100, 101 + kAhead, 1, LB_KIND_DATA, LB_VERDICT_JUMP},
      {"across the limit", kLimit - 4, kLimit - 2, 3, LB_KIND_DATA, LB_VERDICT_COUNT},
      {"at the limit", kLimit - 1, kLimit, 1, LB_KIND_MALFORMED, LB_VERDICT_NOT_DATA},
      {"at the end of 64 bits", 100, ~0ull, 256, LB_KIND_MALFORMED, LB_VERDICT_NOT_DATA},
  };
  lb_framing framing = framing_up_to(kLimit);
  for (const Row& row : table) {
    Judged judged = judge(framing, row.shown, row.first, row.count);
    EXPECT_EQ(judged.kind, row.kind) << row.description;
    EXPECT_EQ(judged.verdict, row.verdict) << row.description;
  }
}

/// The mark of an ordinary packet must not come round to 0, which would lie behind it.
TEST(WindowPreconditions, KeepTheMarkFromComingRound) {
  constexpr std::uint64_t kMarkEnd = std::uint64_t{1} << LB_MARK_BITS;
  lb_framing framing = framing_up_to(kMarkEnd);
  for (std::uint64_t before_end = 1; before_end <= 300; before_end++) {
    for (std::uint32_t count : {1u, 2u, 255u, 256u}) {
      std::uint64_t first = kMarkEnd - before_end;
      if (judge(framing, first, first, static_cast<std::uint16_t>(count)).verdict !=
          LB_VERDICT_CLAIMED)
        continue;
      std::uint64_t end = first + count;
      EXPECT_EQ(lb_mark_value(lb_mark_word(kGeneration, end)), end) << first << ", " << count;
    }
  }
}

}  // namespace
}  // namespace linearb
