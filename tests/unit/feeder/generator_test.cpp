// SPDX-License-Identifier: Apache-2.0
#include "feeder/generator.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "feeder/random.h"
#include "linearb/error.h"

namespace linearb::feeder {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kRoom = 1472;

Messages messages(const char* framing, const MessageOptions& options = {}) {
  return {config::builtin_framing(framing), options};
}

Bytes payload(const Messages& from, UnitRange units, std::uint64_t timestamp_ns = 0) {
  Bytes bytes(from.payload_length(units.count), 0xee);
  from.write(units, timestamp_ns, bytes.data());
  return bytes;
}

lb_datagram decode(const lb_framing& framing, const Bytes& bytes) {
  lb_datagram datagram{};
  EXPECT_EQ(lb_framing_decode(&framing, bytes.data(), bytes.data() + bytes.size(),
                              static_cast<lb_u32>(bytes.size()), &datagram),
            LB_KIND_DATA);
  return datagram;
}

std::string refusal(const char* framing, const MessageOptions& options, std::uint32_t count,
                    std::uint32_t room = kRoom) {
  try {
    messages(framing, options).require_packet(count, room);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Optiq, IsTheMessageOfItsHeader) {
  auto message = optiq_message(0x01020304, 0x1112131415161718);
  const std::uint32_t number = 0x01020304;
  EXPECT_EQ(message[0], 1);
  EXPECT_EQ(message[1], 36);
  EXPECT_EQ(lb_load_u16_le(&message[2]), 1);
  EXPECT_EQ(lb_load_u32_le(&message[4]), number);
  EXPECT_EQ(lb_load_u32_le(&message[8]), number);
  EXPECT_EQ(lb_load_u64_le(&message[12]), 0x1112131415161718u);
  EXPECT_EQ(lb_load_u16_le(&message[20]), 1 + number % 4);
  EXPECT_EQ(lb_load_u16_le(&message[22]), 1 + number % 1000);
  EXPECT_EQ(lb_load_u32_le(&message[24]), 10'000 + number % 5'000);
  EXPECT_EQ(lb_load_u64_le(&message[28]), mix64(number));
}

TEST(Messages, OptiqPacketsAreOptiqMessages) {
  Messages optiq = messages("optiq", {.first = 100});
  optiq.require_packet(1, kRoom);
  Bytes bytes = payload(optiq, {7, 1}, 55);
  auto expected = optiq_message(107, 55);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin(), expected.end()));
  EXPECT_EQ(decode(config::builtin_framing("optiq").descriptor, bytes).first, 107u);
}

TEST(Messages, AMessageHasTheSameBytesInWhateverPacket) {
  for (const char* name : {"moldudp64", "cboe-pitch"}) {
    const lb_framing framing = config::builtin_framing(name).descriptor;
    Messages from = messages(name, {.message_length = 25});
    std::map<std::uint64_t, Bytes> seen;
    for (std::uint32_t cut : {3u, 4u, 1u}) {
      from.require_packet(cut, kRoom);
      for (std::uint64_t first = 0; first < 24; first += cut) {
        Bytes bytes = payload(from, {first, cut});
        auto length = static_cast<lb_u32>(bytes.size());
        lb_datagram datagram = decode(framing, bytes);
        EXPECT_EQ(datagram.first, 1 + first);
        EXPECT_EQ(datagram.count, cut);
        lb_u32 offset = framing.header_length;
        for (std::uint64_t number = 1 + first; number <= first + cut; ++number) {
          ASSERT_EQ(lb_message_length(&framing, bytes.data(), length, offset), 25u);
          Bytes message(&bytes[offset], &bytes[offset] + 25);
          EXPECT_EQ(seen.try_emplace(number, message).first->second, message);
          offset += 25;
        }
        EXPECT_EQ(offset, length);
      }
    }
    EXPECT_EQ(seen.size(), 24u);
    EXPECT_NE(seen[1], seen[2]);
  }
}

TEST(Messages, BodiesFollowTheFormula) {
  const lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  Bytes message(40);
  write_message(framing, 77, message);
  EXPECT_EQ(lb_load_u16_be(message.data()), 38);
  for (std::size_t i = 2; i < message.size(); ++i)
    EXPECT_EQ(message[i], 'a' + (mix64(77 + i / 16) >> 4 * (i % 16) & 15)) << i;
}

TEST(Messages, SessionAndKeyAreInThePacket) {
  Bytes mold = payload(messages("moldudp64"), {0, 1});
  EXPECT_EQ(std::string(mold.begin(), mold.begin() + 10), kSession);
  mold = payload(messages("moldudp64", {.session = "DAY2"}), {0, 1});
  EXPECT_EQ(std::string(mold.begin(), mold.begin() + 10), std::string("DAY2\0\0\0\0\0\0", 10));
  EXPECT_EQ(payload(messages("cboe-pitch"), {0, 1})[3], 1);
  EXPECT_EQ(payload(messages("cboe-pitch", {.key = 9}), {0, 1})[3], 9);
}

