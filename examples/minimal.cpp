// SPDX-License-Identifier: Apache-2.0
// Arbitrates two lines and prints what comes out: run `linearb lab up`, this, and `linearb feed`.
#include <cstdio>
#include <cstdlib>

#include "linearb/receiver.h"

int main(int argc, char** argv) {
  linearb::ReceiverOptions options;
  options.lines = {linearb::parse_line("A=vethA_dst"), linearb::parse_line("B=vethB_dst")};
  options.channels = {linearb::parse_channel("optiq=optiq@any:30001")};
  if (argc > 1) options.packets = std::strtoull(argv[1], nullptr, 10);

  auto print = [&](const linearb::Delivery& delivery) {
    for (const linearb::Run& run : delivery.news) {
      std::printf("%s from %llu, %u messages, by line %s\n",
                  options.channels[delivery.channel].name.c_str(),
                  static_cast<unsigned long long>(run.first), run.count,
                  options.lines[delivery.line].name.c_str());
    }
  };

  try {
    linearb::Receiver receiver(options, print);
    std::fprintf(stderr, "receiving\n");
    linearb::Summary summary = receiver.run();
    std::printf("%llu messages\n", static_cast<unsigned long long>(summary.messages));
    return summary.balanced ? 0 : 1;
  } catch (const linearb::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
