// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "bench/affinity.h"
#include "bench/measurements.h"
#include "bench/optiq_packet.h"
#include "bench/program.h"
#include "capture/writer.h"
#include "linearb/error.h"
#include "sys/clock.h"

namespace linearb::bench {
namespace {

/// Files that no disk has to do with.
const std::filesystem::path kMemory = "/dev/shm";
constexpr std::uint64_t kIntervalNs = 1'000;
constexpr std::uint64_t kLagNs = 20'000;

/// Both lines of a feed, B a little later. Removed at the end.
class Captures {
 public:
  explicit Captures(std::uint32_t packets)
      : directory_(kMemory / fmt::format("linearb_bench_{}", ::getpid())) {
    std::filesystem::create_directory(directory_);
    write(a(), packets, 0);
    write(b(), packets, kLagNs);
  }
  Captures(const Captures&) = delete;
  Captures& operator=(const Captures&) = delete;
  ~Captures() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string a() const { return directory_ / "a.pcap"; }
  std::string b() const { return directory_ / "b.pcap"; }
  std::string out() const { return directory_ / "out.pcap"; }

 private:
  static void write(const std::string& path, std::uint32_t packets, std::uint64_t lag_ns) {
    constexpr std::uint64_t kBegin = 1'700'000'000'000'000'000;
    capture::Writer writer(path);
    std::vector<std::uint8_t> packet = optiq_packet();
    for (std::uint32_t i = 0; i < packets; ++i) {
      write_optiq_packet(packet.data(), i + 1);
      writer.write(kBegin + i * kIntervalNs + lag_ns, packet);
    }
    writer.close();
  }

  std::filesystem::path directory_;
};

double rate_of(std::uint32_t packets, const std::string& program,
               const std::vector<std::string>& arguments) {
  const std::uint64_t begin_ns = sys::monotonic_ns();
  run_program(program, arguments);
  return packets * 1e9 / static_cast<double>(sys::monotonic_ns() - begin_ns);
}

}  // namespace

Measurements merging_measurements(const Settings& settings) {
  const std::uint32_t packets = settings.quick ? 200'000 : 1'000'000;
  return {{"merge", [=](Figures& figures) {
             run_anywhere();  // as both programs do for who calls them
             const Captures captures(packets);
             const auto size_of_line = std::filesystem::file_size(captures.a());
             const auto measure = [&](const std::string& figure, const std::string& program,
                                      const std::vector<std::string>& arguments) {
               const double rate = rate_of(packets, program, arguments);
               if (std::filesystem::file_size(captures.out()) != size_of_line)
                 throw Error(figure + ": another number of packets was written");
               figures.add(figure, rate / 1e6);
             };
             measure("merge, M messages/s", "../linearb",
                     {"merge", captures.a(), captures.b(), "--write", captures.out(), "--json"});
             measure("libpcap alone, M messages/s", "peer_libpcap",
                     {captures.a(), captures.b(), captures.out()});
           }}};
}

}  // namespace linearb::bench
