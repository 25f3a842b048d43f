// SPDX-License-Identifier: Apache-2.0
#include "feeder/xsk_exit.h"

#include <fmt/format.h>

#include "sys/error.h"

namespace linearb::feeder {

std::uint32_t XskExit::push() {
  if (sent_ == completed_) return 0;
  if (socket_.kick_tx() == xsk::Kick::kFailed)
    sys::throw_errno(fmt::format("line {}: send on {}", line_, interface()),
                     fmt::format("see `ip link show {}`", interface()));
  const std::uint32_t count = socket_.reclaim();
  completed_ += count;
  return count;
}

}  // namespace linearb::feeder
