// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace linearb::test {

/// The calling thread without one capability (CAP_NET_RAW, ...), until the end of the scope: what
/// an operator without that right meets.
class WithoutCapability {
 public:
  explicit WithoutCapability(unsigned capability) {
    ::syscall(SYS_capget, &header_, before_.data());
    auto without = before_;
    without[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
    ::syscall(SYS_capset, &header_, without.data());
  }
  ~WithoutCapability() { ::syscall(SYS_capset, &header_, before_.data()); }
  WithoutCapability(const WithoutCapability&) = delete;
  WithoutCapability& operator=(const WithoutCapability&) = delete;

 private:
  __user_cap_header_struct header_{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> before_{};
};

}  // namespace linearb::test
