// SPDX-License-Identifier: Apache-2.0
#include "receiver/balance.h"

#include <fmt/format.h>

namespace linearb::receiver {
namespace {

class Findings {
 public:
  void equal(std::uint64_t left, std::uint64_t right, const std::string& sentence) {
    if (left != right)
      sentences_.push_back(fmt::format("{}: {} against {}", sentence, left, right));
  }
  void holds(bool condition, const std::string& sentence) {
    if (!condition) sentences_.push_back(sentence);
  }
  std::vector<std::string> take() { return std::move(sentences_); }

 private:
  std::vector<std::string> sentences_;
};

std::uint64_t ways_out(const lb_counters& hook) {
  return hook.duplicate + hook.claimed + hook.passed_up + hook.no_credit + hook.not_feed +
         hook.malformed + hook.no_receiver;
}

void check(Findings& findings, const Ledger::Line& line) {
  findings.equal(line.hook.packets, ways_out(line.hook),
                 fmt::format("line {}: packets into the hook, ways out of it", line.name));
  findings.equal(line.hook.claimed + line.hook.passed_up, line.judged + line.kernel_lost,
                 fmt::format("line {}: packets redirected, packets handed to the sequencer or "
                             "lost in the kernel",
                             line.name));
  findings.equal(
      line.judged, line.decided + line.held,
      fmt::format("line {}: packets handed to the sequencer, packets decided", line.name));
}

void check(Findings& findings, const Ledger::Socket& socket) {
  findings.equal(
      socket.redirected, socket.received + socket.kernel_lost,
      fmt::format("{}: credits taken, packets received or lost in the kernel", socket.name));
  findings.holds(socket.frames_conserved,
                 fmt::format("{}: frames are missing or there twice", socket.name));
}

}  // namespace

std::vector<std::string> imbalances(const Ledger& ledger) {
  Findings findings;
  for (const Ledger::Line& line : ledger.lines) check(findings, line);
  for (const Ledger::Socket& socket : ledger.sockets) check(findings, socket);
  findings.equal(ledger.injected, ledger.injected_decided,
                 "packets injected, packets of them decided");
  findings.equal(ledger.won_overlap_unsequenced, ledger.delivered,
                 "packets decided to be delivered, packets delivered");
  findings.equal(ledger.sequencer_messages, ledger.delivered_messages,
                 "messages in the sequencer's memory, messages delivered");
  if (ledger.writes)
    findings.equal(ledger.delivered, ledger.written, "packets delivered, packets written");
  return findings.take();
}

}  // namespace linearb::receiver
