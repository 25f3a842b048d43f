// SPDX-License-Identifier: Apache-2.0
#include "feeder/live_exit.h"

#include <utility>

namespace linearb::feeder {

std::uint32_t LiveExit::push() {
  if (written_ > 0) {
    sender_.send(written_);
    sent_ += std::exchange(written_, 0);
  }
  if (completed_ == sent_) return 0;
  const sys::LinkCounters::Transmitted now = counters_.read();
  std::uint64_t done = now.packets - before_.packets + now.dropped - before_.dropped;
  // Others may send on the interface, too: what is more than all was not of this.
  if (done > sent_) before_.packets += std::exchange(done, sent_) - sent_;
  return static_cast<std::uint32_t>(done - std::exchange(completed_, done));
}

}  // namespace linearb::feeder