TEST(Messages, NumbersWrapAsTheFeedDoes) {
  Messages pitch = messages("cboe-pitch", {.first = 0xfffffffe});
  EXPECT_EQ(pitch.number(1), 0xffffffffu);
  EXPECT_EQ(pitch.number(2), 1u);
  EXPECT_EQ(pitch.number(2 + 0xffffffffull), 1u);
  Messages optiq = messages("optiq", {.first = 0xffffffff});
  EXPECT_EQ(optiq.number(1), 0u);
}

TEST(Messages, RefuseWhatCannotBeSent) {
  EXPECT_EQ(refusal("optiq", {}, 2),
            "the framing optiq cannot carry 2 messages of 16 bytes in a packet with the number 1, "
            "session '' and key 1");
  EXPECT_EQ(refusal("optiq", {.message_length = 20}, 1),
            "--message-length: messages of the framing optiq have one length");
  EXPECT_EQ(refusal("optiq", {.first = 1ull << 32}, 1),
            "--first 4294967296: numbers of the framing optiq end at 4294967295");
  EXPECT_EQ(refusal("cboe-pitch", {.first = 0}, 1),
            "the framing cboe-pitch cannot carry 1 messages of 32 bytes in a packet with the "
            "number 0, session '' and key 1");
  EXPECT_EQ(refusal("moldudp64", {.session = "ELEVENBYTES"}, 1),
            "the framing moldudp64 cannot carry 1 messages of 32 bytes in a packet with the number "
            "1, session 'ELEVENBYTES' and key 1");
  EXPECT_EQ(refusal("cboe-pitch", {.key = 256}, 1),
            "the framing cboe-pitch cannot carry 1 messages of 32 bytes in a packet with the "
            "number 1, session '' and key 256");
  EXPECT_EQ(refusal("cboe-pitch", {.message_length = 256}, 1),
            "the framing cboe-pitch cannot carry 1 messages of 256 bytes in a packet with the "
            "number 1, session '' and key 1");
  EXPECT_EQ(refusal("cboe-pitch", {.message_length = 2}, 256),
            "the framing cboe-pitch cannot carry 256 messages of 2 bytes in a packet with the "
            "number 1, session '' and key 1");
  EXPECT_EQ(refusal("moldudp64", {.message_length = 1}, 1),
            "the framing moldudp64 cannot carry 1 messages of 1 bytes in a packet with the number "
            "1, session 'LINEARB001' and key 1");
  EXPECT_EQ(refusal("moldudp64", {}, 46),
            "packets with 46 messages of 32 bytes have 1492 bytes of payload, and 1472 fit into a "
            "packet; ask for fewer or shorter messages");
  EXPECT_EQ(refusal("moldudp64", {}, 45), "accepted");
  EXPECT_EQ(refusal("moldudp64", {}, 0),
            "the framing moldudp64 cannot carry 0 messages of 32 bytes in a packet with the number "
            "1, session 'LINEARB001' and key 1");
}

TEST(Messages, OfEveryBuiltinFramingAreGeneratedOrRefusedWithTheReason) {
  const std::map<std::string, std::string> refused = {
      {"aquis",
       "packets of the framing aquis cannot be generated: its messages have numbers of their own; "
       "replay a capture"},
      {"miax-mach",
       "packets of the framing miax-mach cannot be generated: its messages have numbers of their "
       "own; replay a capture"},
      {"opra-v6",
       "packets of the framing opra-v6 cannot be generated: its messages do not say how long they "
       "are; replay a capture"},
  };
  for (const std::string& name : config::builtin_framing_names()) {
    auto found = refused.find(name);
    EXPECT_EQ(refusal(name.c_str(), {}, 1), found == refused.end() ? "accepted" : found->second);
  }
}

TEST(Generator, PacesFromTheStart) {
  Generator paced(messages("optiq"), {.units = 3, .units_per_second = 3}, {});
  paced.start({1'000, 5'000});
  for (std::uint64_t due_ns : {1'000u, 333'334'333u, 666'667'666u}) {
    EXPECT_FALSE(paced.finished());
    EXPECT_EQ(paced.due_ns(), due_ns);
    EXPECT_EQ(paced.take(due_ns + 777), due_ns);
  }
  EXPECT_TRUE(paced.finished());
  EXPECT_EQ(paced.due_ns(), kNever);
}

TEST(Generator, WithoutARateIsDueAtOnce) {
  Generator flat_out(messages("optiq"), {}, {});
  flat_out.start({1'000, 5'000});
  for (std::uint64_t now_ns : {1'500u, 1'500u, 9'000u}) {
    EXPECT_LE(flat_out.due_ns(), now_ns);
    EXPECT_EQ(flat_out.take(now_ns), now_ns);
  }
  EXPECT_FALSE(flat_out.finished());
}

TEST(Generator, StampsTheBaseTimeInRealTime) {
  Generator generator(messages("optiq"), {.units = 1}, {xsk::PacketHeader(xsk::PacketAddresses{})});
  generator.start({1'000, 5'000});
  generator.take(1'250);
  std::array<std::uint8_t, xsk::kHeaderLength + kOptiqLength> frame{};
  EXPECT_EQ(generator.write(0, {0, 1}, 1'250, frame.data()), frame.size());
  auto expected = optiq_message(1, 5'250);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), frame.begin() + xsk::kHeaderLength));
}

}  // namespace
}  // namespace linearb::feeder
