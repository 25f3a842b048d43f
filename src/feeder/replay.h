// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "feeder/impairment.h"
#include "feeder/source.h"
#include "framing/framing.h"
#include "xsk/packet_header.h"

namespace linearb::feeder {

/// How many datagrams are in memory at most: those that some line still has to send, and the next
/// one. When a line is so far behind another that this is full, reading waits. 32 MiB with frames
/// of 2,048 bytes, touched only as it fills.
inline constexpr std::size_t kLookAhead = 16'384;
static_assert(kLookAhead > kHeldOffersMax, "reading on is what sets a reordered packet free");

/// One UDP datagram of a file. `bytes` is valid until the next one is read.
struct Datagram {
  std::uint64_t timestamp_ns;           // 0 where the file has no times
  std::span<const std::uint8_t> bytes;  // a whole frame, or the payload alone
  std::uint32_t payload_offset;         // in bytes
  std::uint32_t payload_length;
  std::uint32_t ip_offset;  // 0: payload alone
};

/// The UDP datagrams of a file, one after the other.
class DatagramReader {
 public:
  virtual ~DatagramReader() = default;
  /// Nothing at the end of the file. Throws UsageError for a file that is damaged.
  virtual std::optional<Datagram> next() = 0;
  /// Records so far that are no whole UDP datagram.
  virtual std::uint64_t skipped() const noexcept = 0;
};

/// Opens a capture, or raw datagrams of a framing back to back, whichever the file is.
std::unique_ptr<DatagramReader> open_datagrams(const std::string& path, const lb_framing& framing);

struct ReplayOptions {
  std::string path;
  std::uint64_t units = 0;      // datagrams to replay; 0: all
  double units_per_second = 0;  // 0: at the pace of the capture
  double speed = 1;             // times the pace of the capture; 0: as fast as the lines take them
};

/// Replays a file on every line. The unit is a datagram. What a capture holds is sent as it is,
/// headers included; a raw datagram gets the headers of the line. Raw datagrams have no times:
/// without a rate they go as fast as the lines take them.
class Replay : public Source {
 public:
  /// Reads the file once from beginning to end, and throws UsageError when it is damaged, has no
  /// datagram, or has one that does not fit a frame of `frame_size` bytes or an interface with
  /// `mtu`. One header for each line.
  Replay(const ReplayOptions& options, const lb_framing& framing, std::uint32_t frame_size,
         std::uint32_t mtu, std::vector<xsk::PacketHeader> headers);

  /// Records that are no whole UDP datagram, in the whole file.
  std::uint64_t skipped() const noexcept { return skipped_; }

  void start(const StartTime& time) noexcept override;
  std::uint64_t due_ns() override;
  bool finished() const noexcept override { return at_end_ && !ahead_; }
  std::uint64_t take(std::uint64_t now_ns) noexcept override;
  std::uint32_t payload_length(UnitRange units) const noexcept override;
  std::uint32_t payload_offset(UnitRange units) const noexcept override;
  std::uint32_t write(std::size_t line, UnitRange units, std::uint64_t base_ns,
                      std::uint8_t* frame) const noexcept override;
  void release(UnitRange units) noexcept override;

 private:
  struct Slot {
    std::uint32_t length;
    std::uint32_t payload_offset;
    std::uint32_t payload_length;
    std::size_t lines;  // that still need it
    bool framed;
  };

  void require_fits(const Datagram& datagram, std::uint64_t number) const;
  void read_whole_file();
  void read_ahead();
  void store(const Datagram& datagram) noexcept;
  std::uint64_t pace(const Datagram& datagram) const noexcept;
  const Slot& slot(std::uint64_t unit) const noexcept { return slots_[unit % slots_.size()]; }
  Slot& slot(std::uint64_t unit) noexcept { return slots_[unit % slots_.size()]; }
  std::uint8_t* bytes(std::uint64_t unit) const noexcept {
    return bytes_.get() + unit % slots_.size() * frame_size_;
  }

  ReplayOptions options_;
  lb_framing framing_;
  std::uint32_t frame_size_;
  std::uint32_t mtu_;
  std::vector<xsk::PacketHeader> headers_;
  std::uint64_t skipped_ = 0;
  std::unique_ptr<DatagramReader> reader_;
  std::vector<Slot> slots_;
  std::unique_ptr<std::uint8_t[]> bytes_;  // frame_size_ for each slot
  std::uint64_t taken_ = 0;
  bool ahead_ = false;  // the slot of unit taken_ holds it
  bool at_end_ = false;
  bool paced_;
  std::uint64_t start_ns_ = 0;
  std::uint64_t first_timestamp_ns_ = 0;
  std::uint64_t since_start_ns_ = 0;  // when the datagram that was read ahead is due
};

}  // namespace linearb::feeder
