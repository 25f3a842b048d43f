// SPDX-License-Identifier: Apache-2.0
#include "sys/netns.h"

#include <sched.h>
#include <sys/mount.h>

#include "sys/error.h"
#include "sys/interface.h"

namespace linearb::sys {

void enter_private_namespace() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
    throw_errno("make a private network namespace (unshare)", "it needs root or CAP_SYS_ADMIN");
  // Without this the bpffs would show in the namespace that the process came from.
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw_errno("make the mounts private (mount)");
  if (::mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700") != 0)
    throw_errno("mount a bpffs on /sys/fs/bpf", "is /sys mounted, and CONFIG_BPF_SYSCALL set?");
  set_interface_up("lo", true);
}

}  // namespace linearb::sys
