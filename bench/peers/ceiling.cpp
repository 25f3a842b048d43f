// SPDX-License-Identifier: Apache-2.0
// The ceiling: a hook that looks at nothing (ceiling.bpf.c), and the bare loop over one RX ring.
#include <memory>

#include <bpf/libbpf.h>

#include "bench/peers/one_socket.h"
#include "ceiling.skel.h"
#include "sys/error.h"

namespace linearb::bench {
namespace {

class Ceiling : public OneSocket {
 public:
  explicit Ceiling(const PeerOptions& options)
      : OneSocket(options.interfaces.at(0)), skeleton_(ceiling_bpf__open_and_load()) {
    if (!skeleton_) sys::throw_errno("load the hook that looks at nothing");
    put_into(skeleton_->maps.xsks_map, socket_fd());
    const int redirect = bpf_program__fd(skeleton_->progs.redirect_all);
    const int drop = bpf_program__fd(skeleton_->progs.drop_all);
    for (std::size_t i = 0; i < options.interfaces.size(); ++i)
      attach_to(options.interfaces[i], i == 0 ? redirect : drop);
  }

 private:
  struct Destroy {
    void operator()(ceiling_bpf* skeleton) const noexcept { ceiling_bpf__destroy(skeleton); }
  };
  std::unique_ptr<ceiling_bpf, Destroy> skeleton_;
};

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  using namespace linearb::bench;
  return run_peer<Ceiling>(count, arguments, 1);
}
