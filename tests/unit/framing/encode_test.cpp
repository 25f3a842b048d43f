// SPDX-License-Identifier: Apache-2.0
#include "framing/encode.h"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/framing_file.h"

namespace linearb {
namespace {

TEST(FieldWrite, IsReadBackAtEveryWidthAndByteOrder) {
  for (lb_u8 width : std::to_array<lb_u8>({1, 2, 3, 4, 5, 6, 7, 8})) {
    for (lb_u8 big_endian : std::to_array<lb_u8>({0, 1})) {
      lb_field field{.offset = 3, .width = width, .big_endian = big_endian};
      std::array<lb_u8, 16> bytes{};
      lb_u64 value = 0x8182838485868788ull >> (64 - 8 * width);
      ASSERT_TRUE(lb_field_write(field, bytes.data(), bytes.data() + bytes.size(), value));
      EXPECT_EQ(bytes[2], 0);
      EXPECT_EQ(bytes[3], big_endian ? 0x81 : static_cast<lb_u8>(value));
      EXPECT_EQ(bytes[3u + width], 0);
      lb_u64 read = 0;
      ASSERT_TRUE(lb_field_read(&field, bytes.data(), bytes.data() + bytes.size(), &read));
      EXPECT_EQ(read, value);
    }
  }
}

TEST(FieldWrite, RefusesWhatDoesNotFit) {
  std::array<lb_u8, 16> bytes{};
  auto write = [&](lb_u16 offset, lb_u8 width, lb_u64 value) {
    lb_field field{.offset = offset, .width = width, .big_endian = 0};
    return lb_field_write(field, bytes.data(), bytes.data() + bytes.size(), value);
  };
  EXPECT_TRUE(write(12, 4, 0xFFFFFFFF));
  EXPECT_FALSE(write(13, 4, 1));           // behind the end
  EXPECT_FALSE(write(60000, 4, 1));        // far behind the end
  EXPECT_FALSE(write(0, 4, 0x100000000));  // too large for the field
  EXPECT_FALSE(write(0, 9, 1));            // no integer
  EXPECT_FALSE(write(0, 0, 1));            // no field
  EXPECT_EQ(bytes[0], 0);
}

/// Writes a packet of `sizes.size()` messages, each of its size, and returns its bytes.
std::vector<lb_u8> encode_packet(const lb_framing& framing, lb_header header,
                                 const std::vector<lb_u32>& sizes) {
  std::vector<lb_u8> bytes(2048);
  lb_u32 offset = framing.header_length;
  for (lb_u32 size : sizes) {
    EXPECT_TRUE(lb_message_encode_length(&framing, bytes.data() + offset, size));
    offset += size;
  }
  header.count = sizes.size();
  header.payload_length = offset;
  EXPECT_EQ(lb_framing_encode_header(&framing, bytes.data(), 2048, &header), framing.header_length);
  bytes.resize(offset);
  return bytes;
}

TEST(EncodeHeader, OfEveryBuiltinFramingIsDecodedToWhatItSays) {
  const std::array<lb_u8, 4> session = {'D', 'A', 'Y', '1'};
  for (const std::string& name : config::builtin_framing_names()) {
    lb_framing framing = config::builtin_framing(name).descriptor;
    if (!lb_framing_can_encode(&framing)) continue;
    std::mt19937_64 random(1);
    for (int attempt = 0; attempt < 200; attempt++) {
      SCOPED_TRACE(name + " attempt " + std::to_string(attempt));
      std::vector<lb_u32> sizes(framing.count.width ? 1 + random() % 10 : 1);
      for (lb_u32& size : sizes)
        size = framing.smallest_message + static_cast<lb_u32>(random() % 60);
      lb_u64 first = 1 + random() % (framing.sequence_limit - 1);
      std::vector<lb_u8> bytes =
          encode_packet(framing,
                        {.first = first,
                         .count = 0,
                         .key = 5,
                         .session = session.data(),
                         .session_length = std::min<lb_u32>(4, framing.session.width),
                         .payload_length = 0},
                        sizes);
      lb_datagram datagram{};
      auto length = static_cast<lb_u32>(bytes.size());
      ASSERT_EQ(lb_framing_decode(&framing, bytes.data(), bytes.data() + length, length, &datagram),
                LB_KIND_DATA);
      EXPECT_EQ(datagram.first, first);
      EXPECT_EQ(datagram.count, sizes.size());
      lb_u32 offset = framing.header_length;
      for (lb_u32 size : sizes) {
        EXPECT_EQ(lb_message_length(&framing, bytes.data(), length, offset), size);
        offset += size;
      }
    }
  }
}

TEST(EncodeHeader, IsRefusedWhereMessagesSayMoreThanTheHeader) {
  std::vector<std::string> refused;
  for (const std::string& name : config::builtin_framing_names()) {
    lb_framing framing = config::builtin_framing(name).descriptor;
    if (lb_framing_can_encode(&framing)) continue;
    refused.push_back(name);
    std::array<lb_u8, 64> bytes{};
    lb_header header{.first = 1,
                     .count = 1,
                     .key = 0,
                     .session = nullptr,
                     .session_length = 0,
                     .payload_length = 64};
    EXPECT_EQ(lb_framing_encode_header(&framing, bytes.data(), 64, &header), 0u) << name;
  }
  EXPECT_EQ(refused, (std::vector<std::string>{"aquis", "miax-mach", "opra-v6"}));
}

TEST(EncodeHeader, OfMoldHasItsBytes) {
  lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  const std::string session = "SESSION01";
  std::array<lb_u8, 20> bytes;
  bytes.fill(0xEE);
  lb_header header{.first = 0x0102,
                   .count = 0xFFFF,
                   .key = 0,
                   .session = reinterpret_cast<const lb_u8*>(session.data()),
                   .session_length = 9,
                   .payload_length = 20};
  ASSERT_EQ(lb_framing_encode_header(&framing, bytes.data(), 20, &header), 20u);
  const std::array<lb_u8, 20> expected = {'S', 'E', 'S', 'S', 'I', 'O', 'N', '0', '1',  0,
                                          0,   0,   0,   0,   0,   0,   1,   2,   0xFF, 0xFF};
  EXPECT_EQ(bytes, expected);
  lb_datagram datagram{};
  EXPECT_EQ(lb_framing_decode(&framing, bytes.data(), bytes.data() + 20, 20, &datagram),
            LB_KIND_END_OF_SESSION);
}

TEST(EncodeHeader, HeartbeatOfPitchSaysItsLengthAndUnit) {
  lb_framing framing = config::builtin_framing("cboe-pitch").descriptor;
  std::array<lb_u8, 8> bytes{};
  lb_header header{.first = 77,
                   .count = 0,
                   .key = 3,
                   .session = nullptr,
                   .session_length = 0,
                   .payload_length = 8};
  ASSERT_EQ(lb_framing_encode_header(&framing, bytes.data(), 8, &header), 8u);
  const std::array<lb_u8, 8> expected = {8, 0, 0, 3, 77, 0, 0, 0};
  EXPECT_EQ(bytes, expected);
}

TEST(EncodeHeader, AKeyOfSeveralFieldsIsReadBack) {
  lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  framing.keys[0] = {.offset = 2, .width = 1, .big_endian = 0};
  framing.keys[1] = {.offset = 4, .width = 2, .big_endian = 1};
  framing.keys[2] = {.offset = 6, .width = 3, .big_endian = 0};
  std::array<lb_u8, 20> bytes{};
  lb_header header{.first = 1,
                   .count = 1,
                   .key = 0x01'0203'040506,
                   .session = nullptr,
                   .session_length = 0,
                   .payload_length = 20};
  ASSERT_EQ(lb_framing_encode_header(&framing, bytes.data(), 20, &header), 20u);
  const std::array<lb_u8, 9> expected = {0, 0, 1, 0, 2, 3, 6, 5, 4};
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), bytes.begin()));
  EXPECT_EQ(lb_framing_key(&framing, bytes.data(), bytes.data() + 20), header.key);
  header.key = 0x0100'0203'040506;
  EXPECT_EQ(lb_framing_encode_header(&framing, bytes.data(), 20, &header), 0u);
}

