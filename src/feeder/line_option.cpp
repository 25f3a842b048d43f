// SPDX-License-Identifier: Apache-2.0
#include "feeder/line_option.h"

#include <array>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "config/line_value.h"
#include "linearb/error.h"

namespace linearb::feeder {
namespace {

using config::parse_number;

std::optional<double> parse_probability(std::string_view text) {
  bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  auto number = parse_number<double>(text);
  if (!number) return std::nullopt;
  double probability = percent ? *number / 100 : *number;
  if (!(probability >= 0 && probability <= 1)) return std::nullopt;
  return probability;
}

std::optional<std::uint64_t> parse_delay_ns(std::string_view text) {
  auto ns = config::parse_duration_ns(text);
  if (!ns || !(*ns >= 0 && *ns <= static_cast<double>(kDelayMaxNs))) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(*ns));
}

/// "RATExNUMBER": what stands before and behind the x.
struct Product {
  std::string_view rate;
  std::optional<std::string_view> factor;
};

Product split_product(std::string_view text) {
  std::size_t x = text.find('x');
  if (x == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, x), text.substr(x + 1)};
}

template <double LineImpairment::*Member>
bool set_probability(std::string_view value, LineImpairment& line) {
  auto probability = parse_probability(value);
  if (probability) line.*Member = *probability;
  return probability.has_value();
}

template <std::uint64_t LineImpairment::*Member>
bool set_duration(std::string_view value, LineImpairment& line) {
  auto duration_ns = parse_delay_ns(value);
  if (duration_ns) line.*Member = *duration_ns;
  return duration_ns.has_value();
}

bool set_burst(std::string_view value, LineImpairment& line) {
  Product product = split_product(value);
  auto rate = parse_probability(product.rate);
  if (!rate || !product.factor) return false;
  auto length = parse_number<double>(*product.factor);
  if (!length || !(*length >= 1 && *length <= kBurstLengthMax)) return false;
  line.burst = {*rate, *length};
  return true;
}

bool set_reorder(std::string_view value, LineImpairment& line) {
  Product product = split_product(value);
  auto probability = parse_probability(product.rate);
  auto depth = product.factor ? parse_number<std::uint32_t>(*product.factor) : 1u;
  if (!probability || !depth || *depth < 1 || *depth > kReorderDepthMax) return false;
  line.reorder = *probability;
  line.reorder_depth = *depth;
  return true;
}

constexpr std::string_view kProbability = "a probability from 0% to 100% (1% or 0.01)";
constexpr std::string_view kDuration = "a time of at most 60s in ns, us, ms or s (50us)";

static_assert(kDelayMaxNs == 60'000'000'000 && kBurstLengthMax == 1e6 && kReorderDepthMax == 64,
              "the texts name these limits");
constexpr std::array kOptions{
    ImpairmentOption{"loss", kProbability, "loses packets, each on its own",
                     set_probability<&LineImpairment::loss>},
    ImpairmentOption{"burst-loss",
                     "how often a burst begins, from 0% to 100%, and its mean length from 1 to "
                     "1000000 packets (0.1%x20)",
                     "loses packets in bursts", set_burst},
    ImpairmentOption{"skew", kDuration, "sends every packet this much later",
                     set_duration<&LineImpairment::skew_ns>},
    ImpairmentOption{"jitter", kDuration, "and up to this much more, another for each packet",
                     set_duration<&LineImpairment::jitter_ns>},
    ImpairmentOption{"reorder",
                     "a probability from 0% to 100%, and by how many packets at most, 1 to 64 "
                     "(1% or 1%x4)",
                     "sends packets after ones that follow them", set_reorder},
    ImpairmentOption{"duplicate", kProbability, "sends packets twice",
                     set_probability<&LineImpairment::duplicate>},
    ImpairmentOption{"corrupt", kProbability,
                     "flips a bit of the payload behind the checksum's back",
                     set_probability<&LineImpairment::corrupt>},
};

[[noreturn]] void refuse(std::string_view option, std::string_view text,
                         std::string_view accepted) {
  throw UsageError(fmt::format("--{} {}: accepted is {}, with LINE= in front for one line", option,
                               text, accepted));
}

}  // namespace

std::span<const ImpairmentOption> impairment_options() noexcept {
  return kOptions;
}

void set_impairment(const ImpairmentOption& option, std::string_view text,
                    std::span<const std::string> lines, std::span<LineImpairment> impairments) {
  config::LineValue part = config::split_line_value(option.name, text, lines);
  for (std::size_t line = part.begin; line < part.end; ++line) {
    if (!option.set(part.value, impairments[line])) refuse(option.name, text, option.accepted);
  }
}

void set_count(const CountOption& option, std::string_view text, std::span<const std::string> lines,
               std::span<std::uint32_t> counts) {
  config::LineValue part = config::split_line_value(option.name, text, lines);
  auto count = parse_number<std::uint32_t>(part.value);
  if (!count || *count < option.least || *count > option.most)
    refuse(option.name, text,
           fmt::format("a whole number from {} to {}", option.least, option.most));
  for (std::size_t line = part.begin; line < part.end; ++line) counts[line] = *count;
}

}  // namespace linearb::feeder
