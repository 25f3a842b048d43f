// SPDX-License-Identifier: Apache-2.0
// The ceiling: a hook that looks at nothing (ceiling.bpf.c), and the bare loop over one RX ring.
#include <memory>
#include <vector>

#include <bpf/libbpf.h>

#include "bench/attach.h"
#include "bench/bare_socket.h"
#include "bench/peers/peer.h"
#include "ceiling.skel.h"
#include "sys/error.h"

namespace linearb::bench {
namespace {

class Ceiling : public Peer {
 public:
  explicit Ceiling(const PeerOptions& options)
      : skeleton_(ceiling_bpf__open_and_load()), socket_(options.interfaces.at(0)) {
    if (!skeleton_) sys::throw_errno("load the hook that looks at nothing");
    put_into(skeleton_->maps.xsks_map, socket_.fd());
    const int redirect = bpf_program__fd(skeleton_->progs.redirect_all);
    const int drop = bpf_program__fd(skeleton_->progs.drop_all);
    for (std::size_t i = 0; i < options.interfaces.size(); ++i)
      attached_.push_back(attach(i == 0 ? redirect : drop, options.interfaces[i], Mode::native));
  }

  void poll(Application& application) override {
    application.count_read(socket_.drain([&](const std::uint8_t* packet, std::uint32_t) {
      application.deliver(packet + kHeadersLength);
    }));
  }

 private:
  struct Destroy {
    void operator()(ceiling_bpf* skeleton) const noexcept { ceiling_bpf__destroy(skeleton); }
  };
  std::unique_ptr<ceiling_bpf, Destroy> skeleton_;
  BareSocket socket_;
  /// Last, so that the hook goes before its socket does.
  std::vector<sys::Fd> attached_;
};

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  using namespace linearb::bench;
  return run_peer(count, arguments, 1,
                  [](const PeerOptions& options) { return std::make_unique<Ceiling>(options); });
}