TEST(EncodeHeader, WritesGuards) {
  lb_framing framing = config::builtin_framing("optiq").descriptor;
  std::array<lb_u8, 20> bytes{};
  lb_header header{};
  ASSERT_EQ(lb_framing_encode_header(&framing, bytes.data(), 20, &header), 20u);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[1], 36);
}

TEST(EncodeHeader, RefusesWhatDoesNotFit) {
  lb_framing mold = config::builtin_framing("moldudp64").descriptor;
  lb_framing pitch = config::builtin_framing("cboe-pitch").descriptor;
  std::array<lb_u8, 64> bytes{};
  auto encode = [&](const lb_framing& framing, lb_u32 capacity, lb_header header) {
    return lb_framing_encode_header(&framing, bytes.data(), capacity, &header);
  };
  lb_header good{.first = 1,
                 .count = 1,
                 .key = 1,
                 .session = bytes.data(),
                 .session_length = 0,
                 .payload_length = 30};
  EXPECT_EQ(encode(mold, 20, good), 20u);
  EXPECT_EQ(encode(mold, 19, good), 0u);
  lb_header long_session = good;
  long_session.session_length = 11;
  EXPECT_EQ(encode(mold, 20, long_session), 0u);
  EXPECT_EQ(encode(pitch, 8, good), 8u);
  lb_header many = good;
  many.count = 256;
  EXPECT_EQ(encode(pitch, 8, many), 0u);
  lb_header large = good;
  large.first = 1ull << 32;
  EXPECT_EQ(encode(pitch, 8, large), 0u);
  lb_header key = good;
  key.key = 256;
  EXPECT_EQ(encode(pitch, 8, key), 0u);
  lb_header length = good;
  length.payload_length = 65536;
  EXPECT_EQ(encode(pitch, 8, length), 0u);
}

