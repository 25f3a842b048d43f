// SPDX-License-Identifier: Apache-2.0
#include "bench/peers/peer.h"

#include <csignal>
#include <cstdio>
#include <exception>

#include <fmt/format.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>

#include "bench/affinity.h"
#include "sys/clock.h"
#include "sys/cpu.h"

namespace linearb::bench {

void Application::wait_for_release() noexcept {
  stop_watch_at_ = board_.stop_watch_at.load(std::memory_order_relaxed);
  while (board_.held.load(std::memory_order_acquire) != 0 &&
         board_.stop.load(std::memory_order_relaxed) == 0) {
  }
  watch_began_ns_ = sys::monotonic_ns();
}

void Application::stop_watch() noexcept {
  board_.watch_ns.store(sys::monotonic_ns() - watch_began_ns_, std::memory_order_release);
}

void Application::finish() {
  board_.digest = digest_;
  board_.latency = latency_of(latencies_ns_);
}

int run_peer_itself(int count, char** arguments, const RunPeer& run) {
  PeerOptions options;
  CLI::App app("A peer of the benchmarks, which linearb_bench starts");
  app.add_option("--board", options.board, "File descriptor of the board")->required();
  app.add_option("--interface", options.interfaces, "Of a line (repeatable)")
      ->required()
      ->allow_extra_args(false);
  app.add_option("--cpu", options.cpu, "To run on");
  app.add_option("--channels", options.channels, "Channels, on ports in a row");
  app.add_option("--batch", options.batch, "Packets at a time");
  app.add_option("--frames", options.frames, "Frames of each socket");
  app.add_flag("--mold", options.mold, "The feed is MoldUDP64");
  app.add_flag("--lossy", options.lossy, "Lines lose packets");
  app.add_flag("--in-sequence", options.in_sequence, "In the order of numbers");
  app.add_flag("--timed", options.timed, "Messages have time stamps");
  CLI11_PARSE(app, count, arguments);
  try {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const SharedBoard board(options.board);
    run_anywhere();
    run(options, *board, [&] { board->ready.store(1, std::memory_order_release); });
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", arguments[0], error.what());
    return 1;
  }
}

int run_made_peer(int count, char** arguments, std::uint32_t copies, const MakePeer& make) {
  return run_peer_itself(
      count, arguments,
      [&](const PeerOptions& options, Board& board, const std::function<void()>& ready) {
        const std::unique_ptr<Peer> peer = make(options);
        sys::pin_this_thread(options.cpu);
        Application application(board, options.timed);
        board.copies = copies != 0 ? copies : static_cast<std::uint32_t>(options.interfaces.size());
        ready();
        while (board.stop.load(std::memory_order_relaxed) == 0) peer->poll(application);
        application.finish();
      });
}

}  // namespace linearb::bench
