// SPDX-License-Identifier: Apache-2.0
#include "soak/verdict.h"

#include <algorithm>
#include <compare>
#include <optional>

#include <fmt/format.h>

namespace linearb::soak {
namespace {

using Json = nlohmann::json;
using Certainty = Ledger::Certainty;

/// Numbers that nobody delivered, of one channel and epoch.
struct MissedRange {
  std::uint64_t channel = 0;
  std::uint64_t epoch = 0;
  std::uint64_t first = 0;
  std::uint64_t end = 0;

  friend auto operator<=>(const MissedRange&, const MissedRange&) = default;
};

/// Neighbours become one.
std::vector<MissedRange> merged(std::vector<MissedRange> ranges) {
  std::ranges::sort(ranges);
  std::vector<MissedRange> all;
  for (const MissedRange& range : ranges) {
    const bool continues = !all.empty() && all.back().channel == range.channel &&
                           all.back().epoch == range.epoch && all.back().end == range.first;
    if (continues)
      all.back().end = range.end;
    else
      all.push_back(range);
  }
  return all;
}

std::string text_of(const MissedRange& range) {
  return fmt::format("{} messages from {} on of channel {}, epoch {}", range.end - range.first,
                     range.first, range.channel, range.epoch);
}

/// One run against the ledger.
class RunCheck {
 public:
  RunCheck(Stage& stage, const EndedRun& run)
      : stage_(stage), ledger_(stage.ledger), run_(run), missed_by_line_(ledger_.lines()) {}

  void check() {
    for (std::uint32_t channel = 0; channel < ledger_.channels(); ++channel) check_channel(channel);
    check_refusals();
    if (!run_.was_killed()) check_summary();
    for (const std::string& wrong : wrong_messages_) find(wrong);
    if (!stage_.findings.empty()) tell_summary();
  }
  std::uint64_t delivered() const noexcept { return delivered_; }
  std::uint64_t missed() const noexcept { return missed_; }

 private:
  void find(const std::string& what) {
    stage_.findings.add(fmt::format("receiver {}: {}", run_.run + 1, what));
  }

  void check_summary() {
    check_totals();
    for (std::size_t line = 0; line < ledger_.lines(); ++line) check_line(line);
    check_gaps();
  }
  /// What did not add up, beside it what the run said itself: of a length that can be read.
  void tell_summary() {
    Json summary = run_.summary;
    if (summary.is_null()) return;
    summary.erase("gaps");
    if (summary["channels"].size() > 4) summary.erase("channels");
    stage_.summaries += fmt::format("receiver {}: {}\n", run_.run + 1, summary.dump());
  }

  void check_channel(std::uint32_t channel) {
    const std::uint64_t delivered_before = delivered_;
    const std::uint64_t missed_before = missed_;
    std::uint64_t epoch = 0;
    for (std::uint32_t life = 0; life < ledger_.lives(); ++life) check_life(channel, life, epoch);
    if (run_.was_killed()) return;
    const Json& said = run_.summary["channels"][channel];
    expect("newest epoch", channel, said["epoch"], epoch);
    expect("missed messages", channel, said["gap_messages"], missed_ - missed_before);
    if (run_.poison == 0)
      expect("messages", channel, said["messages"], delivered_ - delivered_before);
  }
  void expect(const char* what, std::uint32_t channel, const Json& said, std::uint64_t is) {
    if (said != is)
      find(fmt::format("channel {} says its {} are {}, and {} they are", channel, what, said.dump(),
                       is));
  }

