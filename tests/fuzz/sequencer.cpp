// SPDX-License-Identifier: Apache-2.0
//
// Any packets, in any order, at any time: what no feed would do. Each is decided once and counted
// once, what is delivered was brought, and no number of an epoch is delivered twice or called a
// gap.
#include "sequencer/sequencer.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "fuzz/fuzz.h"

namespace linearb::fuzz {
namespace {

using namespace linearb::sequencer;

constexpr std::uint32_t kLines = 3;
constexpr std::size_t kPacketsMax = 512;

/// Sessions and counts, and messages that need not be walked.
lb_framing framing_of(std::uint64_t limit) {
  lb_framing framing{};
  framing.header_length = 20;
  framing.session = {0, 8, 0};
  framing.sequence = {8, 8, 0};
  framing.count = {16, 2, 0};
  framing.smallest_message = 1;
  framing.sequence_limit = limit;
  framing.wrap_to = 1;
  return framing;
}

class Reference final : public Decisions {
 public:
  void handed_in(const Packet& packet) {
    decisions_.push_back(0);
    std::uint64_t& end = ends_[{packet.line, packet.datagram.session}];
    behind_.push_back(packet.first() < end);
    end = std::max(end, packet.end());
  }

  void decided(const Packet& packet, const Decision& decision) noexcept override {
    require(packet.handle < decisions_.size(), "only what was handed in is decided");
    require(++decisions_[packet.handle] == 1, "a packet is decided once");
    std::uint64_t from = packet.first();
    for (const lb_run& run : decision.news) {
      require(run.count > 0 && run.first >= from && run.first + run.count <= packet.end(),
              "news are runs of the packet, in order");
      from = run.first + run.count;
      delivered_ += run.count;
      for (std::uint64_t number = run.first; decision.epoch != 0 && number < from; ++number) {
        require(!ahead_.contains({decision.epoch, number}),
                "a number of an epoch is delivered once");
        if (!behind_[packet.handle]) ahead_.emplace(decision.epoch, number);
      }
    }
    const bool is_delivered =
        decision.outcome == Outcome::won || decision.outcome == Outcome::overlap;
    require(is_delivered == !decision.news.empty(), "what is delivered has news");
  }

  void check(const Sequencer& sequencer) const {
    for (const unsigned decisions : decisions_) require(decisions == 1, "a packet is decided");
    require(sequencer.held() == 0, "nothing is held at the end");
    std::uint64_t packets = 0;
    for (std::uint32_t line = 0; line < kLines; ++line) {
      std::uint64_t outcomes = 0;
      for (const std::uint64_t count : sequencer.line(line).outcomes) outcomes += count;
      require(outcomes == sequencer.line(line).packets, "a packet has one outcome");
      packets += outcomes;
    }
    require(packets == decisions_.size(), "a packet is counted");
    // Not equal: of what one line brings under doubt, packets that overlap are delivered whole.
    require(sequencer.messages(0) <= delivered_, "a message that is counted was delivered");
    for (const GapList::Gap& gap : sequencer.gaps().gaps()) {
      const auto next = ahead_.lower_bound({gap.origin.epoch, gap.range.first});
      require(next == ahead_.end() || *next >= std::pair(gap.origin.epoch, gap.range.end),
              "nothing of a gap was delivered");
    }
  }

 private:
  std::vector<unsigned> decisions_;
  /// Epochs and numbers that were delivered, but for what came from behind its own line: what
  /// filled an old hole may turn out to have begun the next epoch, and then the hole is open again.
  std::set<std::pair<std::uint64_t, std::uint64_t>> ahead_;
  std::map<std::pair<std::uint8_t, std::uint64_t>, std::uint64_t> ends_;  ///< line and session
  std::vector<bool> behind_;                                              ///< of each packet
  std::uint64_t delivered_ = 0;
};

/// Mostly near to where the last one was, so that most mean something.
class Feed {
 public:
  explicit Feed(Input& input) : input_(input) {}

  Packet next(std::uint64_t handle) {
    const std::uint8_t how = input_.byte();
    Packet packet;
    packet.handle = handle;
    packet.line = static_cast<std::uint8_t>(how % kLines);
    packet.arrival_ns = now_ns_ += pause_ns(how >> 6);
    number_ = place(how >> 2 & 7);
    const std::uint8_t what = input_.byte();
    packet.datagram = {.first = number_,
                       .session = what >> 6 == 3 ? what & 7u : 1u,
                       .count = 1u + what % 8,
                       .numbered = 1};
    packet.kind = LB_KIND_DATA;
    if ((what & 0x3f) == 0x3f) {
      packet.kind = static_cast<lb_kind>(input_.below(LB_KIND_MALFORMED + 1));
      if (packet.kind != LB_KIND_DATA && packet.kind != LB_KIND_RETRANSMISSION)
        packet.datagram.count = 0;
    }
    if (packet.kind == LB_KIND_DATA || packet.kind == LB_KIND_RETRANSMISSION)
      number_ += packet.datagram.count;
    return packet;
  }
  std::uint64_t now_ns() const { return now_ns_; }

 private:
  std::uint64_t pause_ns(unsigned how) {
    constexpr std::uint64_t kPauses[] = {1'000, 1'000'000, 30'000'000, 1'100'000'000};
    return kPauses[how];
  }
  std::uint64_t place(unsigned how) {
    switch (how) {
      case 0:
        return number_ > 300 ? number_ - input_.byte() : 1;
      case 1:
        return number_ + input_.byte();
      case 2:
        return number_ + 37u * input_.take<std::uint16_t>();
      case 3:
        return input_.take<std::uint16_t>();
      case 4:
        return input_.take<std::uint32_t>();
      default:
        return number_;
    }
  }

  Input& input_;
  std::uint64_t number_ = 1'000;
  std::uint64_t now_ns_ = 1'000'000'000'000;
};

}  // namespace
}  // namespace linearb::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linearb::fuzz;
  Input input(data, size);
  const lb_framing framing = framing_of(input.flag() ? 70'000 : 1ull << LB_MARK_BITS);
  const lb_framing* const framings[] = {&framing};
  Reference reference;
  Sequencer sequencer(framings, {.lines = kLines}, Sequencer::Dedup::window, reference);
  Feed feed(input);
  for (std::uint64_t handle = 0; handle < kPacketsMax && !input.empty(); ++handle) {
    const Packet packet = feed.next(handle);
    reference.handed_in(packet);
    sequencer.push(packet);
    if (handle % 8 == 7) sequencer.tick(feed.now_ns());
  }
  sequencer.finish();
  reference.check(sequencer);
  return 0;
}
