// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A real capture as two lines: A as it was recorded, B with the same messages in other packets, as
/// venues cut them that pack for each line; and losses on both. Nobody publishes both lines of a
/// feed.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "capture/raw_datagrams.h"
#include "capture/reader.h"
#include "capture/writer.h"
#include "core/walk.h"
#include "framing/encode.h"
#include "support/packet.h"

namespace linearb::test {

/// A capture that a framing of ours decodes, and whose messages can be told from each other.
struct RealCapture {
  const char* name;
  const char* file;
  const char* framing;
  std::uint16_t port;
  bool is_raw = false;  ///< datagrams back to back
};

inline constexpr RealCapture kRealCaptures[] = {
    {"Cboe", "bats/mcastpitch_realtime_useq.pcap", "cboe-pitch", 32001},
    {"Mold", "mold/mold.sample.dat", "moldudp64", 30001, true},
};

/// A frame, and what is in it.
struct RecordedFrame {
  std::uint64_t time_ns = 0;
  Bytes frame;
  Bytes payload;
  lb_kind kind = LB_KIND_MALFORMED;
  lb_datagram datagram{};
};

inline RecordedFrame recorded(const lb_framing& framing, std::uint64_t time_ns,
                              const Bytes& frame) {
  RecordedFrame record{.time_ns = time_ns, .frame = frame, .payload = {}};
  lb_walk walk{};
  if (lb_walk_frame(frame.data(), frame.data() + frame.size(), &walk) != LB_WALK_DATAGRAM)
    return record;
  const std::uint8_t* const payload = frame.data() + walk.payload_offset;
  record.payload.assign(payload, payload + walk.payload_length);
  record.kind = lb_framing_decode(&framing, payload, payload + walk.payload_length,
                                  walk.payload_length, &record.datagram);
  return record;
}

inline std::vector<RecordedFrame> read_frames(const std::string& path, const lb_framing& framing) {
  std::vector<RecordedFrame> frames;
  capture::Reader reader(path);
  while (const auto record = reader.next())
    frames.push_back(
        recorded(framing, record->timestamp_ns, Bytes(record->bytes.begin(), record->bytes.end())));
  return frames;
}

inline std::vector<RecordedFrame> read_frames(const RealCapture& capture,
                                              const std::filesystem::path& path,
                                              const lb_framing& framing) {
  if (!capture.is_raw) return read_frames(path, framing);
  constexpr std::uint64_t kBeginNs = 1'700'000'000'000'000'000;
  std::vector<RecordedFrame> frames;
  capture::RawDatagrams reader(path, framing);
  while (const auto payload = reader.next())
    frames.push_back(
        recorded(framing, kBeginNs + frames.size() * 1'000'000,
                 udp_packet().payload(Bytes(payload->begin(), payload->end())).build()));
  return frames;
}

/// Messages by their numbers. One that was cut off is what there is of it.
inline void add_messages(const lb_framing& framing, const RecordedFrame& record,
                         std::map<std::uint64_t, Bytes>& messages) {
  if (record.kind != LB_KIND_DATA) return;
  const auto length = static_cast<std::uint32_t>(record.payload.size());
  std::uint32_t offset = framing.header_length;
  for (std::uint32_t i = 0; i < record.datagram.count; ++i) {
    std::uint32_t message = lb_message_length(&framing, record.payload.data(), length, offset);
    if (message == 0) message = length - offset;
    const auto begin = record.payload.begin() + offset;
    messages.emplace(record.datagram.first + i, Bytes(begin, begin + message));
    offset += message;
  }
}

inline std::map<std::uint64_t, Bytes> messages_of(const lb_framing& framing,
                                                  const std::vector<RecordedFrame>& frames) {
  std::map<std::uint64_t, Bytes> messages;
  for (const RecordedFrame& record : frames) add_messages(framing, record, messages);
  return messages;
}

/// As often as they stand there.
inline std::uint64_t count_messages(const std::vector<RecordedFrame>& frames) {
  std::uint64_t messages = 0;
  for (const RecordedFrame& record : frames) messages += record.datagram.count;
  return messages;
}

/// The same messages in packets of 1 to 5, each when its last message was sent. A message that was
/// cut off has no length, and is left out; what is no data stays as it is.
class Repackager {
 public:
  Repackager(const lb_framing& framing, std::mt19937_64& random)
      : framing_(framing), random_(random) {}