  /// `epoch` is the last one before, and becomes this life's if the run has seen it.
  void check_life(std::uint32_t channel, std::uint32_t life, std::uint64_t& epoch) {
    const std::uint64_t begin = ledger_.first_place(channel, life);
    const std::uint64_t end = begin + ledger_.messages();
    std::optional<std::uint64_t> first, last;
    for (std::uint64_t place = begin; place < end; ++place) {
      if (ledger_.times_delivered(run_.run, place) == 0) continue;
      if (!first) first = place;
      last = place;
    }
    if (first) ++epoch;
    const std::uint64_t to_number = ledger_.first_number(life) - begin;
    if (last && !run_.was_killed())
      last = std::min(end, *last + refused_behind(channel, epoch, *last + to_number));
    for (std::uint64_t place = begin; place < end; ++place) {
      check_message(place, {.channel = channel, .life = life, .number = place + to_number});
      if (ledger_.times_delivered(run_.run, place) != 0) continue;
      if (!first || place < *first || place > *last) continue;
      ++missed_;
      const std::uint64_t number = place + to_number;
      if (!gaps_.empty() && gaps_.back().end == number && gaps_.back().epoch == epoch &&
          gaps_.back().channel == channel)
        ++gaps_.back().end;
      else
        gaps_.push_back({channel, epoch, number, number + 1});
    }
    tell_wrong();
  }

  /// What the hook refused behind the last that was delivered is a gap too, as far as its marks
  /// have come. The ledger does not know how far that is; that nobody took it is checked with the
  /// rest.
  std::uint64_t refused_behind(std::uint32_t channel, std::uint64_t epoch,
                               std::uint64_t last) const {
    const auto refused = [](const Json& line) { return line["no_credit"] > 0; };
    if (std::ranges::none_of(run_.summary["lines"], refused)) return 0;
    for (const Json& gap : run_.summary["gaps"])
      if (gap["channel"] == fmt::format("{}", channel) && gap["epoch"] == epoch &&
          gap["first"] == last + 1)
        return gap["count"];
    // The list was full before it.
    const bool is_full = run_.summary["gaps_truncated"].get<bool>();
    const std::uint64_t said = run_.summary["gap_messages"];
    return is_full && ledger_.lives() == 1 && ledger_.channels() == 1 ? said - missed_before(last)
                                                                      : 0;
  }
  /// In the one numbering of the one channel.
  std::uint64_t missed_before(std::uint64_t last) const {
    std::uint64_t missed = 0;
    bool has_begun = false;
    for (std::uint64_t place = 0; place + ledger_.first_number(0) <= last; ++place) {
      const bool came = ledger_.times_delivered(run_.run, place) != 0;
      has_begun |= came;
      missed += has_begun && !came;
    }
    return missed;
  }

  enum class Wrong {
    nothing,
    lost,      ///< a line brought it, and it was not delivered
    twice,     ///< or more often
    unbrought  ///< no line brought it, and it was
  };

  void check_message(std::uint64_t place, const Identity& message) {
    bool taken = false, perhaps = false;
    for (std::size_t line = 0; line < ledger_.lines(); ++line) {
      taken |= ledger_.was_sent(line, place, run_.run, Certainty::taken);
      perhaps |= ledger_.was_sent(line, place, run_.run, Certainty::perhaps);
    }
    const unsigned times = ledger_.times_delivered(run_.run, place);
    if (times != 0) ++delivered_;
    if (times == 0 && perhaps && !taken) count_perhaps(place);
    if (times > 1)
      note(Wrong::twice, message);
    else if (times == 1 && !taken && !perhaps)
      note(Wrong::unbrought, message);
    else if (times == 0 && taken && !run_.was_killed())
      note(Wrong::lost, message);
  }
  void count_perhaps(std::uint64_t place) {
    for (std::size_t line = 0; line < ledger_.lines(); ++line)
      if (ledger_.was_sent(line, place, run_.run, Certainty::perhaps)) ++missed_by_line_[line];
  }

