// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench/attach.h"
#include "bench/bare_socket.h"
#include "bench/measurements.h"
#include "bench/optiq_packet.h"
#include "bench/published_hook.h"
#include "core/types.h"
#include "first_design_cost.skel.h"
#include "hook/takeover.h"
#include "linearb_cost.skel.h"
#include "sys/error.h"
#include "sys/interface.h"

namespace linearb::bench {
namespace {

/// Numbers of one run: within a window.
constexpr std::uint32_t kNumbers = 60'000;
/// More sessions than the hash of the first design has room for.
constexpr std::uint32_t kHashIsFull = 1'200'000;

template <class Skeleton>
using Owned = std::unique_ptr<Skeleton, void (*)(Skeleton*)>;

/// ns for each run; the result of the last one has to be this.
double run(const bpf_program* program, unsigned interface_index, std::uint32_t times,
           std::uint32_t expected) {
  std::vector<std::uint8_t> packet = optiq_packet();
  xdp_md context{};
  context.data_end = static_cast<std::uint32_t>(packet.size());
  context.ingress_ifindex = interface_index;
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = packet.data();
  options.data_size_in = static_cast<std::uint32_t>(packet.size());
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  options.repeat = static_cast<int>(times);
  const int error = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
  if (error) sys::throw_errno("run a hook on a packet (BPF_PROG_RUN)", {}, error);
  if (options.retval != expected)
    throw Error(fmt::format("{} returned {} instead of {}", bpf_program__name(program),
                            options.retval, expected));
  return options.duration;
}

/// The hook with two lines of one channel, published, as a receiver would have it.
class LinearbCost {
 public:
  explicit LinearbCost(const Stage& stage)
      : skeleton_(linearb_cost_bpf__open(), &linearb_cost_bpf__destroy),
        socket_(stage.destinations()[0]) {
    if (!skeleton_) sys::throw_errno("open the hook that is measured");
    std::map<std::string, sys::Fd> descriptors;
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton_->obj) bpf_map__set_pin_path(map, nullptr);
    if (const int error = linearb_cost_bpf__load(skeleton_.get()); error)
      sys::throw_errno("load the hook that is measured", {}, error);
    bpf_object__for_each_map(map, skeleton_->obj) {
      descriptors.emplace(bpf_map__name(map),
                          sys::Fd(::fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0)));
    }
    maps_ = std::make_unique<hook::Maps>(std::move(descriptors));
    std::vector<HookLine> lines;
    for (const std::string& interface : stage.destinations()) {
      interfaces_.push_back(sys::interface_index(interface));
      lines.push_back({interfaces_.back(), socket_.fd(), BareSocket::kFrames});
    }
    publish_optiq(*maps_, lines);
    skeleton_->bss->slot = 0;
  }

  void measure(Figures& figures) {
    skeleton_->bss->next_number = first_;
    const double winner =
        run(skeleton_->progs.linearb_winner, interfaces_[0], kNumbers, XDP_REDIRECT);
    skeleton_->bss->next_number = first_;
    const double duplicate =
        run(skeleton_->progs.linearb_duplicate, interfaces_[1], kNumbers, XDP_DROP);
    first_ += kNumbers;
    const auto bank = static_cast<std::uint32_t>(maps_->config().bank & 1);
    const lb_counters a = hook::sum_counters(*maps_, bank, 0);
    const lb_counters b = hook::sum_counters(*maps_, bank, 1);
    if (a.claimed != first_ - 1 || b.duplicate != first_ - 1)
      throw Error(
          fmt::format("{} claimed and {} duplicate, not {}", a.claimed, b.duplicate, first_ - 1));
    // Last: it gives credits back that nobody took.
    const double around = run(skeleton_->progs.only_around, interfaces_[0], kNumbers, XDP_REDIRECT);
    figures.add("hook: winner, ns", winner);
    figures.add("hook: duplicate, ns", duplicate);
    figures.add("hook: around a winner, ns", around);
  }

 private:
  Owned<linearb_cost_bpf> skeleton_;
  BareSocket socket_;
  std::unique_ptr<hook::Maps> maps_;
  std::vector<unsigned> interfaces_;
  std::uint32_t first_ = 1;
};

void measure_first_design(const Stage& stage, Figures& figures) {
  const Owned<first_design_cost_bpf> skeleton(first_design_cost_bpf__open_and_load(),
                                              &first_design_cost_bpf__destroy);
  if (!skeleton) sys::throw_errno("load the first design's hook that is measured");
  const BareSocket socket(stage.destinations()[0]);
  put_into(skeleton->maps.xsks_map, socket.fd());
  const bpf_program* const program = skeleton->progs.first_design_moving_on;
  const unsigned interface = sys::interface_index(stage.destinations()[0]);
  const auto measure = [&](std::uint32_t first, std::uint32_t count, std::uint32_t expected) {
    skeleton->bss->next_number = first;
    return run(program, interface, count, expected);
  };
  figures.add("first design's hook: winner, its hash not full, ns",
              measure(1, kNumbers, XDP_REDIRECT));
  measure(1 + kNumbers, kHashIsFull, XDP_REDIRECT);
  const std::uint32_t next = 1 + kNumbers + kHashIsFull;
  figures.add("first design's hook: winner, ns", measure(next, kNumbers, XDP_REDIRECT));
  figures.add("first design's hook: duplicate, ns", measure(next, kNumbers, XDP_DROP));
}

}  // namespace

Measurements hook_measurements(const Settings&) {
  return {{"hook",
           [](Figures& figures) {
             const Stage stage(2, {});
             LinearbCost(stage).measure(figures);
           }},
          {"first design's hook",
           [](Figures& figures) { measure_first_design(Stage(2, {}), figures); }}};
}

}  // namespace linearb::bench