  std::vector<RecordedFrame> repackage(const std::vector<RecordedFrame>& frames) {
    for (const RecordedFrame& record : frames) {
      if (record.kind != LB_KIND_DATA) {
        line_.push_back(record);
        continue;
      }
      std::map<std::uint64_t, Bytes> messages;
      add_messages(framing_, record, messages);
      for (const auto& [number, message] : messages) add(record, number, message);
    }
    send();
    std::ranges::stable_sort(line_, {}, &RecordedFrame::time_ns);
    return std::move(line_);
  }

 private:
  void add(const RecordedFrame& record, std::uint64_t number, const Bytes& message) {
    const auto length = static_cast<std::uint32_t>(message.size());
    Bytes alone(record.payload.begin(), record.payload.begin() + framing_.header_length);
    alone.insert(alone.end(), message.begin(), message.end());
    const bool is_whole =
        lb_message_length(&framing_, alone.data(), static_cast<std::uint32_t>(alone.size()),
                          framing_.header_length) == length;
    if (!is_whole) return;
    if (count_ == 0 || number != first_ + count_ || count_ == wanted_) begin(record, number);
    payload_.insert(payload_.end(), message.begin(), message.end());
    last_ = &record;
    ++count_;
  }
  void begin(const RecordedFrame& record, std::uint64_t number) {
    send();
    payload_.assign(record.payload.begin(), record.payload.begin() + framing_.header_length);
    first_ = number;
    wanted_ = 1 + random_() % 5;
  }
  void send() {
    if (count_ == 0) return;
    const lb_header header{.first = first_,
                           .count = count_,
                           .key = 0,
                           .session = nullptr,
                           .session_length = 0,
                           .payload_length = static_cast<std::uint32_t>(payload_.size())};
    lb_framing_renumber(&framing_, payload_.data(), payload_.data() + framing_.header_length,
                        &header);
    lb_walk walk{};
    lb_walk_frame(last_->frame.data(), last_->frame.data() + last_->frame.size(), &walk);
    line_.push_back(
        recorded(framing_, last_->time_ns,
                 udp_packet().to_address(walk.destination, walk.port).payload(payload_).build()));
    count_ = 0;
  }

  const lb_framing& framing_;
  std::mt19937_64& random_;
  std::vector<RecordedFrame> line_;
  Bytes payload_;
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t wanted_ = 1;
  const RecordedFrame* last_ = nullptr;
};

/// Data packets that are lost on their way: a fifth of them.
inline std::vector<RecordedFrame> lossy(std::vector<RecordedFrame> line, std::mt19937_64& random) {
  std::erase_if(line, [&](const RecordedFrame& record) {
    return record.kind == LB_KIND_DATA && random() % 5 == 0;
  });
  return line;
}

/// Two lines, and what has to come out of them.
struct RepackagedLines {
  std::vector<RecordedFrame> a;
  std::vector<RecordedFrame> b;
  std::map<std::uint64_t, Bytes> messages;  ///< that one line had at least
  std::set<std::uint64_t> missing;          ///< that the feed had, as far as the lines show it
};

inline RepackagedLines repackaged_lines(const std::vector<RecordedFrame>& frames,
                                        const lb_framing& framing, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  RepackagedLines lines;
  lines.a = lossy(frames, random);
  lines.b = lossy(Repackager(framing, random).repackage(frames), random);
  std::uint64_t first = ~0ull, end = 0;
  for (const auto* line : {&lines.a, &lines.b}) {
    for (const RecordedFrame& record : *line) {
      if (record.kind == LB_KIND_MALFORMED || !record.datagram.numbered) continue;
      first = std::min(first, record.datagram.first);
      end = std::max(end, record.datagram.first + record.datagram.count);
      add_messages(framing, record, lines.messages);
    }
  }
  for (std::uint64_t number = first; number < end; ++number)
    if (!lines.messages.contains(number)) lines.missing.insert(number);
  return lines;
}

inline std::string write_frames(const std::string& path, const std::vector<RecordedFrame>& frames) {
  capture::Writer writer(path);
  for (const RecordedFrame& record : frames) writer.write(record.time_ns, record.frame);
  writer.close();
  return path;
}

}  // namespace linearb::test
