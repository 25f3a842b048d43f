// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include <bpf/libbpf.h>

#include "bench/attach.h"
#include "bench/course.h"
#include "bench/measurements.h"
#include "bench/optiq_packet.h"
#include "ceiling.skel.h"
#include "config/framing_file.h"
#include "feeder/feeder.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/error.h"
#include "xsk/socket.h"
#include "xsk/umem.h"

namespace linearb::bench {
namespace {

constexpr std::uint32_t kFrames = feeder::kFramesDefault;
constexpr std::uint32_t kBatch = feeder::kBatchDefault;

/// A hook at the other end that drops all there is: what is measured is the sending.
class Sink {
 public:
  explicit Sink(const std::vector<std::string>& interfaces)
      : skeleton_(ceiling_bpf__open_and_load(), &ceiling_bpf__destroy) {
    if (!skeleton_) sys::throw_errno("load a hook that drops everything");
    for (const std::string& interface : interfaces)
      attached_.push_back(attach(bpf_program__fd(skeleton_->progs.drop_all), interface));
  }

 private:
  std::unique_ptr<ceiling_bpf, void (*)(ceiling_bpf*)> skeleton_;
  std::vector<sys::Fd> attached_;
};

double rate_of(std::uint64_t packets, const std::function<void()>& send) {
  const std::uint64_t begin_ns = sys::monotonic_ns();
  send();
  return static_cast<double>(packets) * 1e9 / static_cast<double>(sys::monotonic_ns() - begin_ns);
}

/// linearb's feeder, as `linearb feed` has it.
double feed(const std::vector<std::string>& interfaces, std::uint64_t packets,
            feeder::Engine engine) {
  feeder::FeederOptions options;
  options.engine = engine;
  options.framing = config::load_framing("optiq");
  options.packets = packets;
  for (const std::string& interface : interfaces)
    options.lines.push_back({.line = {interface, interface}});
  feeder::Feeder feeder(options);
  return rate_of(packets, [&] {
    for (const auto& line : feeder.run().lines)
      if (line.completed != packets) throw Error("the feeder did not send all packets");
  });
}

/// The sockets of a loop that does nothing but send.
class Sockets {
 public:
  Sockets(const std::vector<std::string>& interfaces, std::uint32_t budget)
      : umem_({.frames = kFrames * static_cast<std::uint32_t>(interfaces.size()),
               .fill_ring_entries = kFrames,
               .completion_ring_entries = kFrames}) {
    for (const std::string& interface : interfaces)
      sockets_.push_back(std::make_unique<xsk::Socket>(
          umem_, xsk::SocketOptions{
                     .interface = interface, .send_frames = kFrames, .tx_budget_packets = budget}));
    for (std::uint64_t frame = 0; frame < std::uint64_t{umem_.options().frames}; ++frame)
      length_ = write_optiq_packet(bytes(frame * umem_.options().frame_size), 1);
  }

  std::uint8_t* bytes(std::uint64_t frame) {
    return reinterpret_cast<std::uint8_t*>(umem_.data(frame));
  }

  /// Packets that are ready, so many at a time.
  void send(std::uint64_t packets, std::uint32_t batch_size,
            const std::function<void(std::uint8_t*, std::uint32_t)>& prepare = {}) {
    for (std::uint64_t sent = 0; sent < packets;) {
      const auto wanted =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(batch_size, packets - sent));
      for (const auto& socket : sockets_) send_on(*socket, wanted, sent, prepare);
      sent += wanted;
    }
    for (const auto& socket : sockets_)
      while (socket->pool().size() < kFrames) push(*socket);
  }

 private:
  void send_on(xsk::Socket& socket, std::uint32_t wanted, std::uint64_t first,
               const std::function<void(std::uint8_t*, std::uint32_t)>& prepare) {
    while (socket.pool().size() < wanted) push(socket);
    {
      xsk::TxBatch batch = socket.send(wanted);
      for (std::uint32_t i = 0; i < wanted; ++i) {
        const std::uint64_t frame = socket.pool().take();
        if (prepare) prepare(bytes(frame), static_cast<std::uint32_t>(first + i));
        batch.put(frame, length_);
      }
    }
    push(socket);
  }

  static void push(xsk::Socket& socket) {
    if (socket.kick_tx() == xsk::Kick::kFailed) throw Error("a packet could not be sent");
    socket.reclaim();
  }

  xsk::Umem umem_;
  std::vector<std::unique_ptr<xsk::Socket>> sockets_;
  std::uint32_t length_ = 0;
};

double bare_loop(const std::vector<std::string>& interfaces, std::uint64_t packets) {
  Sockets sockets(interfaces, xsk::SocketOptions{}.tx_budget_packets);
  return rate_of(packets, [&] { sockets.send(packets, kBatch); });
}

/// The loop of the first design: one packet, one sendto.
double first_design(const std::vector<std::string>& interfaces, std::uint64_t packets) {
  Sockets sockets(interfaces, 32);
  return rate_of(packets, [&] {
    sockets.send(packets, 1, [](std::uint8_t* packet, std::uint32_t number) {
      write_optiq_packet(packet, number + 1);
    });
  });
}

/// What sends all packets on the source ends of the lines, and returns how many a second.
using Send = std::function<double(const std::vector<std::string>&, std::uint64_t)>;

void measure_sending(const std::string& figure, const Send& send, std::uint64_t packets,
                     Figures& figures) {
  const Stage stage(2, {});
  const Sink sink(stage.destinations());
  figures.add(figure, send(stage.sources(), packets) / 1e6);
}

/// From what sends to what receives, each as its users have it.
void measure_end_to_end(const std::string& figure, const Contender& contender, const Send& send,
                        std::uint64_t packets, const Cpus& cpus, Figures& figures) {
  const Stage stage(2, contender);
  RunningContender receiver(contender, stage.destinations(), cpus.receiver, 1);
  const double rate = rate_of(packets, [&] {
    send(stage.sources(), packets);
    receiver.wait_until_delivered(packets);
  });
  if (receiver.stop() != Expected({}, 2).digest_of(packets))
    throw Error(fmt::format("{} did not deliver what was sent", contender.name));
  figures.add(figure, rate / 1e6);
}

}  // namespace

Measurements feeding_measurements(const Settings& settings) {
  const std::uint64_t packets = settings.quick ? 100'000 : 400'000;
  const auto feed_by = [](feeder::Engine engine) {
    return [engine](const std::vector<std::string>& interfaces, std::uint64_t count) {
      return feed(interfaces, count, engine);
    };
  };
  Measurements measurements;
  const auto add_sending = [&](const std::string& figure, const Send& send) {
    measurements.push_back(
        {figure, [=](Figures& figures) { measure_sending(figure, send, packets, figures); }});
  };
  const auto add_end_to_end = [&](const std::string& figure, const Contender& contender,
                                  const Send& send) {
    measurements.push_back({figure, [=, cpus = settings.cpus](Figures& figures) {
                              measure_end_to_end(figure, contender, send, packets, cpus, figures);
                            }});
  };
  add_sending("feeder, M packets/s on each line", feed_by(feeder::Engine::af_xdp));
  add_sending("feeder with live frames, M packets/s on each line", feed_by(feeder::Engine::live));
  add_sending("bare sending loop, M packets/s on each line", bare_loop);
  add_sending("first design's feeder, M packets/s on each line", first_design);
  add_end_to_end("feeder and receiver, M packets/s on each line", kLinearb,
                 feed_by(feeder::Engine::af_xdp));
  add_end_to_end("first design's feeder and receiver, M packets/s on each line", kFirstDesign,
                 first_design);
  return measurements;
}

}  // namespace linearb::bench
