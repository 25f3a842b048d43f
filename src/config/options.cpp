// SPDX-License-Identifier: Apache-2.0
#include "linearb/options.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include "config/nearest.h"
#include "config/places.h"
#include "config/trading_hours.h"
#include "core/layout.h"
#include "core/walk.h"
#include "linearb/error.h"

namespace linearb {
namespace {

using config::InvalidOption;

static_assert(kLinesMax == LB_LINES_MAX);
static_assert(kThreadsMax == LB_THREADS_MAX);

constexpr std::size_t kNameMax = 15;
constexpr std::size_t kInterfaceNameMax = IFNAMSIZ - 1;
constexpr std::uint32_t kFramesMin = 64;
constexpr std::uint32_t kFramesMax = 65'536;
/// Seconds. Lines are looked at a few times in the shortest.
constexpr double kSilenceMin = 0.1;
constexpr double kSilenceMax = 86'400;

constexpr std::string_view kDestinationForm =
    "GROUP:PORT, as 239.192.30.1:30001 or any:30001, or SOURCE@GROUP:PORT";
constexpr std::string_view kSourceForm = "the IPv4 address of a sender, as 10.1.1.1";
constexpr std::string_view kLineForm = "NAME=INTERFACE, as A=vethA_dst";
constexpr std::string_view kChannelForm =
    "NAME=FRAMING@GROUP:PORT, as optiq=optiq@any:30001, or NAME=FRAMING@A=GROUP:PORT,B=GROUP:PORT; "
    "SOURCE@GROUP:PORT takes packets from one source alone";

[[noreturn]] void refuse(std::string_view option, std::string_view text, std::string_view reason,
                         std::string_view form) {
  throw UsageError(
      fmt::format("{} \"{}\": {}; what is accepted is {}", option, text, reason, form));
}

/// Names stand in options, counters and reports: they hold none of the signs that separate there.
bool is_name(std::string_view text) {
  auto is_accepted = [](char sign) {
    return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z') ||
           (sign >= '0' && sign <= '9') || sign == '-' || sign == '_' || sign == '.';
  };
  return !text.empty() && text.size() <= kNameMax &&
         std::all_of(text.begin(), text.end(), is_accepted);
}

std::string bad_name_text(std::string_view option, std::string_view name) {
  return fmt::format("{}: the name \"{}\" is not 1 to {} letters, digits, \"-\", \"_\" or \".\"",
                     option, name, kNameMax);
}

void check_name(std::string_view option, std::string_view name) {
  if (!is_name(name)) throw UsageError(bad_name_text(option, name));
}

/// What stands before and behind the separator; nothing where it is missing.
std::optional<std::pair<std::string, std::string>> split(const std::string& text,
                                                         std::size_t separator) {
  if (separator == text.npos) return std::nullopt;
  return std::pair(text.substr(0, separator), text.substr(separator + 1));
}

std::uint16_t parse_port(const std::string& port, const std::string& text) {
  std::uint16_t value = 0;
  const char* end = port.data() + port.size();
  auto [stopped, error] = std::from_chars(port.data(), end, value);
  if (error != std::errc{} || stopped != end || value == 0)
    refuse("destination", text, "the port has to be 1 to 65535", kDestinationForm);
  return value;
}

std::string address_text(std::uint32_t address) {
  char text[INET_ADDRSTRLEN] = "";
  const in_addr network{.s_addr = htonl(address)};
  ::inet_ntop(AF_INET, &network, text, sizeof(text));
  return text;
}

/// What a sender on a network can have: neither 0/8 (this host, RFC 1122) nor 127/8, nor what
/// begins with 224, which are groups and what is reserved.
bool is_unicast(std::uint32_t address) {
  const std::uint32_t net = address >> 24;
  return net != 0 && net != 127 && net < 224;
}

/// "10.1.1.1+10.1.1.2".
std::vector<std::uint32_t> parse_sources(const std::string& list) {
  std::vector<std::uint32_t> sources;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find('+', begin), list.size());
    sources.push_back(parse_source(list.substr(begin, end - begin)));
    begin = end + 1;
  }
  return sources;
}

