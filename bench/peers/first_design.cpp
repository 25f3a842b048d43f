// SPDX-License-Identifier: Apache-2.0
// The first design: its hook (first_design.bpf.c) on the lines, and its one AF_XDP socket, on line
// A. What line B wins is lost; so is what finds no frame.
//
// Its hash is full after 1 << 20 sessions, and a new session costs about twice as much from there
// on: a measurement has to say whether it is one of the first million or of what follows.
#include <memory>
#include <vector>

#include <bpf/libbpf.h>

#include "bench/attach.h"
#include "bench/bare_socket.h"
#include "bench/peers/peer.h"
#include "first_design.skel.h"
#include "sys/error.h"

namespace linearb::bench {
namespace {

class FirstDesign : public Peer {
 public:
  explicit FirstDesign(const PeerOptions& options)
      : skeleton_(first_design_bpf__open_and_load()), socket_(options.interfaces.at(0)) {
    if (!skeleton_) sys::throw_errno("load the hook of the first design");
    put_into(skeleton_->maps.xsks_map, socket_.fd());
    const int program = bpf_program__fd(skeleton_->progs.first_design);
    for (const std::string& interface : options.interfaces)
      attached_.push_back(attach(program, interface, Mode::native));
  }

  void poll(Application& application) override {
    application.count_read(socket_.drain([&](const std::uint8_t* packet, std::uint32_t) {
      application.deliver(packet + kHeadersLength);
    }));
  }

 private:
  struct Destroy {
    void operator()(first_design_bpf* skeleton) const noexcept {
      first_design_bpf__destroy(skeleton);
    }
  };
  std::unique_ptr<first_design_bpf, Destroy> skeleton_;
  BareSocket socket_;
  /// Last, so that the hook goes before its socket does.
  std::vector<sys::Fd> attached_;
};

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  using namespace linearb::bench;
  return run_peer(count, arguments, 1, [](const PeerOptions& options) {
    return std::make_unique<FirstDesign>(options);
  });
}
