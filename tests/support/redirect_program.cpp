// SPDX-License-Identifier: Apache-2.0
#include "support/redirect_program.h"

#include <cstddef>
#include <iterator>

#include <fmt/format.h>
#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sys/error.h"
#include "sys/interface.h"

namespace linearb::test {

namespace {

constexpr std::uint32_t kQueues = 64;

/// The names of the registers are those of the BPF instruction set: R0 holds results, R1 to R3 the
/// arguments of a call, R6 survives it (Documentation/bpf/standardization/instruction-set.rst).
struct Operands {
  unsigned to = 0;
  unsigned from = 0;
  std::size_t offset = 0;
  std::uint32_t value = 0;
};

constexpr bpf_insn instruction(unsigned code, const Operands& operands) {
  return {.code = static_cast<std::uint8_t>(code),
          .dst_reg = static_cast<std::uint8_t>(operands.to & 15),
          .src_reg = static_cast<std::uint8_t>(operands.from & 15),
          .off = static_cast<std::int16_t>(operands.offset),
          .imm = static_cast<std::int32_t>(operands.value)};
}
constexpr bpf_insn move(unsigned to, unsigned from) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_X, {.to = to, .from = from});
}
constexpr bpf_insn set(unsigned to, int value) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_K,
                     {.to = to, .value = static_cast<std::uint32_t>(value)});
}
constexpr bpf_insn add(unsigned to, std::uint32_t value) {
  return instruction(BPF_ALU64 | BPF_ADD | BPF_K, {.to = to, .value = value});
}
constexpr bpf_insn load_u32(unsigned to, unsigned from, std::size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, {.to = to, .from = from, .offset = offset});
}
constexpr bpf_insn store_u32(unsigned to, std::uint32_t value) {
  return instruction(BPF_ST | BPF_MEM | BPF_W, {.to = to, .value = value});
}
constexpr bpf_insn call(std::uint32_t helper) {
  return instruction(BPF_JMP | BPF_CALL, {.value = helper});
}
constexpr bpf_insn skip_if_above(unsigned left, unsigned right, std::size_t instructions) {
  return instruction(BPF_JMP | BPF_JGT | BPF_X,
                     {.to = left, .from = right, .offset = instructions});
}
constexpr bpf_insn skip_unless_zero(unsigned left, std::size_t instructions) {
  return instruction(BPF_JMP | BPF_JNE | BPF_K, {.to = left, .offset = instructions});
}
constexpr bpf_insn kExit = instruction(BPF_JMP | BPF_EXIT, {});

int load(int sockets) {
  const bpf_insn program[] = {
      move(6, 1),
      set(2, -4),
      call(BPF_FUNC_xdp_adjust_meta),
      skip_unless_zero(0, 12),
      load_u32(2, 6, offsetof(xdp_md, data_meta)),
      load_u32(3, 6, offsetof(xdp_md, data)),
      move(4, 2),
      add(4, 4),
      skip_if_above(4, 3, 7),
      store_u32(2, kRedirectMetadata),
      load_u32(2, 6, offsetof(xdp_md, rx_queue_index)),
      // 64 bits of immediate value take two instructions.
      instruction(
          BPF_LD | BPF_DW | BPF_IMM,
          {.to = 1, .from = BPF_PSEUDO_MAP_FD, .value = static_cast<std::uint32_t>(sockets)}),
      instruction(0, {}),
      set(3, XDP_PASS),
      call(BPF_FUNC_redirect_map),
      kExit,
      set(0, XDP_PASS),
      kExit,
  };
  return ::bpf_prog_load(BPF_PROG_TYPE_XDP, "test_redirect", "GPL", program, std::size(program),
                         nullptr);
}

}  // namespace

RedirectProgram::RedirectProgram(const std::string& interface, std::uint32_t xdp_flags)
    : interface_index_(static_cast<int>(sys::interface_index(interface))),
      xdp_flags_(xdp_flags),
      sockets_(::bpf_map_create(BPF_MAP_TYPE_XSKMAP, "test_sockets", sizeof(std::uint32_t),
                                sizeof(std::uint32_t), kQueues, nullptr)),
      program_(sockets_ ? load(sockets_.get()) : -1) {
  if (!program_) sys::throw_errno("load the redirect program of the test");
  if (::bpf_xdp_attach(interface_index_, program_.get(), xdp_flags_, nullptr) != 0)
    sys::throw_errno(fmt::format("attach the redirect program of the test to {}", interface));
}

RedirectProgram::~RedirectProgram() {
  ::bpf_xdp_detach(interface_index_, xdp_flags_, nullptr);
}

void RedirectProgram::put_socket(std::uint32_t queue, int socket_fd) {
  if (::bpf_map_update_elem(sockets_.get(), &queue, &socket_fd, BPF_ANY) != 0)
    sys::throw_errno(fmt::format("put a socket into the map for queue {}", queue));
}

}  // namespace linearb::test