  /// What is wrong with messages next to each other is said once.
  void note(Wrong wrong, const Identity& message) {
    const bool continues = wrong == wrong_ && message.life == wrong_first_.life &&
                           message.channel == wrong_first_.channel &&
                           message.number == wrong_first_.number + wrong_count_;
    if (!continues) {
      tell_wrong();
      wrong_ = wrong;
      wrong_first_ = message;
      wrong_count_ = 0;
    }
    ++wrong_count_;
  }
  void tell_wrong() {
    if (wrong_ == Wrong::nothing) return;
    const char* const what = wrong_ == Wrong::lost    ? "were brought and not delivered"
                             : wrong_ == Wrong::twice ? "were delivered more than once"
                                                      : "were delivered, and no line brought them";
    wrong_messages_.push_back(
        fmt::format("{} messages from {} on of channel {}, numbering {}, {} ({})", wrong_count_,
                    wrong_first_.number, wrong_first_.channel, wrong_first_.life + 1, what,
                    history(wrong_first_)));
    wrong_ = Wrong::nothing;
  }
  /// Of the first of them.
  std::string history(const Identity& message) const {
    const std::uint64_t place = ledger_.place_of(message);
    std::string text;
    for (std::size_t line = 0; line < ledger_.lines(); ++line) {
      const bool taken = ledger_.was_sent(line, place, run_.run, Certainty::taken);
      const bool perhaps = ledger_.was_sent(line, place, run_.run, Certainty::perhaps);
      text += fmt::format("line {}: {}, ", static_cast<char>('A' + line),
                          taken     ? "taken"
                          : perhaps ? "perhaps taken"
                                    : "not sent, or refused");
    }
    return text + fmt::format("delivered {} times", ledger_.times_delivered(run_.run, place));
  }

  /// Where a block was refused in part the ledger does not know which packets were; but how many.
  void check_refusals() {
    for (std::size_t line = 0; line < ledger_.lines(); ++line) {
      const LineLedger& of_line = stage_.lines[line];
      const std::uint64_t most = of_line.no_credit_mixed * stage_.scenario.lines[line].cut;
      if (of_line.certain && missed_by_line_[line] > most)
        find(fmt::format(
            "line {} sent {} messages that nobody delivered in blocks where {} packets "
            "were refused, which is too few",
            static_cast<char>('A' + line), missed_by_line_[line], of_line.no_credit_mixed));
    }
  }

  void check_gaps() {
    const Json& summary = run_.summary;
    if (summary["gap_messages"] != missed_)
      find(fmt::format("it says that {} messages are missing, and {} are",
                       summary["gap_messages"].dump(), missed_));
    std::vector<MissedRange> said;
    for (const Json& gap : summary["gaps"]) {
      const std::uint64_t first = gap["first"];
      said.push_back({std::stoull(gap["channel"].get<std::string>()), gap["epoch"], first,
                      first + gap["count"].get<std::uint64_t>()});
    }
    std::ranges::sort(said);
    const std::vector<MissedRange> are = merged(gaps_);
    for (const MissedRange& range : said)
      if (!std::ranges::binary_search(are, range) && !is_part_of_one(are, range))
        find("it reports a gap that is none: " + text_of(range));
    if (summary["gaps_truncated"].get<bool>()) return;
    for (const MissedRange& range : are)
      if (!std::ranges::binary_search(said, range)) find("it reports no gap of " + text_of(range));
  }
  /// As when the list was full before the rest of it.
  bool is_part_of_one(const std::vector<MissedRange>& are, const MissedRange& range) const {
    return run_.summary["gaps_truncated"].get<bool>() &&
           std::ranges::any_of(are, [&](const MissedRange& whole) {
             return whole.channel == range.channel && whole.epoch == range.epoch &&
                    whole.first <= range.first && range.end <= whole.end;
           });
  }

  void check_totals() {
    const Json& summary = run_.summary;
    if (!summary["balanced"].get<bool>())
      find("its counters do not balance: " + summary["imbalances"].dump());
    const bool has_order = stage_.scenario.order == Order::sequence;
    if (has_order && run_.out_of_order > summary["late_repairs"].get<std::uint64_t>())
      find(fmt::format("{} messages came out of order, and it says that {} came late",
                       run_.out_of_order, summary["late_repairs"].dump()));
    if (summary["packets"] != run_.packets)
      find(fmt::format("it counts {} packets, and {} came out", summary["packets"].dump(),
                       run_.packets));
    if (summary["messages"] != delivered_ + run_.poison)
      find(fmt::format("it counts {} messages, and {} came out", summary["messages"].dump(),
                       delivered_ + run_.poison));
  }

