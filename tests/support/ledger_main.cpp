// SPDX-License-Identifier: Apache-2.0
//
// A receiver that is there to be killed: it writes what it gets into a ledger (support/ledger.h).
//
//     linearb_ledger LEDGER RUN native|generic [--keep-hook] [--channel CHANNEL]
//                    [--hang-before NUMBER] [--hang-after NUMBER]
//
// With the last two it never comes back from that message: before it has written it down, or after.
// On stderr it says what it is told, and "receiving"; of messages that the one before had in hand
// "in hand FIRST COUNT". SIGINT ends it with the summary in JSON on stdout.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>

#include <unistd.h>

#include "feeder/generator.h"
#include "linearb/receiver.h"
#include "report/json.h"
#include "support/ledger.h"

namespace {

using namespace linearb;

Receiver* running = nullptr;

void stop(int) {
  running->stop();
}

bool is_as_sent(const Delivery& delivery) {
  std::uint64_t sent_ns = 0;
  std::memcpy(&sent_ns, delivery.payload.data() + 12, sizeof(sent_ns));
  const auto sent =
      feeder::optiq_message(static_cast<std::uint32_t>(delivery.range.first), sent_ns);
  return std::ranges::equal(delivery.payload, sent);
}

/// Unbuffered: it may be the last that it says.
void say(const Event& event) {
  if (event.kind == Event::Kind::in_hand)
    std::fprintf(stderr, "in hand %llu %llu\n", static_cast<unsigned long long>(event.first),
                 static_cast<unsigned long long>(event.count));
  std::fprintf(stderr, "%s\n", event.text.c_str());
}

struct Wanted {
  std::string ledger;
  std::uint32_t run = 0;
  ReceiverOptions options;
  std::uint64_t hang_before = 0;
  std::uint64_t hang_after = 0;
};

Wanted parse(std::span<char*> words) {
  Wanted wanted;
  wanted.ledger = words[0];
  wanted.run = static_cast<std::uint32_t>(std::atoi(words[1]));
  wanted.options.mode = std::string_view(words[2]) == "native" ? Mode::native : Mode::generic;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const char* const value = i + 1 < words.size() ? words[i + 1] : "";
    if (word == "--keep-hook") wanted.options.keep_hook = true;
    if (word == "--channel") wanted.options.channels = {parse_channel(value)};
    if (word == "--hang-before") wanted.hang_before = std::strtoull(value, nullptr, 10);
    if (word == "--hang-after") wanted.hang_after = std::strtoull(value, nullptr, 10);
  }
  return wanted;
}

void receive(const Wanted& wanted) {
  test::Ledger ledger(wanted.ledger);
  const auto deliver = [&](const Delivery& delivery) {
    if (delivery.range.first == wanted.hang_before) ::pause();
    if (!is_as_sent(delivery)) ledger.add_wrong_bytes();
    for (const Run& news : delivery.news) ledger.add({news.first, news.count, wanted.run});
    if (delivery.range.first == wanted.hang_after) ::pause();
  };
  Receiver receiver(wanted.options, deliver, say);
  running = &receiver;
  std::signal(SIGINT, stop);
  std::fprintf(stderr, "receiving\n");
  report::print_json(stdout, report::to_json(receiver.run()));
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return 2;
  try {
    receive(parse({arguments + 1, static_cast<std::size_t>(count - 1)}));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "linearb_ledger: %s\n", error.what());
    return 1;
  }
}