TEST(EncodeHeader, RefusesFieldsThatTheHeaderDoesNotHold) {
  std::array<lb_u8, 64> bytes{};
  lb_header header{};
  auto encode = [&](const lb_framing& framing) {
    return lb_framing_encode_header(&framing, bytes.data(), 64, &header);
  };
  lb_framing framing{};
  framing.header_length = 8;
  framing.sequence.width = 4;
  EXPECT_EQ(encode(framing), 8u);
  framing.session = {.offset = 4, .width = 5, .big_endian = 0};
  EXPECT_EQ(encode(framing), 0u);
  framing.session.width = 0;
  framing.guard_count = 1;
  framing.guards[0] = {.field = {.offset = 8, .width = 1, .big_endian = 0}, .value = 1, .other = 1};
  EXPECT_EQ(encode(framing), 0u);
}

TEST(MessageLength, RefusesWhatTheFieldCannotSay) {
  std::array<lb_u8, 512> bytes{};
  lb_framing pitch = config::builtin_framing("cboe-pitch").descriptor;
  EXPECT_TRUE(lb_message_encode_length(&pitch, bytes.data(), 255));
  EXPECT_EQ(bytes[0], 255);
  EXPECT_FALSE(lb_message_encode_length(&pitch, bytes.data(), 256));
  EXPECT_FALSE(lb_message_encode_length(&pitch, bytes.data(), 1));
  lb_framing mold = config::builtin_framing("moldudp64").descriptor;
  EXPECT_TRUE(lb_message_encode_length(&mold, bytes.data(), 2));
  EXPECT_EQ(bytes[1], 0);
  lb_framing extra = mold;
  extra.smallest_message = 1;
  EXPECT_FALSE(lb_message_encode_length(&extra, bytes.data(), 1));
  lb_framing optiq = config::builtin_framing("optiq").descriptor;
  EXPECT_TRUE(lb_message_encode_length(&optiq, bytes.data(), 16));
  EXPECT_FALSE(lb_message_encode_length(&optiq, bytes.data(), 0));
}

}  // namespace
}  // namespace linearb