/// Where the framing of a channel ends: at the first "@". But it can be a path, and a path can hold
/// the sign: then it is the first one behind ".toml", or behind the path's last "/".
std::size_t end_of_framing(const std::string& text) {
  constexpr std::string_view kExtension = ".toml";
  const std::size_t file = text.rfind(".toml@");
  if (file != text.npos) return file + kExtension.size();
  const std::size_t folder = text.rfind('/');
  return text.find('@', folder == text.npos ? 0 : folder);
}

std::vector<std::pair<std::string, Destination>> parse_line_destinations(const std::string& list,
                                                                         const std::string& text) {
  std::vector<std::pair<std::string, Destination>> destinations;
  for (std::size_t begin = 0; begin <= list.size();) {
    std::size_t end = std::min(list.find(',', begin), list.size());
    std::string element = list.substr(begin, end - begin);
    auto parts = split(element, element.find('='));
    if (!parts)
      refuse("--channel", text, fmt::format("\"{}\" names no line", element), kChannelForm);
    destinations.emplace_back(parts->first, parse_destination(parts->second));
    begin = end + 1;
  }
  return destinations;
}

std::vector<std::string> names_of(const std::vector<Line>& lines) {
  std::vector<std::string> names;
  for (const Line& line : lines) names.push_back(line.name);
  return names;
}

/// The first one too many, where that is what is wrong.
std::optional<std::size_t> first_beyond(std::size_t count, std::size_t most) {
  return count > most ? std::optional(most) : std::nullopt;
}

void validate_lines(const std::vector<Line>& lines) {
  if (lines.empty() || lines.size() > kLinesMax)
    throw InvalidOption(
        {"line", first_beyond(lines.size(), kLinesMax), ""},
        fmt::format("--line: {} lines; there can be 1 to {}", lines.size(), kLinesMax));
  std::set<std::string> names;
  for (std::size_t i = 0; i < lines.size(); i++) {
    const Line& line = lines[i];
    auto require = [&](bool holds, const std::string& text) {
      if (!holds) throw InvalidOption({"line", i, ""}, text);
    };
    require(is_name(line.name), bad_name_text("--line", line.name));
    require(names.insert(line.name).second,
            fmt::format("--line: the name \"{}\" is given twice", line.name));
    require(!line.interface.empty() && line.interface.size() <= kInterfaceNameMax,
            fmt::format("--line {}: the interface \"{}\" has not 1 to {} letters", line.name,
                        line.interface, kInterfaceNameMax));
  }
}

/// Somebody has to say where the feed is.
void validate_repair_lines(const ReceiverOptions& options) {
  const config::Subject subject{"repair", {}, ""};
  const std::vector<std::string> lines = names_of(options.lines);
  std::set<std::string> named;
  for (const std::string& line : options.repair_lines) {
    if (std::ranges::find(lines, line) == lines.end())
      throw InvalidOption(subject, fmt::format("--repair: there is no line \"{}\"; {}", line,
                                               config::suggest_name(line, lines)));
    if (!named.insert(line).second)
      throw InvalidOption(subject, fmt::format("--repair: the line \"{}\" is given twice", line));
  }
  if (named.size() == lines.size())
    throw InvalidOption(
        subject, "--repair: all lines would only repair: one at least has to bring the feed");
  if (!named.empty() && options.dedup == Dedup::lru)
    throw InvalidOption(subject,
                        "--repair: under --dedup lru there is nothing to repair: identifiers have "
                        "no order, and no holes");
}

/// Each destination is for a line that there is; each line that does not only repair has one.
/// `place` is the channel's.
void validate_line_destinations(const Channel& channel, const ReceiverOptions& options,
                                const config::Subject& place) {
  const std::vector<std::string> lines = names_of(options.lines);
  std::set<std::string> named;
  for (const auto& [line, destination] : channel.line_destinations) {
    if (std::find(lines.begin(), lines.end(), line) == lines.end())
      throw InvalidOption(
          place, fmt::format("--channel {}: there is no line \"{}\"; {}", channel.name, line,
                             config::suggest_name(line, lines)));
    if (!named.insert(line).second)
      throw InvalidOption(
          place, fmt::format("--channel {}: line \"{}\" has two destinations", channel.name, line));
  }
  for (const std::string& line : lines) {
    if (channel.destination_on(line).port == 0 && !options.only_repairs(line))
      throw InvalidOption(place,
                          fmt::format("--channel {}: line \"{}\" has no destination; name it "
                                      "as {}=GROUP:PORT",
                                      channel.name, line, line));
  }
}

