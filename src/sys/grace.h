// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace linearb::sys {

/// Returns when every XDP program that was running at the time of the call has ended: what it had
/// read before a change, it no longer acts on. 8 to 16 ms on an idle machine; not for the data
/// thread.
///
/// An XDP program runs inside an RCU read-side section, so one RCU grace period is enough. Throws
/// Error when neither way below is open.
void wait_for_grace_period();

/// By membarrier(MEMBARRIER_CMD_GLOBAL), which is synchronize_rcu() (kernel/sched/membarrier.c).
/// False where the kernel refuses it: with nohz_full CPUs, or without CONFIG_MEMBARRIER.
bool wait_by_membarrier() noexcept;

/// By an update of a BPF map of maps, after which the kernel waits for running programs
/// (maybe_wait_bpf_programs in kernel/bpf/syscall.c, called by map_update_elem). Needs CAP_BPF.
void wait_by_map_update();

}  // namespace linearb::sys
