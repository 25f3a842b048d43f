// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>
#include <deque>
#include <set>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <poll.h>
#include <sys/resource.h>

#include "support/capability.h"
#include "support/error_text.h"
#include "support/namespace.h"
#include "support/redirect_program.h"
#include "sys/interface.h"
#include "xsk/socket.h"
#include "xsk/turn.h"

namespace linearb::xsk {
namespace {

using test::error_text;
using test::RedirectProgram;
using test::WithoutCapability;

constexpr std::uint32_t kFrames = 512;
/// Below the 256 entries of a veth's queue (VETH_RING_SIZE in drivers/net/veth.c): nothing is
/// lost on the way however late the receiving side runs.
constexpr std::uint64_t kInFlightMax = 128;
/// Rounds in a row in which nothing moved, each with a pause of a millisecond, before a test
/// gives up. It only bounds a test that fails.
constexpr unsigned kIdleRoundsMax = 5000;

/// Ethernet header with a type for local experiments (IEEE 802, 88B5), then number, length and
/// bytes that follow from both.
constexpr std::uint32_t kHeaderBytes = 14;
constexpr std::array<std::uint32_t, 5> kLengths{60, 61, 342, 1024, 1514};

std::uint32_t length_of(std::uint64_t number) {
  return kLengths[number % kLengths.size()];
}

std::byte byte_of(std::uint64_t number, std::uint32_t offset) {
  return static_cast<std::byte>((number * 0x9e3779b97f4a7c15u >> 32) + offset * 131);
}

void write_packet(std::byte* packet, std::uint64_t number) {
  std::memset(packet, 0xff, 6);
  std::memset(packet + 6, 0x02, 6);
  packet[12] = std::byte{0x88};
  packet[13] = std::byte{0xb5};
  std::memcpy(packet + kHeaderBytes, &number, sizeof number);
  for (std::uint32_t at = kHeaderBytes + sizeof number; at < length_of(number); ++at)
    packet[at] = byte_of(number, at);
}

/// False when a single byte of the packet differs from what was sent as `number`.
bool intact(const RxPacket& packet, std::uint64_t number) {
  if (packet.length_bytes != length_of(number)) return false;
  std::array<std::byte, 2048> expected;
  write_packet(expected.data(), number);
  return std::memcmp(packet.data, expected.data(), packet.length_bytes) == 0;
}

std::uint32_t metadata_of(const RxPacket& packet) {
  std::uint32_t metadata;
  std::memcpy(&metadata, packet.data - sizeof metadata, sizeof metadata);
  return metadata;
}

SocketOptions sends(const std::string& interface) {
  return {.interface = interface, .send_frames = kFrames, .zero_copy = ZeroCopy::off};
}
SocketOptions receives(const std::string& interface) {
  return {.interface = interface, .receive_frames = kFrames, .zero_copy = ZeroCopy::off};
}

/// One line: what is sent into its source comes out of its destination, in order and intact.
class Line {
 public:
  Line(Umem& umem, char name, std::uint32_t xdp_flags, std::uint64_t first)
      : program_(lab::destination_name(name), xdp_flags),
        source_(umem, sends(lab::source_name(name))),
        destination_(umem, receives(lab::destination_name(name))),
        sent_(first),
        received_(first),
        first_(first) {
    program_.put_socket(0, destination_.fd());
  }

  std::uint64_t received() const { return received_ - first_; }
  Socket& source() { return source_; }
  Socket& destination() { return destination_; }

  void send_some(std::uint64_t packets) {
    source_.reclaim();
    const std::uint64_t wanted =
        std::min(kInFlightMax - (sent_ - received_), first_ + packets - sent_);
    {
      TxBatch batch =
          source_.send(std::min(static_cast<std::uint32_t>(wanted), source_.pool().size()));
      while (batch.room() > 0) {
        const std::uint64_t frame = source_.pool().take();
        write_packet(source_.umem().data(frame), sent_);
        batch.put(frame, length_of(sent_++));
      }
    }
    EXPECT_TRUE(source_.tx_needs_wakeup()) << "copy mode sends when it is kicked";
    EXPECT_NE(source_.kick_tx(), Kick::kFailed);
  }

  /// Returns how many came.
  std::uint32_t receive_some() {
    const RxBatch batch = destination_.receive(64);
    for (const RxPacket packet : batch) {
      EXPECT_TRUE(intact(packet, received_)) << "packet " << received_;
      EXPECT_EQ(metadata_of(packet), test::kRedirectMetadata);
      EXPECT_TRUE(destination_.owners().span().contains(packet.frame));
      destination_.pool().give(packet.frame);
      ++received_;
    }
    EXPECT_EQ(destination_.refill(kFrames), batch.size());
    if (batch.empty()) {
      pollfd ready{.fd = destination_.fd(), .events = POLLIN, .revents = 0};
      ::poll(&ready, 1, 1);
    }
    return batch.size();
  }

