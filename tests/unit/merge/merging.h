// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "capture/writer.h"
#include "config/framing_file.h"
#include "merge/merge.h"
#include "support/told_gaps.h"
#include "unit/capture/temp_folder.h"
#include "unit/sink/payload.h"

/// Captures of a feed whose messages say which they are, and what a merge makes of them.
namespace linearb::test {

inline constexpr std::uint64_t kBeginNs = 1'700'000'000'000'000'000;
inline constexpr std::uint64_t kMs = 1'000'000;

/// Of the captures' time.
constexpr std::uint64_t at(std::uint64_t ms) {
  return kBeginNs + ms * kMs;
}

inline const lb_framing& mold() {
  static const lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  return framing;
}

/// A message of 10 to 14 bytes, its length field included, that no other number has.
inline Bytes message_of(std::uint64_t number) {
  Bytes message(10 + number % 5, static_cast<std::uint8_t>(number * 7));
  for (std::size_t i = 0; i < 8; i++) message[2 + i] = static_cast<std::uint8_t>(number >> 8 * i);
  lb_message_encode_length(&mold(), message.data(), static_cast<lb_u32>(message.size()));
  return message;
}

/// A datagram of messages [first, first + count).
struct Datagram {
  std::uint64_t time_ns = 0;
  std::uint64_t first = 0;
  std::uint32_t count = 1;
};

inline Bytes payload_of(const Datagram& datagram) {
  std::vector<Bytes> messages;
  for (std::uint64_t i = 0; i < datagram.count; i++)
    messages.push_back(message_of(datagram.first + i));
  return payload_of(mold(), datagram.first, messages);
}

inline Bytes frame_of(const Datagram& datagram) {
  return udp_packet().payload(payload_of(datagram)).build();
}

/// What came out of a merge: each message with its bytes, and each delivery in its order.
struct Merged {
  Summary summary;
  std::map<std::uint64_t, Bytes> messages;
  std::vector<std::string> deliveries;  ///< "A1", "B2+3": line, first message, how many
  std::vector<std::string> told;
  std::vector<Event> events;
  std::vector<std::string> complaints;  ///< about the contract of a delivery
};

inline bool is_new(const Delivery& delivery, std::uint64_t number) {
  for (const Run& run : delivery.news)
    if (number >= run.first && number < run.first + run.count) return true;
  return false;
}

inline void note_delivery(const Delivery& delivery, Merged& merged) {
  std::string text(1, static_cast<char>('A' + delivery.line));
  for (const Run& run : delivery.news) {
    text += (text.size() > 1 ? "," : "") + std::to_string(run.first);
    if (run.count > 1) text += "+" + std::to_string(run.count);
  }
  merged.deliveries.push_back(text);
  std::uint64_t number = delivery.range.first;
  std::size_t offset = mold().header_length;
  for (std::uint32_t i = 0; i < delivery.range.count; i++, number++) {
    const std::uint32_t length = lb_message_length(&mold(), delivery.payload.data(),
                                                   static_cast<lb_u32>(delivery.payload.size()),
                                                   static_cast<lb_u32>(offset));
    const auto bytes = delivery.payload.subspan(offset, length);
    offset += length;
    if (!is_new(delivery, number)) continue;
    const Bytes message(bytes.begin(), bytes.end());
    if (!merged.messages.emplace(number, message).second)
      merged.complaints.push_back(std::to_string(number) + " was delivered twice");
    if (message != message_of(number))
      merged.complaints.push_back(std::to_string(number) + " has other bytes");
  }
}

class Merging : public TempFolder {
 protected:
  std::string write_line(const std::string& name, const std::vector<Datagram>& datagrams) const {
    capture::Writer writer(path(name));
    for (const Datagram& datagram : datagrams) writer.write(datagram.time_ns, frame_of(datagram));
    writer.close();
    return path(name);
  }

  static merge::MergeOptions options_for(const std::vector<std::string>& captures) {
    merge::MergeOptions options;
    for (const std::string& capture : captures) options.captures.push_back({.path = capture});
    options.receiver.lines = merge::lines_of(captures.size());
    options.receiver.channels = {{"itch", "moldudp64", {0, 30001}, {}}};
    return options;
  }

  static Merged merge(const merge::MergeOptions& options) {
    Merged merged;
    merge::Merge merge(
        options, [&](const Delivery& delivery) { note_delivery(delivery, merged); },
        [&](const std::string& text) { merged.told.push_back(text); },
        [&](const Event& event) { merged.events.push_back(event); });
    merged.summary = merge.run();
    complain_of_events(merged);
    return merged;
  }
  /// What was told of gaps has to be what the summary says.
  static void complain_of_events(Merged& merged) {
    if (!merged.summary.gaps || merged.summary.gaps_truncated) return;
    ToldGaps told;
    for (const Event& event : merged.events) {
      const Gap gap{event.channel, event.epoch, event.first, event.count};
      if (event.kind == Event::Kind::gap) told.add(gap);
      if (event.kind == Event::Kind::late_repair) told.repair(gap);
    }
    const std::string complaint = told.complaint(*merged.summary.gaps);
    if (!complaint.empty()) merged.complaints.push_back(complaint);
  }
  static Merged merge_all(const std::vector<std::string>& captures) {
    return merge(options_for(captures));
  }
};

inline std::set<std::uint64_t> numbers_of(const Merged& merged) {
  std::set<std::uint64_t> numbers;
  for (const auto& [number, bytes] : merged.messages) numbers.insert(number);
  return numbers;
}

}  // namespace linearb::test
