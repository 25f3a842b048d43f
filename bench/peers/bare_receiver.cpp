// SPDX-License-Identifier: Apache-2.0
// linearb's hook, and behind it nothing but the bare loop over the RX ring of each line: it gives
// the credits back, and believes the hook. What the receiver does beyond that is measured against
// it.
#include <memory>
#include <vector>

#include "bench/bare_socket.h"
#include "bench/peers/peer.h"
#include "bench/published_hook.h"
#include "hook/hook.h"
#include "sys/interface.h"

namespace linearb::bench {
namespace {

class BareReceiver : public Peer {
 public:
  explicit BareReceiver(const PeerOptions& options) {
    std::vector<hook::Interface> interfaces;
    std::vector<HookLine> lines;
    for (const std::string& name : options.interfaces) {
      sockets_.push_back(std::make_unique<BareSocket>(name));
      const unsigned index = sys::interface_index(name);
      interfaces.push_back({name, index});
      lines.push_back({index, sockets_.back()->fd(), BareSocket::kFrames});
    }
    const auto flows = static_cast<std::uint32_t>(lines.size());
    hook_ = std::make_unique<hook::Hook>(interfaces, hook::Capacity{.channels = 1, .flows = flows});
    publish_optiq(hook_->maps(), lines);
    for (std::uint32_t line = 0; line < lines.size(); ++line)
      credits_.push_back(&hook_->maps().credit(line * LB_QUEUES_MAX));
    hook_->attach(Mode::native);
  }

  void poll(Application& application) override {
    for (std::size_t line = 0; line < sockets_.size(); ++line) {
      const std::uint32_t came =
          sockets_[line]->drain([&](const std::uint8_t* packet, std::uint32_t) {
            const auto& metadata = reinterpret_cast<const lb_metadata*>(packet)[-1];
            if (metadata.verdict == LB_VERDICT_CLAIMED)
              application.deliver(packet + metadata.payload_offset);
          });
      if (came == 0) continue;
      lb_credit& credit = *credits_[line];
      lb_store_release(&credit.returned, credit.returned + came);
      application.count_read(came);
    }
  }

 private:
  std::vector<std::unique_ptr<BareSocket>> sockets_;
  std::vector<lb_credit*> credits_;
  /// Last, so that it goes before its sockets do.
  std::unique_ptr<hook::Hook> hook_;
};

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  using namespace linearb::bench;
  return run_peer<BareReceiver>(count, arguments, 1);
}
