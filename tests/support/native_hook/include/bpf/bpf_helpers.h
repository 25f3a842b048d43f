/* SPDX-License-Identifier: Apache-2.0 */
/* In place of libbpf's header: the same words for maps and helpers, with functions behind them. */
#ifndef LINEARB_NATIVE_BPF_HELPERS_H
#define LINEARB_NATIVE_BPF_HELPERS_H

#include "support/native_hook/program.h"

#define SEC(name)           __attribute__((unused))
#define __uint(name, value) int(*name)[value]
#define __type(name, type)  type* name

enum libbpf_pin_type {
  LIBBPF_PIN_NONE,
  LIBBPF_PIN_BY_NAME,
};

#define bpf_map_lookup_elem      lb_native_lookup
#define bpf_map_update_elem      lb_native_update
#define bpf_redirect_map         lb_native_redirect
#define bpf_xdp_adjust_meta      lb_native_adjust_meta
#define bpf_ktime_get_ns         lb_native_time_ns
#define bpf_get_smp_processor_id lb_native_cpu

#endif
