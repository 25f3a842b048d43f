// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "bench/measurements.h"
#include "bench/optiq_packet.h"
#include "bench/peers/peer.h"
#include "linearb/error.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "xsk/socket.h"
#include "xsk/umem.h"

namespace linearb::bench {
namespace {

constexpr std::uint32_t kFrames = 1024;
constexpr std::uint32_t kPreamble = 64;
constexpr auto kPublished = std::chrono::milliseconds(300);

/// Sends every packet on both lines at its time, by AF_XDP, one kick for each: what leaves late
/// leaves at once, and its time stamp is that of its own sending.
class PacedSender {
 public:
  explicit PacedSender(const std::vector<std::string>& interfaces)
      : umem_({.frames = kFrames * static_cast<std::uint32_t>(interfaces.size()),
               .fill_ring_entries = kFrames,
               .completion_ring_entries = kFrames}) {
    for (const std::string& interface : interfaces)
      sockets_.push_back(std::make_unique<xsk::Socket>(
          umem_, xsk::SocketOptions{.interface = interface, .send_frames = kFrames}));
  }

  void send(std::uint32_t first, std::uint32_t count, double rate, bool stamped) {
    const std::uint64_t begin_ns = sys::monotonic_ns();
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto due_ns = begin_ns + static_cast<std::uint64_t>(i * 1e9 / rate);
      while (sys::monotonic_ns() < due_ns) continue;
      for (const auto& socket : sockets_) send_on(*socket, first + i, stamped);
    }
  }

 private:
  void send_on(xsk::Socket& socket, std::uint32_t number, bool stamped) {
    while (socket.pool().empty()) {
      socket.kick_tx();
      socket.reclaim();
    }
    const std::uint64_t frame = socket.pool().take();
    auto* const data = reinterpret_cast<std::uint8_t*>(umem_.data(frame));
    const std::uint32_t length = write_optiq_packet(data, number);
    const std::uint64_t now_ns = stamped ? sys::monotonic_ns() : 0;
    std::memcpy(data + kHeadersLength + OPTIQ_TIMESTAMP, &now_ns, sizeof(now_ns));
    {
      xsk::TxBatch batch = socket.send(1);
      batch.put(frame, length);
    }
    if (socket.kick_tx() == xsk::Kick::kFailed) throw Error("a packet could not be sent");
    socket.reclaim();
  }

  xsk::Umem umem_;
  std::vector<std::unique_ptr<xsk::Socket>> sockets_;
};

struct Course {
  Contender contender;
  double rate;
  std::uint32_t packets;
};

void measure(const Course& course, const Cpus& cpus, Figures& figures) {
  const Stage stage(2, course.contender);
  RunningContender contender(course.contender, stage.destinations(), cpus.receiver, 1);
  PacedSender sender(stage.sources());
  sender.send(1, kPreamble, 1e5, false);
  std::this_thread::sleep_for(kPublished);
  sender.send(1 + kPreamble, course.packets, course.rate, true);
  const std::uint64_t all = kPreamble + course.packets;
  const std::uint64_t give_up_ns = sys::monotonic_ns() + 2'000'000'000;
  while (contender.board().delivered.load() < all)
    if (sys::monotonic_ns() > give_up_ns)
      throw Error(fmt::format("{}: {} of {} messages came", course.contender.name,
                              contender.board().delivered.load(), all));
  contender.stop();
  const auto& latency = contender.board().latency;
  if (latency.count != course.packets) throw Error("not every message was timed once");
  const std::string name =
      fmt::format("{} at {:.0f} k/s", course.contender.name, course.rate / 1e3);
  figures.add(name + ", p50, ns", static_cast<double>(latency.p50_ns));
  figures.add(name + ", p99, ns", static_cast<double>(latency.p99_ns));
}

}  // namespace

Measurements latency_measurements(const Settings& settings) {
  const Contender linearb{"linearb", "peer_linearb", {"--timed"}};
  const Contender kernel_sockets{"kernel sockets", "peer_kernel_sockets", {"--timed"}, true};
  Measurements measurements;
  for (const auto& [rate, packets] : {std::pair{20e3, 40'000u}, std::pair{200e3, 300'000u}})
    for (const Contender& contender : {linearb, kernel_sockets}) {
      const Course course{contender, rate, settings.quick ? packets / 2 : packets};
      measurements.push_back(
          {fmt::format("latency of {} at {:.0f} k/s", contender.name, rate / 1e3),
           [course, cpus = settings.cpus](Figures& figures) { measure(course, cpus, figures); }});
    }
  return measurements;
}

}  // namespace linearb::bench
