// SPDX-License-Identifier: Apache-2.0
// linearb, as an application has it: the library, with everything on.
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "bench/peers/peer.h"
#include "linearb/receiver.h"

namespace linearb::bench {
namespace {

ReceiverOptions receive(const PeerOptions& options) {
  ReceiverOptions receiver;
  receiver.lines.clear();
  for (std::size_t i = 0; i < options.interfaces.size(); ++i)
    receiver.lines.push_back({std::string(1, static_cast<char>('A' + i)), options.interfaces[i]});
  receiver.channels.clear();
  for (std::uint32_t i = 0; i < options.channels; ++i)
    receiver.channels.push_back({fmt::format("channel-{}", i),
                                 options.mold ? "moldudp64" : "optiq",
                                 {0, static_cast<std::uint16_t>(OPTIQ_FIRST_PORT + i)},
                                 {}});
  receiver.mode = Mode::native;
  receiver.wait = Wait::spin;
  receiver.order = options.in_sequence ? Order::sequence : Order::arrival;
  receiver.cpus = {options.cpu};
  if (options.frames != 0) receiver.frames = options.frames;
  return receiver;
}

void run(const PeerOptions& options, Board& board, const std::function<void()>& ready) {
  Application application(board, options.timed);
  const Receiver::Deliver of_optiq = [&](const Delivery& delivery) {
    application.deliver(delivery.payload.data());
    application.count_read(1);
  };
  const Receiver::Deliver of_mold = [&](const Delivery& delivery) {
    for (const Run& run : delivery.news)
      for (std::uint32_t i = 0; i < run.count; ++i)
        application.deliver_message(std::uint64_t{1} << 32 | (run.first + i));
    application.count_read(1);
  };
  Receiver receiver(receive(options), options.mold ? of_mold : of_optiq);
  // Seldom: each time it takes a CPU away from what is measured.
  std::jthread stop([&] {
    while (board.stop.load(std::memory_order_relaxed) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    receiver.stop();
  });
  ready();
  const Summary summary = receiver.run();
  application.finish();
  if (!summary.balanced) throw Error("its counters do not add up");
  if (summary.gap_messages != 0u && !options.lossy)
    throw Error("it reports a gap where there is none");
}

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  return linearb::bench::run_peer_itself(count, arguments, linearb::bench::run);
}
