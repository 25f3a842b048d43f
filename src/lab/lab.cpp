// SPDX-License-Identifier: Apache-2.0
#include "lab/lab.h"

#include <fstream>

#include <fmt/format.h>
#include <linux/veth.h>

#include "core/layout.h"
#include "linearb/options.h"
#include "sys/error.h"
#include "sys/netlink.h"

namespace linearb::lab {

namespace {

constexpr std::string_view kVeth = "veth";

char line_name(unsigned line) {
  return static_cast<char>('A' + line);
}

void validate(const LabOptions& options) {
  const auto check = [](std::string_view what, unsigned value, unsigned least, unsigned most) {
    if (value < least || value > most)
      throw UsageError(fmt::format("lab with {} {}: it has {} to {}", value, what, least, most));
  };
  check("lines", options.lines, 1, kLinesMax);
  check("queues", options.queues, 1, LB_QUEUES_MAX);
  check("bytes of MTU", options.mtu, kMtuMin, kMtuMax);
}

/// Without its queues: to ask for them, the interface has to stay for a moment.
LineStatus ends_of(char line) {
  return {.line = line,
          .source = sys::find_interface(source_name(line)),
          .destination = sys::find_interface(destination_name(line))};
}

LineStatus status_of(char line) {
  LineStatus status = ends_of(line);
  if (status.destination) status.queues = sys::rx_queues(destination_name(line));
  return status;
}

bool is_pair(const LineStatus& status) {
  return status.source && status.destination && status.source->kind == kVeth &&
         status.destination->kind == kVeth &&
         status.source->peer_index == status.destination->index;
}

bool as_asked(const LineStatus& status, const LabOptions& options) {
  return is_pair(status) && status.queues == options.queues && status.source->mtu == options.mtu &&
         status.destination->mtu == options.mtu;
}

void refuse_foreign(const std::optional<sys::Interface>& interface) {
  if (interface && interface->kind != kVeth)
    throw Error(
        fmt::format("make {}: an interface of this name is there and is not a veth; "
                    "rename or remove it",
                    interface->name));
}

void put_end(sys::LinkRequest& request, const std::string& name, const LabOptions& options) {
  request.put(IFLA_IFNAME, name);
  request.put(IFLA_MTU, options.mtu);
  request.put(IFLA_NUM_RX_QUEUES, options.queues);
  request.put(IFLA_NUM_TX_QUEUES, options.queues);
}

void make_pair(char line, const LabOptions& options) {
  sys::LinkRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  put_end(request, source_name(line), options);
  const std::size_t info = request.open_nest(IFLA_LINKINFO);
  request.put(IFLA_INFO_KIND, kVeth);
  const std::size_t data = request.open_nest(IFLA_INFO_DATA);
  const std::size_t peer = request.open_nest(VETH_INFO_PEER);
  request.put_link({});
  put_end(request, destination_name(line), options);
  request.close_nest(peer);
  request.close_nest(data);
  request.close_nest(info);
  const int error = request.send();
  if (error != 0)
    sys::throw_errno(
        fmt::format("make veth pair {} and {}", source_name(line), destination_name(line)),
        "it needs root or CAP_NET_ADMIN, and the kernel's veth driver", error);
}

/// Returns false when it is gone already, as the other end of a pair is.
bool remove_veth(const std::string& name) {
  const auto interface = sys::find_interface(name);
  if (!interface || interface->kind != kVeth) return false;
  ifinfomsg link{};
  link.ifi_index = static_cast<int>(interface->index);
  const int error = sys::LinkRequest(RTM_DELLINK, 0, link).send();
  if (error != 0)
    sys::throw_errno(fmt::format("remove {}", name), "it needs root or CAP_NET_ADMIN", error);
  return true;
}

/// Does nothing where the kernel has no IPv6: the file is not there then.
void switch_ipv6_off(const std::string& name) {
  std::ofstream(fmt::format("/proc/sys/net/ipv6/conf/{}/disable_ipv6", name)) << '1';
}

void bring_up(const std::string& name) {
  switch_ipv6_off(name);
  sys::set_interface_up(name, true);
}

}  // namespace

std::string source_name(char line) {
  return fmt::format("veth{}_src", line);
}
std::string destination_name(char line) {
  return fmt::format("veth{}_dst", line);
}

bool LineStatus::ready() const {
  return is_pair(*this) && source->up && destination->up;
}

void up(const LabOptions& options) {
  validate(options);
  std::vector<LineStatus> lines;
  for (unsigned line = 0; line < options.lines; ++line) {
    lines.push_back(status_of(line_name(line)));
    refuse_foreign(lines.back().source);
    refuse_foreign(lines.back().destination);
  }
  for (const LineStatus& status : lines) {
    if (!as_asked(status, options)) {
      remove_veth(source_name(status.line));
      remove_veth(destination_name(status.line));
      make_pair(status.line, options);
    }
    bring_up(source_name(status.line));
    bring_up(destination_name(status.line));
  }
}

std::vector<std::string> down() {
  std::vector<std::string> removed;
  for (unsigned line = 0; line < kLinesMax; ++line) {
    const LineStatus status = ends_of(line_name(line));
    const auto both = {source_name(status.line), destination_name(status.line)};
    if (is_pair(status)) removed.insert(removed.end(), both);
    for (const std::string& name : both)
      if (remove_veth(name) && !is_pair(status)) removed.push_back(name);
  }
  return removed;
}

std::vector<LineStatus> status() {
  std::vector<LineStatus> lines;
  for (unsigned line = 0; line < kLinesMax; ++line) {
    LineStatus status = status_of(line_name(line));
    if (status.source || status.destination) lines.push_back(std::move(status));
  }
  return lines;
}

}  // namespace linearb::lab