 private:
  RedirectProgram program_;
  Socket source_;
  Socket destination_;
  std::uint64_t sent_;
  std::uint64_t received_;
  std::uint64_t first_;
};

void carry(std::deque<Line>& lines, std::uint64_t packets) {
  unsigned idle_rounds = 0;
  const auto done = [&] {
    return std::ranges::all_of(lines, [&](const Line& line) { return line.received() == packets; });
  };
  while (!done() && idle_rounds < kIdleRoundsMax && !::testing::Test::HasFailure()) {
    std::uint32_t came = 0;
    for (Line& line : lines) line.send_some(packets);
    for (Line& line : lines) came += line.receive_some();
    idle_rounds = came > 0 ? 0 : idle_rounds + 1;
  }
  for (Line& line : lines) {
    EXPECT_EQ(line.received(), packets);
    line.source().reclaim();
    EXPECT_TRUE(line.source().conserved());
    EXPECT_TRUE(line.destination().conserved());
    EXPECT_EQ(line.source().owners().count(FrameOwner::kSending), 0u);
    EXPECT_EQ(line.destination().owners().count(FrameOwner::kReceiving), kFrames);
    const SocketStatistics statistics = line.destination().statistics();
    EXPECT_EQ(statistics.rx_dropped, 0u);
    EXPECT_EQ(statistics.rx_invalid_descriptors, 0u);
    EXPECT_EQ(line.source().statistics().tx_invalid_descriptors, 0u);
  }
}

using Xsk = test::LabTest;

TEST_F(Xsk, FramesOfTwoLinesOnOneUmemAreConserved) {
  Umem umem({.frames = 4 * kFrames});
  std::deque<Line> lines;
  lines.emplace_back(umem, 'A', XDP_FLAGS_DRV_MODE, 0);
  lines.emplace_back(umem, 'B', XDP_FLAGS_DRV_MODE, 1u << 20);
  EXPECT_EQ(umem.frames_left(), 0u);
  carry(lines, 50'000);
}

/// The kernel takes any frame of the ring for the packet of any socket: each has as many as before.
TEST_F(Xsk, SocketsOfOneQueueShareItsFrames) {
  constexpr std::uint32_t kEach = 64;
  constexpr std::uint64_t kRounds = 200;
  Umem sending({.frames = kFrames});
  Umem umem({.frames = 3 * kEach, .one_queue = true, .fill_ring_entries = 256});
  const SocketOptions options{
      .interface = "vethA_dst", .receive_frames = kEach, .zero_copy = ZeroCopy::off};
  Socket source(sending, sends("vethA_src"));
  std::deque<Socket> sockets;
  for (int i = 0; i < 3; ++i) sockets.emplace_back(umem, options);
  RedirectProgram program("vethA_dst", XDP_FLAGS_DRV_MODE);
  std::set<std::uint64_t> frames_of_first;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    Socket& socket = sockets[round % 5 % 3];
    program.put_socket(0, socket.fd());
    source.reclaim();
    {
      TxBatch batch = source.send(kEach);
      ASSERT_EQ(batch.room(), kEach);
      for (std::uint64_t number = 0; number < kEach; ++number) {
        const std::uint64_t frame = source.pool().take();
        write_packet(sending.data(frame), round + number);
        batch.put(frame, length_of(round + number));
      }
    }
    std::uint64_t sent = 0;
    while (sent < kEach) {
      ASSERT_NE(source.kick_tx(), Kick::kFailed);
      const RxBatch batch = socket.receive(kEach);
      for (const RxPacket packet : batch) {
        ASSERT_TRUE(intact(packet, round + sent++));
        if (&socket == &sockets.front()) frames_of_first.insert(packet.frame);
        socket.pool().give(packet.frame);
      }
      source.reclaim();
    }
    EXPECT_EQ(socket.owners().count(FrameOwner::kUser), kEach);
    {
      const Turn other(umem.filling());
      EXPECT_EQ(socket.refill(kEach), 0u) << "another one is at the ring";
      EXPECT_EQ(socket.pool().size(), kEach);
    }
    EXPECT_EQ(socket.refill(kEach), kEach);
  }
  EXPECT_GT(frames_of_first.size(), kEach) << "those of the others, too";
  for (const Socket& socket : sockets) {
    EXPECT_TRUE(socket.conserved());
    EXPECT_EQ(socket.owners().count(FrameOwner::kReceiving), kEach);
    EXPECT_EQ(socket.statistics().rx_fill_ring_empty, 0u);
  }
  EXPECT_EQ(error_text([&] {
              Umem other({.frames = kEach, .one_queue = true, .fill_ring_entries = kEach});
              Socket(other, {.interface = "vethB_dst", .send_frames = kEach});
            }),
            "AF_XDP socket on vethB_dst queue 0: sockets that share a queue only receive");
}

TEST_F(Xsk, GenericModeAndLargeFramesDeliverTheSame) {
  Umem umem({.frame_size = kFrameSizeLarge, .frames = 2 * kFrames});
  std::deque<Line> lines;
  lines.emplace_back(umem, 'A', XDP_FLAGS_SKB_MODE, 0);
  carry(lines, 5'000);
}

TEST_F(Xsk, HugePagesAreUsedWhereThereAreSome) {
  Umem umem({.frames = 2 * kFrames, .huge_pages = true});
  std::deque<Line> lines;
  lines.emplace_back(umem, 'A', XDP_FLAGS_DRV_MODE, 0);
  carry(lines, 1'000);
  RecordProperty("huge_pages", umem.huge_pages());
}

/// The fill ring holds every frame of the socket from the start, and nothing more than that can
/// be received until frames go back.
TEST_F(Xsk, EveryFrameReceivesOnceAndTheKernelCountsTheRest) {
  constexpr std::uint32_t kFew = 64;
  constexpr std::uint32_t kTooMany = 100;
  Umem umem({.frames = kFrames + kFew});
  const SocketOptions few{
      .interface = "vethA_dst", .receive_frames = kFew, .zero_copy = ZeroCopy::off};
  Socket destination(umem, few);
  Socket source(umem, sends("vethA_src"));
  EXPECT_EQ(destination.options().rx_ring_entries, kFew);
  EXPECT_FALSE(destination.zero_copy());
  EXPECT_FALSE(destination.rx_needs_wakeup()) << "only zero-copy drivers sleep";
  EXPECT_TRUE(destination.pool().empty());
  RedirectProgram program("vethA_dst", XDP_FLAGS_DRV_MODE);
  program.put_socket(0, destination.fd());
  {
    TxBatch batch = source.send(kTooMany);
    ASSERT_EQ(batch.room(), kTooMany);
    for (std::uint64_t number = 0; number < kTooMany; ++number) {
      const std::uint64_t frame = source.pool().take();
      write_packet(umem.data(frame), number);
      batch.put(frame, length_of(number));
    }
  }
  unsigned rounds = 0;
  while (source.owners().count(FrameOwner::kSending) > 0 && ++rounds < kIdleRoundsMax) {
    EXPECT_NE(source.kick_tx(), Kick::kFailed);
    source.reclaim();
    ::poll(nullptr, 0, 1);
  }
  RxBatch batch = destination.receive(kTooMany);
  EXPECT_EQ(batch.size(), kFew);
  EXPECT_EQ(destination.statistics().rx_dropped + destination.statistics().rx_ring_full,
            kTooMany - kFew);
  EXPECT_GT(destination.statistics().rx_fill_ring_empty, 0u);
  EXPECT_GE(sys::query_interface("vethA_dst").counters.rx_packets, kTooMany)
      << "the interface counts them all";
  EXPECT_TRUE(destination.conserved(kFew));
  EXPECT_FALSE(destination.conserved()) << "the batch's frames are not in the pool yet";
}

TEST_F(Xsk, OneKickSendsTheBudgetAndNoMore) {
  constexpr std::uint32_t kPackets = 200;
  for (const std::uint32_t asked : {32u, 64u, 128u}) {
    Umem umem({.frames = kFrames});
    SocketOptions options = sends("vethA_src");
    options.tx_budget_packets = asked;
    Socket source(umem, options);
    EXPECT_TRUE(source.tx_budget_packets() == asked || source.tx_budget_packets() == 32)
        << "what was asked for, or what a kernel before 6.17 does";
    {
      TxBatch batch = source.send(kPackets);
      while (batch.room() > 0) {
        const std::uint64_t frame = source.pool().take();
        write_packet(umem.data(frame), 0);
        batch.put(frame, kLengths[0]);
      }
    }
    std::uint32_t kicks = 1;
    while (source.kick_tx() == Kick::kAgain && kicks < kPackets) ++kicks;
    EXPECT_EQ(kicks, (kPackets + source.tx_budget_packets() - 1) / source.tx_budget_packets());
  }
}

TEST_F(Xsk, AnInterfaceThatIsDownFailsTheKick) {
  Umem umem({.frames = kFrames});
  Socket source(umem, sends("vethA_src"));
  sys::set_interface_up("vethA_src", false);
  {
    TxBatch batch = source.send(1);
    batch.put(source.pool().take(), 60);
  }
  EXPECT_EQ(source.kick_tx(), Kick::kFailed);
  EXPECT_EQ(errno, ENETDOWN);
}

TEST_F(Xsk, BusyPollingReceives) {
  Umem umem({.frames = 2 * kFrames});
  Socket source(umem, sends("vethA_src"));
  SocketOptions options = receives("vethA_dst");
  options.busy_poll = BusyPoll{};
  Socket destination(umem, options);
  RedirectProgram program("vethA_dst", XDP_FLAGS_DRV_MODE);
  program.put_socket(0, destination.fd());
  {
    TxBatch batch = source.send(1);
    const std::uint64_t frame = source.pool().take();
    write_packet(umem.data(frame), 7);
    batch.put(frame, length_of(7));
  }
  EXPECT_EQ(source.kick_tx(), Kick::kDone);
  for (unsigned round = 0; round < kIdleRoundsMax; ++round) {
    destination.wake_rx();
    const RxBatch batch = destination.receive(1);
    if (batch.empty()) {
      ::poll(nullptr, 0, 1);
      continue;
    }
    EXPECT_TRUE(intact(batch[0], 7));
    return;
  }
  FAIL() << "nothing came";
}

/// The kernel takes a socket down after close() has returned; the next one waits for that.
TEST_F(Xsk, AQueueThatWasJustClosedIsTriedAgain) {
  for (unsigned round = 0; round < 20; ++round) {
    Umem umem({.frames = 4 * kFrames});
    const Socket destination(umem, receives("vethA_dst"));
    const Socket other(umem, receives("vethB_dst"));
  }
}

TEST_F(Xsk, AProgramThatIsStartedInheritsNoSocket) {
  Umem umem({.frames = 2 * kFrames});
  const Socket first(umem, receives("vethA_dst"));
  const Socket second(umem, receives("vethB_dst"));
  for (const Socket* socket : {&first, &second})
    EXPECT_EQ(::fcntl(socket->fd(), F_GETFD), FD_CLOEXEC);
}

TEST_F(Xsk, AQueueThatStaysBusyIsNamed) {
  Umem holder({.frames = kFrames});
  const Socket held(holder, receives("vethA_dst"));
  SocketOptions options = receives("vethA_dst");
  options.busy_retry_ms = 30;
  const auto bind_again = [&] {
    Umem umem({.frames = kFrames});
    const Socket socket(umem, options);
  };
  EXPECT_EQ(error_text(bind_again),
            "bind AF_XDP socket on vethA_dst queue 0: Device or resource busy; another AF_XDP "
            "socket holds this queue: stop its process (ss --xdp -p may name it)");
}

TEST_F(Xsk, RefusalsOfTheKernelAreNamed) {
  const struct {
    const char* interface;
    std::uint32_t queue;
    ZeroCopy zero_copy;
    const char* text;
  } rows[] = {
      {"nosuch0", 0, ZeroCopy::off,
       "find interface nosuch0: No such device; ip link shows those there are"},
      {"vethA_dst", 5, ZeroCopy::off,
       "bind AF_XDP socket on vethA_dst queue 5: Invalid argument; the interface may have no queue "
       "5: see ethtool -l vethA_dst"},
      {"vethA_dst", 0, ZeroCopy::require,
       "bind AF_XDP socket on vethA_dst queue 0: Operation not supported; its driver has no "
       "zero-copy: use --zero-copy auto or off"},
  };
  for (const auto& row : rows) {
    Umem umem({.frames = kFrames});
    SocketOptions options = receives(row.interface);
    options.queue = row.queue;
    options.zero_copy = row.zero_copy;
    EXPECT_EQ(error_text([&] { Socket(umem, options); }), row.text);
  }
}

TEST_F(Xsk, ZeroCopyIsTheDriversChoiceUnderAuto) {
  Umem umem({.frames = kFrames});
  SocketOptions options = receives("vethA_dst");
  options.zero_copy = ZeroCopy::automatic;
  const Socket socket(umem, options);
  EXPECT_FALSE(socket.zero_copy()) << "veth has none";
}

TEST_F(Xsk, TheFirstSocketDecidesTheModeOfAll) {
  Umem umem({.frames = 2 * kFrames});
  const Socket first(umem, receives("vethA_dst"));
  SocketOptions options = receives("vethB_dst");
  options.zero_copy = ZeroCopy::require;
  EXPECT_EQ(error_text([&] { Socket(umem, options); }),
            "bind AF_XDP socket on vethB_dst queue 0: an earlier socket of its UMEM copies, so it "
            "does too; use --zero-copy require for all");
  EXPECT_THROW(Socket(umem, options), UsageError) << "and its frames are spent";
}

TEST_F(Xsk, OptionsThatContradictEachOtherAreRefused) {
  const std::string socket = "AF_XDP socket on vethA_dst queue 0: ";
  const struct {
    SocketOptions options;
    std::string text;
  } rows[] = {
      {{.interface = "vethA_dst"}, socket + "it neither receives nor sends"},
      {{.interface = "vethA_dst", .receive_frames = 64, .rx_ring_entries = 100},
       "RX ring of 100 entries: the kernel wants a power of two"},
      {{.interface = "vethA_dst", .send_frames = 64, .tx_ring_entries = 100},
       "TX ring of 100 entries: the kernel wants a power of two"},
      {{.interface = "vethA_dst", .receive_frames = 64, .rx_ring_entries = 32},
       socket + "64 frames to receive into, RX ring of 32 entries"},
      {{.interface = "vethA_dst", .receive_frames = 64},
       socket + "64 frames to receive into, fill ring of 32 entries"},
      {{.interface = "vethA_dst", .send_frames = 64, .tx_budget_packets = 16},
       socket + "a kick may send at least 32 packets, not 16"},
      {{.interface = "vethA_dst", .send_frames = 513},
       "513 frames of the UMEM for one socket, 512 of 512 are left: raise --frames"},
  };
  Umem umem({.frames = kFrames, .fill_ring_entries = 32});
  for (const auto& row : rows) EXPECT_EQ(error_text([&] { Socket(umem, row.options); }), row.text);
}

TEST_F(Xsk, MissingRightsAreNamed) {
  {
    const WithoutCapability without(CAP_NET_RAW);
    EXPECT_EQ(error_text([] { Umem({.frames = 16}); }),
              "open an AF_XDP socket: Operation not permitted; it needs root or CAP_NET_RAW");
  }
  {
    Umem umem({.frames = 2 * kFrames});
    SocketOptions options = receives("vethA_dst");
    options.busy_poll = BusyPoll{.timeout_us = 20, .budget_packets = 64};
    const WithoutCapability without(CAP_NET_ADMIN);
    EXPECT_EQ(error_text([&] { Socket(umem, options); }),
              "set SO_PREFER_BUSY_POLL to 1 on AF_XDP socket on vethA_dst queue 0: Operation not "
              "permitted; busy polling needs kernel 5.11 and CAP_NET_ADMIN: use --wait poll or "
              "spin");
  }
}

TEST_F(Xsk, LockedMemoryNamesItsLimit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_MEMLOCK, &before), 0);
  const rlimit tight{.rlim_cur = 64 * 1024, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_MEMLOCK, &tight), 0);
  std::string text;
  {
    const WithoutCapability without(CAP_IPC_LOCK);
    text = error_text([] { Umem({.frames = 64}); });
  }
  ASSERT_EQ(::setrlimit(RLIMIT_MEMLOCK, &before), 0);
  EXPECT_EQ(text,
            "register a UMEM of 131072 bytes: No buffer space available; it is locked memory: use "
            "fewer frames (--frames), raise RLIMIT_MEMLOCK (ulimit -l), or run as root or with "
            "CAP_IPC_LOCK");
}

/// Though libxdp has counted it, and keeps the file descriptor of the first one for that.
TEST_F(Xsk, ASecondSocketThatCannotBeMadeLeavesTheQueueFree) {
  const SocketOptions options{.interface = "vethA_dst",
                              .receive_frames = 64,
                              .zero_copy = ZeroCopy::off,
                              .busy_retry_ms = 1'000};
  {
    Umem umem({.frames = 128, .one_queue = true, .fill_ring_entries = 128});
    const Socket first(umem, options);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const std::string text = error_text([&] { Socket(umem, options); });
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(text.find("Too many open files") != std::string::npos) << text;
  }
  Umem umem({.frames = 64, .fill_ring_entries = 64});
  EXPECT_EQ(error_text([&] { Socket(umem, options); }), "no error");
}

}  // namespace
}  // namespace linearb::xsk
