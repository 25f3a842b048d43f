// SPDX-License-Identifier: Apache-2.0
// The first design: its hook (first_design.bpf.c) on the lines, and its one AF_XDP socket, on line
// A. What line B wins is lost; so is what finds no frame.
//
// Its hash is full after 1 << 20 sessions, and a new session costs about twice as much from there
// on: a measurement has to say whether it is one of the first million or of what follows.
#include <memory>

#include <bpf/libbpf.h>

#include "bench/peers/one_socket.h"
#include "first_design.skel.h"
#include "sys/error.h"

namespace linearb::bench {
namespace {

class FirstDesign : public OneSocket {
 public:
  explicit FirstDesign(const PeerOptions& options)
      : OneSocket(options.interfaces.at(0)), skeleton_(first_design_bpf__open_and_load()) {
    if (!skeleton_) sys::throw_errno("load the hook of the first design");
    put_into(skeleton_->maps.xsks_map, socket_fd());
    const int program = bpf_program__fd(skeleton_->progs.first_design);
    for (const std::string& interface : options.interfaces) attach_to(interface, program);
  }

 private:
  struct Destroy {
    void operator()(first_design_bpf* skeleton) const noexcept {
      first_design_bpf__destroy(skeleton);
    }
  };
  std::unique_ptr<first_design_bpf, Destroy> skeleton_;
};

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  using namespace linearb::bench;
  return run_peer<FirstDesign>(count, arguments, 1);
}
