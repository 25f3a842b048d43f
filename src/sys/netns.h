// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace linearb::sys {

/// Moves the process into a network of its own, for good: no interface but a loopback that is up,
/// and an empty bpffs on /sys/fs/bpf. What is made in there, interfaces, programs and pins, goes
/// when the process ends, however it ends.
///
/// Call it while the process has one thread: others would stay where they are. It needs
/// CAP_SYS_ADMIN; throws Error.
void enter_private_namespace();

}  // namespace linearb::sys