  void check_line(std::size_t line) {
    const LineLedger& sent = stage_.lines[line];
    const Json& said = run_.summary["lines"][line];
    const std::uint64_t packets = said["packets"];
    if (sent.certain ? packets != sent.to_run[run_.run] : packets < sent.to_run[run_.run])
      find(fmt::format("line {} counts {} packets of {}", static_cast<char>('A' + line), packets,
                       sent.to_run[run_.run]));
    std::uint64_t sum = 0;
    for (const char* way :
         {"won", "duplicate", "overlap", "unsequenced", "late", "old_epoch", "control",
          "unconfirmed", "no_credit", "no_receiver", "malformed", "not_feed", "kernel_lost"})
      sum += said[way].get<std::uint64_t>();
    if (sum != packets)
      find(fmt::format("line {} counts {} packets, and the ways out add up to {}",
                       static_cast<char>('A' + line), packets, sum));
    for (const char* never : {"malformed", "not_feed", "kernel_lost", "unsequenced", "control"})
      if (said[never] != 0)
        find(fmt::format("line {} counts {} {}", static_cast<char>('A' + line), said[never].dump(),
                         never));
    if (!sent.certain) return;
    if (said["no_credit"] != sent.no_credit)
      find(fmt::format("line {} counts {} packets without credit, and it were {}",
                       static_cast<char>('A' + line), said["no_credit"].dump(), sent.no_credit));
    check_lost(line, said["lost_messages"]);
  }

  /// Exact where nothing was refused, and one numbering is all there is.
  void check_lost(std::size_t line, std::uint64_t said) {
    const bool is_exact = ledger_.lives() == 1 && stage_.scenario.lines[line].poison_one_in == 0 &&
                          std::ranges::all_of(stage_.lines, [](const LineLedger& of_line) {
                            return of_line.no_credit == 0;
                          });
    if (!is_exact) return;
    std::uint64_t lost = 0;
    for (std::uint32_t channel = 0; channel < ledger_.channels(); ++channel)
      lost += lost_between_first_and_last(line, channel);
    if (said != lost)
      find(fmt::format("line {} says it lost {} messages, and it lost {}",
                       static_cast<char>('A' + line), said, lost));
  }
  std::uint64_t lost_between_first_and_last(std::size_t line, std::uint32_t channel) const {
    const std::uint64_t begin = ledger_.first_place(channel, 0);
    std::uint64_t lost = 0, lost_since = 0;
    bool has_begun = false;
    for (std::uint64_t place = begin; place < begin + ledger_.messages(); ++place) {
      if (ledger_.was_sent(line, place, run_.run, Certainty::taken)) {
        if (has_begun) lost += lost_since;
        has_begun = true;
        lost_since = 0;
      } else {
        ++lost_since;
      }
    }
    return lost;
  }

  Stage& stage_;
  const Ledger& ledger_;
  const EndedRun& run_;
  std::uint64_t delivered_ = 0;
  std::uint64_t missed_ = 0;
  std::vector<std::uint64_t> missed_by_line_;
  std::vector<MissedRange> gaps_;
  std::vector<std::string> wrong_messages_;
  Wrong wrong_ = Wrong::nothing;
  Identity wrong_first_;
  std::uint64_t wrong_count_ = 0;
};

std::uint64_t never_sent(const Stage& stage, std::size_t line) {
  const std::uint64_t all =
      stage.ledger.messages() * stage.ledger.lives() * stage.ledger.channels();
  const LineLedger& of_line = stage.lines[line];
  const std::uint64_t sent = of_line.messages - of_line.poison;
  return all - std::min(all, sent);
}

}  // namespace

Figures check(Stage& stage, const std::vector<EndedRun>& runs) {
  Figures figures;
  for (const EndedRun& run : runs) {
    RunCheck of_run(stage, run);
    of_run.check();
    figures.delivered += of_run.delivered();
    figures.gaps += of_run.missed();
  }
  for (std::size_t line = 0; line < stage.ledger.lines(); ++line) {
    const LineLedger& sent = stage.lines[line];
    figures.packets += sent.packets;
    figures.lines.push_back({sent.packets, never_sent(stage, line), sent.no_credit});
  }
  return figures;
}

}  // namespace linearb::soak
