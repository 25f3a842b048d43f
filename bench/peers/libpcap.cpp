// SPDX-License-Identifier: Apache-2.0
// libpcap alone: reads two captures to their ends, and writes the packets of the first.
#include <cstdio>
#include <memory>
#include <string>

#include <pcap/pcap.h>

namespace {

using Capture = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

Capture open_capture(const char* path) {
  char error[PCAP_ERRBUF_SIZE];
  Capture capture(pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error),
                  &pcap_close);
  if (!capture) std::fprintf(stderr, "%s\n", error);
  return capture;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  const Capture a = open_capture(arguments[1]), b = open_capture(arguments[2]);
  if (!a || !b) return 1;
  pcap_dumper_t* const out = pcap_dump_open(a.get(), arguments[3]);
  if (!out) return 1;
  pcap_pkthdr* header = nullptr;
  const u_char* packet = nullptr;
  for (;;) {
    const bool more_of_a = pcap_next_ex(a.get(), &header, &packet) == 1;
    if (more_of_a) pcap_dump(reinterpret_cast<u_char*>(out), header, packet);
    if (pcap_next_ex(b.get(), &header, &packet) != 1 && !more_of_a) break;
  }
  const bool is_written = pcap_dump_flush(out) == 0;
  pcap_dump_close(out);
  return is_written ? 0 : 1;
}
