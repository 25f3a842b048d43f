// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "bench/attach.h"
#include "bench/bare_socket.h"
#include "bench/peers/peer.h"

namespace linearb::bench {

/// A peer whose hooks hand everything to one AF_XDP socket, on line A.
class OneSocket : public Peer {
 public:
  explicit OneSocket(const std::string& line_a) : socket_(line_a) {}

  void poll(Application& application) override {
    application.count_read(socket_.drain([&](const std::uint8_t* packet, std::uint32_t) {
      application.deliver(packet + kHeadersLength);
    }));
  }

 protected:
  int socket_fd() const noexcept { return socket_.fd(); }
  void attach_to(const std::string& interface, int program_fd) {
    attached_.push_back(attach(program_fd, interface));
  }

 private:
  BareSocket socket_;
  /// Last, so that the hook goes before its socket does.
  std::vector<sys::Fd> attached_;
};

}  // namespace linearb::bench