std::string why_sources_cannot_be(const Destination& destination) {
  constexpr std::string_view kNone =
      "sources are chosen for a multicast group, and {} is none: {}leave the sources out";
  if (destination.address == 0) return fmt::format(kNone, "\"any\"", "name the group, or ");
  if (!lb_is_multicast(destination.address))
    return fmt::format(kNone, address_text(destination.address), "");
  if (destination.sources.size() > kSourcesMax)
    return fmt::format("{} sources; there can be {}", destination.sources.size(), kSourcesMax);
  std::set<std::uint32_t> known;
  for (const std::uint32_t source : destination.sources) {
    if (!is_unicast(source))
      return fmt::format("the source {} is no unicast address", address_text(source));
    if (!known.insert(source).second)
      return fmt::format("the source {} is given twice", address_text(source));
  }
  return "";
}

void validate_sources(const Channel& channel, const std::vector<std::string>& lines,
                      const config::Subject& place) {
  for (const std::string& line : lines) {
    const Destination& destination = channel.destination_on(line);
    if (destination.sources.empty()) continue;
    const std::string reason = why_sources_cannot_be(destination);
    if (!reason.empty())
      throw InvalidOption({"channel", place.index, line},
                          fmt::format("--channel {}: line \"{}\": {}", channel.name, line, reason));
  }
}

/// Each has a place in the hook's table of flows, whose size has to have a limit.
void validate_source_count(const ReceiverOptions& options) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < options.channels.size(); i++) {
    for (const Line& line : options.lines)
      count += options.channels[i].destination_on(line.name).sources.size();
    if (count > kSourcesOfAllMax)
      throw InvalidOption(
          {"channel", i, ""},
          fmt::format("--channel {}: with its sources there are more than {}, on every line "
                      "counted; name fewer",
                      options.channels[i].name, kSourcesOfAllMax));
  }
}

bool are_keys(std::uint32_t keys) {
  return keys >= 1 && keys < LB_CHANNELS_MAX;
}

std::string bad_keys_text(std::string_view option, std::uint32_t keys) {
  return fmt::format("{} {}: it has to be 1 to {}", option, keys, LB_CHANNELS_MAX - 1);
}

bool is_silence(double seconds) {
  return std::isfinite(seconds) && seconds >= kSilenceMin && seconds <= kSilenceMax;
}

std::string bad_silence_text(std::string_view option, double seconds) {
  return fmt::format("{} {}: it has to be {} to {} seconds", option, seconds, kSilenceMin,
                     kSilenceMax);
}

void validate_alarms(const Channel& channel, const config::Subject& place) {
  if (channel.silence_seconds && !is_silence(*channel.silence_seconds))
    throw InvalidOption({"channel", place.index, "silence"},
                        bad_silence_text(fmt::format("--channel {}: silence", channel.name),
                                         *channel.silence_seconds));
  try {
    config::TradingHours::parse(channel.hours);
  } catch (const UsageError& error) {
    throw InvalidOption({"channel", place.index, "hours"},
                        fmt::format("--channel {}: {}", channel.name, error.what()));
  }
}

void validate_channel(const Channel& channel, const ReceiverOptions& options,
                      const config::Subject& place) {
  if (!is_name(channel.name)) throw InvalidOption(place, bad_name_text("--channel", channel.name));
  if (channel.framing.empty())
    throw InvalidOption({"channel", place.index, "framing"},
                        fmt::format("--channel {}: it names no framing", channel.name));
  if (channel.keys && !are_keys(*channel.keys))
    throw InvalidOption(
        {"channel", place.index, "keys"},
        bad_keys_text(fmt::format("--channel {}: keys", channel.name), *channel.keys));
  validate_alarms(channel, place);
  validate_line_destinations(channel, options, place);
  validate_sources(channel, names_of(options.lines), place);
}

