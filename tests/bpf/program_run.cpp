// SPDX-License-Identifier: Apache-2.0
#include "bpf/program_run.h"

#include <algorithm>
#include <cstring>

#include <linux/bpf.h>

#include <bpf/bpf.h>

#include "sys/error.h"

namespace linearb::test {
namespace {

constexpr std::uint8_t kEarlierByte = 0x5a;

}  // namespace

std::optional<lb_metadata> Result::hook_metadata() const {
  lb_metadata result;
  if (metadata.size() != sizeof(result)) return std::nullopt;
  std::memcpy(&result, metadata.data(), sizeof(result));
  return result;
}

Result run_program(int program_fd, std::span<const std::uint8_t> packet, const Arrival& arrival) {
  Bytes in(arrival.earlier_metadata, kEarlierByte);
  in.insert(in.end(), packet.begin(), packet.end());
  Bytes out(in.size() + sizeof(lb_metadata));
  xdp_md context_in{};
  context_in.data = arrival.earlier_metadata;
  context_in.data_end = static_cast<std::uint32_t>(in.size());
  context_in.ingress_ifindex = arrival.interface_index;
  context_in.rx_queue_index = arrival.queue;
  xdp_md context_out{};
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = in.data();
  options.data_size_in = static_cast<std::uint32_t>(in.size());
  options.data_out = out.data();
  options.data_size_out = static_cast<std::uint32_t>(out.size());
  options.ctx_in = &context_in;
  options.ctx_size_in = sizeof(context_in);
  options.ctx_out = &context_out;
  options.ctx_size_out = sizeof(context_out);
  if (const int error = bpf_prog_test_run_opts(program_fd, &options); error != 0)
    sys::throw_errno("run the hook on a packet (BPF_PROG_RUN)", {}, error);
  const auto begin = out.begin() + context_out.data;
  return {.action = options.retval,
          .metadata = {out.begin(), begin},
          .packet = {begin, out.begin() + context_out.data_end}};
}

const char* action_name(std::uint32_t action) {
  switch (action) {
    case XDP_PASS:
      return "PASS";
    case XDP_DROP:
      return "DROP";
    case XDP_REDIRECT:
      return "REDIRECT";
    default:
      return "an action that the hook never takes";
  }
}

}  // namespace linearb::test
