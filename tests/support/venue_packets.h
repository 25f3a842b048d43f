// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Payloads of venues, byte by byte as the venues' documents lay them out, and by nothing of
/// framings/, which they are there to test: data, and what a venue says beside it.
///
///     venue::mold("SESSION001", 7, 2)             messages 7 and 8
///     venue::opra(6, venue::kOpraLineIntegrity, 8)
///
/// What no field that matters is in (times, checksums, prices) is filled with something.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/packet.h"

namespace linearb::test::venue {

/// Fields behind each other.
class Wire {
 public:
  Wire& le(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
      bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  Wire& be(std::uint64_t value, unsigned bytes) {
    for (unsigned i = bytes; i > 0; --i)
      bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
    return *this;
  }
  Wire& text(std::string_view letters) {
    return bytes_.insert(bytes_.end(), letters.begin(), letters.end()), *this;
  }
  Wire& zeros(std::size_t bytes) { return bytes_.resize(bytes_.size() + bytes), *this; }
  Wire& add(const Bytes& bytes) {
    return bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()), *this;
  }
  /// So many bytes in all, with zeros behind what is there.
  Wire& up_to(std::size_t bytes) { return bytes_.resize(bytes), *this; }
  std::size_t size() const { return bytes_.size(); }
  operator Bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

inline constexpr std::uint64_t kTime = 1'700'000'000'000'000'000;

/// What is in the message of a number; some are longer than others.
inline std::string body(std::uint64_t number) {
  return "message " + std::to_string(number) + std::string(number % 3, '!');
}
/// So many messages from a number on, each as `message(number)` makes it.
template <class Message>
Wire messages(std::uint64_t first, unsigned count, Message message) {
  Wire all;
  for (std::uint64_t number = first; number < first + count; ++number) all.add(message(number));
  return all;
}

/// MoldUDP64, with the same bytes ASX and OSE. Count 0: a heartbeat.
inline Bytes mold(std::string_view session, std::uint64_t number, unsigned count) {
  const Wire blocks = messages(
      number, count, [](std::uint64_t of) { return Wire().be(body(of).size(), 2).text(body(of)); });
  return Wire().text(session).be(number, 8).be(count, 2).add(blocks);
}
inline Bytes mold_end(std::string_view session, std::uint64_t next) {
  return Wire().text(session).be(next, 8).be(0xffff, 2);
}

/// IntelligentCross. Count 0: a heartbeat.
inline Bytes aspen(std::string_view market_day, std::uint64_t number, unsigned count) {
  const Wire blocks = messages(
      number, count, [](std::uint64_t of) { return Wire().le(body(of).size(), 2).text(body(of)); });
  return Wire().text(market_day).text("A").le(number, 8).le(count, 2).add(blocks);
}

/// Cboe. Count 0: a heartbeat; number 0: without numbers.
inline Bytes pitch(std::uint64_t number, unsigned count) {
  const Wire behind = messages(number, count, [](std::uint64_t of) {
    return Wire().le(2 + body(of).size(), 1).le(0x20, 1).text(body(of));
  });
  return Wire().le(8 + behind.size(), 2).le(count, 1).le(3, 1).le(number, 4).add(behind);
}

/// London. Count 0: a heartbeat.
inline Bytes mitch(std::uint64_t number, unsigned count) {
  const Wire behind = messages(number, count, [](std::uint64_t of) {
    return Wire().le(2 + body(of).size(), 1).text("A").text(body(of));
  });
  return Wire().le(8 + behind.size(), 2).le(count, 1).text("A").le(number, 4).add(behind);
}

/// A message of an SBE schema, as CME and Euronext have it.
inline Wire sbe(unsigned template_id, std::string_view body) {
  return Wire()
      .le(10 + body.size(), 2)
      .le(body.size(), 2)
      .le(template_id, 2)
      .le(1, 2)
      .le(9, 2)
      .text(body);
}

/// CME: packets have numbers.
inline constexpr unsigned kCmeIncremental = 46;
inline constexpr unsigned kCmeHeartbeat = 12;
inline Bytes cme(std::uint64_t number, unsigned template_id = kCmeIncremental) {
  return Wire().le(number, 4).le(kTime, 8).add(sbe(template_id, body(number)));
}

/// NYSE: by its delivery flag.
inline constexpr unsigned kNyseHeartbeat = 1;
inline constexpr unsigned kNyseFailOver = 10;
inline constexpr unsigned kNyseOriginal = 11;
inline constexpr unsigned kNyseReset = 12;
inline constexpr unsigned kNyseRetransmission = 13;
inline constexpr unsigned kNysePartOfRetransmission = 15;
inline constexpr unsigned kNyseStartOfRefresh = 18;
inline Wire nyse_header(std::size_t size, unsigned flag, unsigned count, std::uint64_t number,
                        std::uint64_t time) {
  return Wire().le(size, 2).le(flag, 1).le(count, 1).le(number, 4).le(time, 4).le(0, 4);
}
/// Count 0: a heartbeat.
inline Bytes nyse(std::uint64_t number, unsigned count, unsigned flag = kNyseOriginal) {
  const Wire behind = messages(number, count, [](std::uint64_t of) {
    return Wire().le(4 + body(of).size(), 2).le(103, 2).text(body(of));
  });
  return nyse_header(16 + behind.size(), flag, count, number, 7).add(behind);
}
/// Its message is of type 1 and has number 1.
inline Bytes nyse_reset(std::uint64_t time, unsigned flag = kNyseReset) {
  return nyse_header(30, flag, 1, 1, time).le(14, 2).le(1, 2).le(time, 8).le(0, 2);
}

/// OPRA: by category and type of its messages.
inline constexpr std::string_view kOpraQuote = "k ";
inline constexpr std::string_view kOpraLineIntegrity = "HN";
inline constexpr std::string_view kOpraStartOfDay = "HC";
inline constexpr std::string_view kOpraReset = "HK";
inline constexpr std::string_view kOpraEndOfDay = "HJ";
inline Bytes opra(unsigned version, std::string_view kind, std::uint64_t number, unsigned count = 1,
                  std::string_view retransmission = " ") {
  const Wire behind = messages(number, count, [kind](std::uint64_t of) {
    return Wire().text("C").text(kind).text(" ").text(body(of)).up_to(kind == kOpraQuote ? 31 : 12);
  });
  return Wire()
      .be(version, 1)
      .be(21 + behind.size(), 2)
      .text("O")
      .text(retransmission)
      .be(0, 1)  // session indicator
      .be(number, 4)
      .be(count, 1)
      .be(kTime / 1'000'000'000, 4)
      .be(0, 4)
      .be(0, 2)
      .add(behind);
}

/// CTA: the same, behind their lengths. The feed of trades.
inline constexpr std::string_view kCtaTrade = "TL";
inline constexpr std::string_view kCtaLineIntegrity = "CT";
inline constexpr std::string_view kCtaStartOfDay = "CA";
inline constexpr std::string_view kCtaReset = "CL";
inline constexpr std::string_view kCtaEndOfDay = "CZ";
inline Bytes cta(std::string_view kind, std::uint64_t number, unsigned count = 1,
                 std::string_view retransmission = "O") {
  const Wire behind = messages(number, count, [kind](std::uint64_t of) {
    return Wire().be(40, 2).text(kind).text("S").text(body(of)).up_to(40);
  });
  return Wire()
      .be(2, 1)
      .be(20 + behind.size(), 2)
      .text("T")
      .text(retransmission)
      .be(number, 4)
      .be(count, 1)
      .be(kTime / 1'000'000'000, 4)
      .be(0, 4)
      .be(0, 2)
      .add(behind);
}

/// IEX. Count 0: a heartbeat.
inline Bytes iex(std::uint32_t session, std::uint64_t number, unsigned count) {
  const Wire blocks = messages(
      number, count, [](std::uint64_t of) { return Wire().le(body(of).size(), 2).text(body(of)); });
  return Wire()
      .le(1, 1)
      .le(0, 1)
      .le(0x8004, 2)
      .le(1, 4)
      .le(session, 4)
      .le(blocks.size(), 2)
      .le(count, 2)
      .le(number * 32, 8)  // where in the stream it begins
      .le(number, 8)
      .le(kTime, 8)
      .add(blocks);
}

/// MEMX: only data has a count.
inline constexpr unsigned kMemxHeartbeat = 0;
inline constexpr unsigned kMemxShutdown = 1;
inline Bytes memx(unsigned kind, std::uint64_t session, std::uint64_t last) {
  return Wire().be(kind, 1).be(18, 1).be(session, 8).be(last, 8);
}
inline Bytes memx_data(std::uint64_t session, std::uint64_t number, unsigned count) {
  const Wire blocks = messages(
      number, count, [](std::uint64_t of) { return Wire().be(body(of).size(), 2).text(body(of)); });
  return Wire().be(2, 1).be(18, 1).be(session, 8).be(number, 8).be(count, 2).add(blocks);
}

/// MIAX: each message behind a header of its own.
inline constexpr unsigned kMachHeartbeat = 0;
inline constexpr unsigned kMachStartOfSession = 1;
inline constexpr unsigned kMachEndOfSession = 2;
inline Wire mach_packet(unsigned kind, unsigned session, std::uint64_t number,
                        std::string_view body = {}) {
  return Wire().le(number, 8).le(12 + body.size(), 2).le(kind, 1).le(session, 1).text(body);
}
inline Bytes mach(unsigned kind, unsigned session, std::uint64_t number) {
  return mach_packet(kind, session, number);
}
inline Bytes mach_data(unsigned session, std::uint64_t number, unsigned count) {
  return messages(number, count,
                  [session](std::uint64_t of) { return mach_packet(3, session, of, body(of)); });
}

/// Eurex: packets have numbers.
inline constexpr unsigned kEobiHeartbeat = 13001;
inline constexpr unsigned kEobiOrderAdd = 13100;
inline Bytes eobi(std::uint64_t number, bool is_reset = false,
                  unsigned template_id = kEobiOrderAdd) {
  return Wire()
      .le(32, 2)
      .le(13004, 2)
      .le(0xffffffff, 4)
      .le(number, 4)
      .le(675, 4)  // market segment
      .le(1, 1)    // partition
      .le(1, 1)    // completion
      .le(is_reset, 1)
      .zeros(5)
      .le(kTime, 8)
      .le(8 + body(number).size(), 2)
      .le(template_id, 2)
      .le(0, 4)
      .text(body(number));
}
inline Bytes eobi_beacon() {
  return Wire().le(0xf8c0, 2).zeros(6);
}

/// Euronext: packets have numbers of 35 bits; `restarts` of the gateway in the day.
inline constexpr unsigned kMdgMessage = 1001;
inline constexpr unsigned kMdgEndOfDay = 1102;
inline constexpr unsigned kMdgHealthStatus = 1103;
inline Bytes mdg(unsigned restarts, std::uint64_t number, unsigned template_id = kMdgMessage) {
  const std::uint64_t flags = restarts << 1 | number >> 32 << 4;
  return Wire().le(kTime, 8).le(number, 4).le(flags, 2).le(600, 2).add(
      sbe(template_id, body(number)));
}

/// Hong Kong. Count 0: a heartbeat.
inline Wire omd_header(std::size_t size, unsigned count, std::uint64_t number, std::uint64_t time) {
  return Wire().le(size, 2).le(count, 1).le(0, 1).le(number, 4).le(time, 8);
}
inline Bytes omd(std::uint64_t number, unsigned count) {
  const Wire behind = messages(number, count, [](std::uint64_t of) {
    return Wire().le(4 + body(of).size(), 2).le(30, 2).text(body(of));
  });
  return omd_header(16 + behind.size(), count, number, kTime).add(behind);
}
/// Message 100, whose own number is 1: what comes next has `next`.
inline Bytes omd_reset(std::uint64_t next, std::uint64_t time) {
  return omd_header(24, 1, 1, time).le(8, 2).le(100, 2).le(next, 4);
}

/// ICE. Count 0: a heartbeat.
inline Bytes ice(unsigned session, std::uint64_t number, unsigned count) {
  const Wire behind = messages(number, count, [](std::uint64_t of) {
    return Wire().text("Q").be(body(of).size(), 2).text(body(of));
  });
  return Wire().be(session, 2).be(number, 4).be(count, 2).be(kTime / 1'000'000, 8).add(behind);
}

/// B3: packets have numbers; what is no data has 0, and says its number in its message, or none.
inline Bytes umdf(unsigned version, std::uint64_t number, unsigned template_id,
                  const Bytes& fields) {
  return Wire()
      .le(50, 1)
      .le(number == 0, 1)
      .le(version, 2)
      .le(number, 4)
      .le(kTime, 8)
      .le(12 + fields.size(), 2)
      .le(0xeb50, 2)
      .le(fields.size(), 2)
      .le(template_id, 2)
      .le(2, 2)
      .le(16, 2)
      .add(fields);
}
inline Bytes umdf_data(unsigned version, std::uint64_t number) {
  return umdf(version, number, 50, Wire().text(body(number)));
}
inline Bytes umdf_sequence(unsigned version, std::uint64_t next) {
  return umdf(version, 0, 2, Wire().le(next, 4));
}
inline Bytes umdf_reset(unsigned version) {
  return umdf(version, 0, 1, {});
}

/// Flags of Coinbase Derivatives and of Deribit.
inline constexpr unsigned kIncremental = 1;
inline constexpr unsigned kSnapshot = 2;
inline constexpr unsigned kRetransmission = 4;

/// Coinbase Derivatives. Count 0: a heartbeat.
inline Bytes coinbase(std::uint64_t number, unsigned count, unsigned flags = kIncremental) {
  const Wire behind = messages(number, count, [](std::uint64_t of) { return sbe(11, body(of)); });
  return Wire().le(kTime, 8).le(number, 8).le(303, 2).le(flags, 1).le(count, 1).le(0, 4).add(
      behind);
}

/// Deribit. Count 0: a heartbeat.
inline Bytes starbase(std::uint64_t number, unsigned count, unsigned flags = kIncremental) {
  const Wire behind = messages(number, count, [](std::uint64_t of) {
    return Wire()
        .le(16 + body(of).size(), 2)
        .le(5, 2)
        .le(1, 2)
        .le(0, 2)
        .le(kTime, 8)
        .text(body(of));
  });
  return Wire().le(kTime, 8).le(number, 8).le(12, 4).le(flags, 2).le(count, 2).add(behind);
}

/// Moscow: packets have numbers, and incremental ones 12 bytes more in front of their messages.
inline constexpr unsigned kSimbaLastFragment = 1;
inline constexpr unsigned kSimbaStartOfSnapshot = 2;
inline constexpr unsigned kSimbaIncremental = 8;
inline constexpr unsigned kSimbaPossiblyRepeated = 16;
inline constexpr unsigned kSimbaHeartbeat = 1;
inline constexpr unsigned kSimbaOrderUpdate = 15;
inline Bytes simba(std::uint64_t number, unsigned flags, unsigned template_id) {
  Wire behind;
  if (flags & kSimbaIncremental) behind.le(kTime, 8).le(6902, 4);
  behind.le(body(number).size(), 2).le(template_id, 2).le(19780, 2).le(4, 2).text(body(number));
  return Wire().le(number, 4).le(16 + behind.size(), 2).le(flags, 2).le(kTime, 8).add(behind);
}
inline Bytes simba_data(std::uint64_t number, unsigned further_flags = 0) {
  return simba(number, kSimbaLastFragment | kSimbaIncremental | further_flags, kSimbaOrderUpdate);
}

/// Aquis: each message has its number.
inline Bytes aquis(std::uint64_t number, unsigned count) {
  return Wire().le(count, 1).add(messages(number, count, [](std::uint64_t of) {
    return Wire().le(4, 1).le(6 + body(of).size(), 1).le(of, 4).text(body(of));
  }));
}
inline Bytes aquis_heartbeat(std::uint64_t next) {
  return Wire().le(1, 1).le(1, 1).le(6, 1).le(next, 4);
}

}  // namespace linearb::test::venue