/// A packet belongs to one line and one channel: the hook tells them by interface and destination.
void validate_destinations(const ReceiverOptions& options) {
  std::map<std::tuple<std::string, std::uint32_t, std::uint16_t>, std::string> taken;
  for (std::size_t i = 0; i < options.channels.size(); i++) {
    const Channel& channel = options.channels[i];
    for (const Line& line : options.lines) {
      const Destination& destination = channel.destination_on(line.name);
      if (destination.port == 0) continue;
      std::string user = fmt::format("channel \"{}\" on line \"{}\"", channel.name, line.name);
      auto [place, is_free] = taken.try_emplace(
          std::tuple(line.interface, destination.address, destination.port), user);
      if (!is_free)
        throw InvalidOption(
            {"channel", i, line.name},
            fmt::format("--channel: {} and {} take the same packets of interface {}", place->second,
                        user, line.interface));
    }
  }
}

void validate_channels(const ReceiverOptions& options) {
  if (options.channels.empty() || options.channels.size() > LB_CHANNELS_MAX)
    throw InvalidOption({"channel", first_beyond(options.channels.size(), LB_CHANNELS_MAX), ""},
                        fmt::format("--channel: {} channels; there can be 1 to {}",
                                    options.channels.size(), +LB_CHANNELS_MAX));
  std::set<std::string> names;
  for (std::size_t i = 0; i < options.channels.size(); i++) {
    const Channel& channel = options.channels[i];
    validate_channel(channel, options, {"channel", i, ""});
    if (!names.insert(channel.name).second)
      throw InvalidOption({"channel", i, ""},
                          fmt::format("--channel: the name \"{}\" is given twice", channel.name));
  }
  validate_destinations(options);
  validate_source_count(options);
}

}  // namespace

const Destination& Channel::destination_on(const std::string& line) const {
  for (const auto& [owner, own] : line_destinations) {
    if (owner == line) return own;
  }
  return destination;
}

bool ReceiverOptions::only_repairs(const std::string& line) const {
  return std::ranges::find(repair_lines, line) != repair_lines.end();
}

Destination parse_destination(const std::string& text) {
  auto parts = split(text, text.rfind(':'));
  if (!parts) refuse("destination", text, "it has no port", kDestinationForm);
  Destination destination;
  destination.port = parse_port(parts->second, text);
  std::string group = parts->first;
  if (auto from = split(group, group.find('@'))) {
    destination.sources = parse_sources(from->first);
    group = from->second;
  }
  if (group == "any") return destination;
  in_addr address{};
  if (::inet_pton(AF_INET, group.c_str(), &address) != 1 || address.s_addr == 0)
    refuse("destination", text, fmt::format("\"{}\" is no IPv4 address", group), kDestinationForm);
  destination.address = ntohl(address.s_addr);
  return destination;
}

std::string destination_text(const Destination& destination) {
  std::string sources;
  for (const std::uint32_t source : destination.sources)
    sources += (sources.empty() ? "" : "+") + address_text(source);
  return fmt::format("{}{}{}:{}", sources, sources.empty() ? "" : "@",
                     destination.address == 0 ? "any" : address_text(destination.address),
                     destination.port);
}

std::uint32_t parse_source(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1)
    refuse("source", text, "it is no IPv4 address", kSourceForm);
  if (!is_unicast(ntohl(address.s_addr)))
    refuse("source", text, "it is no unicast address", kSourceForm);
  return ntohl(address.s_addr);
}

Line parse_line(const std::string& text) {
  auto parts = split(text, text.find('='));
  if (!parts || parts->second.empty()) refuse("--line", text, "it names no interface", kLineForm);
  check_name("--line", parts->first);
  return {parts->first, parts->second};
}

