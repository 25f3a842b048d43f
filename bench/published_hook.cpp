// SPDX-License-Identifier: Apache-2.0
#include "bench/published_hook.h"

#include <string>

#include "bench/optiq.bpf.h"
#include "config/framing_file.h"
#include "hook/takeover.h"
#include "xsk/umem.h"

namespace linearb::bench {
namespace {

constexpr std::uint32_t kGeneration = 1;

}  // namespace

void publish_optiq(const hook::Maps& maps, const std::vector<HookLine>& lines) {
  std::vector<lb_flow> flows;
  std::vector<hook::Setup::InterfaceLine> interfaces;
  std::vector<std::string> names;
  for (std::uint32_t line = 0; line < lines.size(); ++line) {
    lb_flow flow{};
    flow.interface_index = lines[line].interface_index;
    flow.port = OPTIQ_FIRST_PORT;
    flow.line = flow.slot_group = static_cast<lb_u8>(line);
    flows.push_back(flow);
    interfaces.push_back({lines[line].interface_index, line});
    names.emplace_back(1, static_cast<char>('A' + line));
  }
  const lb_framing framing = config::load_framing("optiq").descriptor;
  hook::take_over(maps, {.flows = flows,
                         .framings = {&framing, 1},
                         .interfaces = interfaces,
                         .lines = names,
                         .frame_room = xsk::frame_room(xsk::kFrameSizeSmall)});
  for (std::uint32_t line = 0; line < lines.size(); ++line) {
    const std::uint32_t slot = line * LB_QUEUES_MAX;
    lb_credit& credit = maps.credit(slot);
    credit.returned = credit.redirected;
    credit.capacity = lines[line].frames;
    maps.set_socket(slot, lines[line].socket_fd);
    lb_mark& mark = maps.mark(0, line);
    lb_store_release(&mark.shown, lb_mark_word(kGeneration, 1));
    lb_store_release(&mark.published, lb_mark_word(kGeneration, 0));
  }
}

}  // namespace linearb::bench
