/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's header, but for the context, which has room for real pointers here. */
#ifndef LINEARB_NATIVE_LINUX_BPF_H
#define LINEARB_NATIVE_LINUX_BPF_H

#define xdp_md kernel_xdp_md
#include_next <linux/bpf.h>
#undef xdp_md

#include "support/native_hook/program.h"

#define xdp_md lb_native_context

#endif