Channel parse_channel(const std::string& text) {
  Channel channel;
  auto name = split(text, text.find('='));
  if (!name) refuse("--channel", text, "it has no name", kChannelForm);
  check_name("--channel", name->first);
  auto framing = split(name->second, end_of_framing(name->second));
  if (!framing || framing->first.empty())
    refuse("--channel", text, "it names no framing", kChannelForm);
  channel.name = name->first;
  channel.framing = framing->first;
  if (framing->second.find('=') == std::string::npos)
    channel.destination = parse_destination(framing->second);
  else
    channel.line_destinations = parse_line_destinations(framing->second, text);
  return channel;
}

namespace {

void validate_order(const ReceiverOptions& options) {
  if (options.order == Order::arrival) return;
  if (options.dedup == Dedup::lru)
    throw InvalidOption({"order", {}, ""},
                        "--order sequence: identifiers have no order (--dedup lru)");
  if (options.keep_hook)
    throw InvalidOption({"order", {}, ""},
                        "--order sequence: what waits for its turn would go with a receiver that "
                        "dies, and the next one would take it for delivered; without --keep-hook "
                        "it can be had, or with --order arrival");
}

void validate_threads(const ReceiverOptions& options) {
  if (options.threads < 1 || options.threads > kThreadsMax)
    throw InvalidOption({"threads", {}, ""}, fmt::format("--threads {}: it has to be 1 to {}",
                                                         options.threads, kThreadsMax));
  if (!options.cpus.empty() && options.cpus.size() != options.threads)
    throw InvalidOption({"cpu", {}, ""},
                        fmt::format("--cpu: {} CPUs for {} data threads (--threads); name one for "
                                    "each, as --cpu 2,3",
                                    options.cpus.size(), options.threads));
  for (std::size_t i = 0; i < options.cpus.size(); ++i)
    if (std::ranges::count(options.cpus, options.cpus[i]) > 1)
      throw InvalidOption({"cpu", {}, ""},
                          fmt::format("--cpu: {} is there twice; each data thread wants a CPU of "
                                      "its own",
                                      options.cpus[i]));
  if (options.dedup == Dedup::lru && options.threads > 1)
    throw InvalidOption({"threads", {}, ""},
                        fmt::format("--threads {}: under --dedup lru there is one channel, and one "
                                    "thread for it",
                                    options.threads));
  for (std::size_t i = 0; i < options.channels.size(); ++i)
    if (options.channels[i].thread.value_or(0) >= options.threads)
      throw InvalidOption(
          {"channel", i, "thread"},
          fmt::format("--channel {}: thread {}: data threads are 0 to {} (--threads {})",
                      options.channels[i].name, *options.channels[i].thread, options.threads - 1,
                      options.threads));
}

}  // namespace

void validate(const ReceiverOptions& options) {
  validate_lines(options.lines);
  validate_repair_lines(options);
  validate_channels(options);
  if (options.dedup == Dedup::lru && options.channels.size() > 1)
    throw UsageError(
        fmt::format("--dedup lru: {} channels; identifiers are remembered without their channel, "
                    "so there can be one: start a receiver for each",
                    options.channels.size()));
  validate_order(options);
  validate_threads(options);
  if (!are_keys(options.keys))
    throw InvalidOption({"keys", {}, ""}, bad_keys_text("--keys", options.keys));
  if (!is_silence(options.silence_seconds))
    throw InvalidOption({"silence", {}, ""},
                        bad_silence_text("--silence", options.silence_seconds));
  if (!std::has_single_bit(options.frames) || options.frames < kFramesMin ||
      options.frames > kFramesMax)
    throw InvalidOption({"frames", {}, ""},
                        fmt::format("--frames {}: it has to be a power of two from {} to {}",
                                    options.frames, kFramesMin, kFramesMax));
  if (options.packets && *options.packets == 0)
    throw InvalidOption({"packets", {}, ""}, "--packets 0: it has to be at least 1");
  if (options.idle_exit_seconds &&
      !(std::isfinite(*options.idle_exit_seconds) && *options.idle_exit_seconds > 0))
    throw InvalidOption({"idle-exit", {}, ""},
                        fmt::format("--idle-exit {}: it has to be a number of seconds above 0",
                                    *options.idle_exit_seconds));
}

}  // namespace linearb
