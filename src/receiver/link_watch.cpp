// SPDX-License-Identifier: Apache-2.0
#include "receiver/link_watch.h"

namespace linearb::receiver {

LinkState confirmed(const LinkState& seen, std::uint32_t index_afterwards) {
  return seen.sockets_dead && seen.index != index_afterwards ? LinkState{} : seen;
}

std::vector<LinkChange> changes_between(const LinkState& known, const LinkState& seen) {
  std::vector<LinkChange> changes;
  if (known.index == 0 || seen.index != known.index) {
    if (known.index != 0) changes.push_back(LinkChange::gone);
    // A socket can be bound to an interface that is up alone.
    if (seen.index != 0 && seen.up) changes.push_back(LinkChange::back);
    return changes;
  }
  if (seen.sockets_dead && seen.up) return {LinkChange::sockets_dead};
  if (known.up != seen.up) changes.push_back(seen.up ? LinkChange::up : LinkChange::down);
  if (seen.program_id != known.program_id)
    changes.push_back(seen.program_id == 0 ? LinkChange::hook_gone : LinkChange::hook_replaced);
  if (seen.up && seen.queues > known.queues) changes.push_back(LinkChange::more_queues);
  if (seen.mtu > known.mtu) changes.push_back(LinkChange::larger_mtu);
  return changes;
}

}  // namespace linearb::receiver
