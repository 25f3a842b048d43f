// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace linearb {

inline constexpr std::size_t kLinesMax = 8;
inline constexpr unsigned kThreadsMax = 8;               ///< data threads of one receiver
inline constexpr std::size_t kSourcesMax = 64;           ///< of one destination
inline constexpr std::size_t kSourcesOfAllMax = 65'536;  ///< of all channels, on every line counted

/// One copy of the feed: a name that counters and reports use, and where it arrives.
struct Line {
  std::string name;       ///< "A"; at most 15 characters, unique
  std::string interface;  ///< "vethA_dst"

  friend bool operator==(const Line&, const Line&) = default;
};

/// A destination of UDP datagrams, and from whom they are taken. Addresses and port in host byte
/// order; address 0 takes every one.
struct Destination {
  std::uint32_t address = 0;
  std::uint16_t port = 0;
  /// Of a multicast group: it is joined for these senders alone (source-specific, RFC 4607), and
  /// what comes from others is not the feed. Empty: from everybody.
  std::vector<std::uint32_t> sources{};

  friend bool operator==(const Destination&, const Destination&) = default;
};

/// What the hook does with a UDP checksum that is there.
enum class Checksum {
  ignore,
  verify,  ///< a packet whose checksum is wrong is malformed
};

/// One sequence of messages, the same on every line; or several that share a destination, where the
/// framing has a key.
struct Channel {
  std::string name;     ///< "optiq"
  std::string framing;  ///< a built-in framing ("moldudp64") or the path of a framing file
  Destination destination;
  /// Where lines differ: line name and destination. A line that is not named here has the one
  /// above.
  std::vector<std::pair<std::string, Destination>> line_destinations;
  std::optional<Checksum> checksum{};  ///< without it as ReceiverOptions::checksum
  /// Where the framing has a key: how many streams there can be, each a channel NAME/KEY of its own
  /// that is made when it is first seen. Without it as ReceiverOptions::keys.
  std::optional<std::uint32_t> keys{};
  /// One line at a time brings the feed, the others are silent until it fails: that is no alarm.
  bool active_passive = false;
  /// When the feed is expected, as "Mon-Fri 08:00-17:30" (config/trading_hours.h), by the local
  /// time of this machine. Outside of it nothing is an alarm; inside of it, that all lines are
  /// silent is one too. Empty: always, and where all are silent there is none.
  std::string hours{};
  /// How long a line brings nothing before it is silent. Without it as ReceiverOptions.
  std::optional<double> silence_seconds{};
  /// Which of ReceiverOptions::threads it is for, counted from 0. Without it one that has the
  /// fewest channels. It does not change while a receiver runs.
  std::optional<unsigned> thread{};

  const Destination& destination_on(const std::string& line) const;

  friend bool operator==(const Channel&, const Channel&) = default;
};

enum class Dedup {
  window,
  lru
};
enum class Order {
  arrival,
  sequence
};
enum class Mode {
  automatic,
  native,
  generic
};
enum class ZeroCopy {
  automatic,
  require,
  off
};
enum class Wait {
  poll,
  spin,
  busy_poll
};

/// What a receiver is told. The defaults are those of the command line.
struct ReceiverOptions {
  std::vector<Line> lines{{"A", "vethA_dst"}, {"B", "vethB_dst"}};
  /// Of the lines, by name, those that only repair: retransmissions come on them. What they bring
  /// fills holes, and says nothing about where the feed is; that they bring nothing is no alarm. A
  /// channel needs no destination there.
  std::vector<std::string> repair_lines{};
  std::vector<Channel> channels{{"optiq", "optiq", {0, 30001}, {}}};
  Dedup dedup = Dedup::window;
  Checksum checksum = Checksum::ignore;  ///< of channels that do not say it themselves
  std::uint32_t keys = 16;               ///< of channels that do not say it themselves
  double silence_seconds = 1;            ///< of channels that do not say it themselves
  Order order = Order::arrival;
  Mode mode = Mode::automatic;
  ZeroCopy zero_copy = ZeroCopy::automatic;
  Wait wait = Wait::poll;
  /// Data threads, from 1 to kThreadsMax. Each has its share of the channels, and sockets of its
  /// own on every queue: what comes of a channel, on whatever line and queue, one thread alone
  /// handles.
  unsigned threads = 1;
  std::vector<unsigned> cpus{};  ///< pins the data threads, each to its own; empty: none is pinned
  std::uint32_t frames = 4096;   ///< frames of each socket, a power of two from 64 to 65,536
  bool hugepages = false;
  /// Leaves program and pins for the next receiver, which goes on where this one ended or died.
  bool keep_hook = false;
  /// Ends after so many delivered; with several threads, a little later.
  std::optional<std::uint64_t> packets;
  std::optional<double> idle_exit_seconds;  ///< ends when no feed packet came for so long
  std::string write_path;                   ///< empty: nothing is written

  bool only_repairs(const std::string& line) const;
};

/// "239.192.30.1:30001" or "any:30001"; "10.1.1.1@232.1.1.1:30001" with a source in front of the
/// group, "10.1.1.1+10.1.1.2@232.1.1.1:30001" with two. Throws UsageError naming the text and what
/// is accepted.
Destination parse_destination(const std::string& text);

/// "10.1.1.1", the address of a sender, in host byte order. Throws UsageError.
std::uint32_t parse_source(const std::string& text);

/// The same text again.
std::string destination_text(const Destination& destination);

/// "A=vethA_dst".
Line parse_line(const std::string& text);

/// "NAME=FRAMING@GROUP:PORT", or "NAME=FRAMING@A=GROUP:PORT,B=GROUP:PORT" where lines differ; each
/// destination as parse_destination() reads it.
Channel parse_channel(const std::string& text);

/// Checks everything that can be checked without touching the system: names unique, numbers in
/// range, line names of channels known. Throws UsageError naming the option and what is accepted.
void validate(const ReceiverOptions& options);

}  // namespace linearb
