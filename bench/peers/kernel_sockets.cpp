// SPDX-License-Identifier: Apache-2.0
// Kernel sockets: a UDP socket for each line and channel, recvmmsg without a wait, and the window
// in user space. The sockets take from their own interface alone, and their buffers hold all that
// the suite lets run ahead.
#include <array>
#include <memory>
#include <vector>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "bench/peers/peer.h"
#include "bench/peers/soft_window.h"
#include "sys/error.h"
#include "sys/fd.h"

namespace linearb::bench {
namespace {

constexpr int kReceiveBuffer = 64 << 20;
constexpr std::size_t kMessageRoom = 2048;

sys::Fd open_socket(const std::string& interface, std::uint16_t port) {
  sys::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_in address{.sin_family = AF_INET,
                            .sin_port = htons(port),
                            .sin_addr = {htonl(kFeedGroup)},
                            .sin_zero = {}};
  const ip_mreqn group{.imr_multiaddr = {htonl(kFeedGroup)},
                       .imr_address = {},
                       .imr_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()))};
  const int one = 1, zero = 0;
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
      ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                   static_cast<socklen_t>(interface.size())) != 0 ||
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(kReceiveBuffer)) !=
          0 ||
      ::setsockopt(fd.get(), IPPROTO_IP, IP_MULTICAST_ALL, &zero, sizeof(zero)) != 0 ||
      ::setsockopt(fd.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    sys::throw_errno("open a UDP socket on " + interface);
  return fd;
}

class KernelSockets : public Peer {
 public:
  explicit KernelSockets(const PeerOptions& options)
      : window_(options.channels),
        room_(options.batch * kMessageRoom),
        parts_(options.batch),
        messages_(options.batch) {
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      parts_[i] = {&room_[i * kMessageRoom], kMessageRoom};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
    for (const std::string& interface : options.interfaces)
      for (std::uint32_t channel = 0; channel < options.channels; ++channel)
        sockets_.push_back(
            open_socket(interface, static_cast<std::uint16_t>(OPTIQ_FIRST_PORT + channel)));
  }

  void poll(Application& application) override {
    for (const sys::Fd& socket : sockets_) {
      const int came = ::recvmmsg(socket.get(), messages_.data(),
                                  static_cast<unsigned>(messages_.size()), 0, nullptr);
      if (came <= 0) continue;
      for (std::size_t i = 0; i < static_cast<std::size_t>(came); ++i) {
        const std::uint8_t* payload = &room_[i * kMessageRoom];
        const std::uint64_t message = message_of(payload);
        if (window_.is_new(message >> 32, message & 0xffff'ffff)) application.deliver(payload);
      }
      application.count_read(static_cast<std::uint32_t>(came));
    }
  }

 private:
  SoftWindow window_;
  std::vector<std::uint8_t> room_;
  std::vector<iovec> parts_;
  std::vector<mmsghdr> messages_;
  std::vector<sys::Fd> sockets_;
};

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  using namespace linearb::bench;
  return run_peer<KernelSockets>(count, arguments, 0);
}
