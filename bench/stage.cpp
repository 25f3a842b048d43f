// SPDX-License-Identifier: Apache-2.0
#include "bench/stage.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lab/lab.h"
#include "sys/cpu.h"
#include "sys/error.h"
#include "sys/fd.h"

namespace linearb::bench {
namespace {

/// Makes the destination end of a line take live frames without a hook, into the kernel's stack: a
/// veth does when GRO is on (veth_set_features in drivers/net/veth.c).
void take_frames_into_stack(const std::string& interface) {
  const sys::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value on{.cmd = ETHTOOL_SGRO, .data = 1};
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&on);
  if (!socket || ::ioctl(socket.get(), SIOCETHTOOL, &request) != 0)
    sys::throw_errno("switch GRO on at " + interface);
}

}  // namespace

Cpus choose_cpus() {
  const std::vector<unsigned> cpus = sys::allowed_cpus();
  if (cpus.size() < 2)
    throw Error("the benchmarks need two CPUs: one to send and for the hook, one to receive");
  return {cpus.front(), cpus.back()};
}

Stage::Stage(unsigned lines, const Contender& contender) {
  lab::down();
  lab::up({.lines = lines});
  for (unsigned i = 0; i < lines; ++i) {
    const auto line = static_cast<char>('A' + i);
    sources_.push_back(lab::source_name(line));
    destinations_.push_back(lab::destination_name(line));
  }
  if (contender.uses_stack)
    for (const std::string& interface : destinations_) take_frames_into_stack(interface);
}

}  // namespace linearb::bench
