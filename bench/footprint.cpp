// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measurements.h"
#include "bench/program.h"
#include "core/layout.h"
#include "linearb/error.h"

namespace linearb::bench {
namespace {

constexpr unsigned kChannels = 1024;
constexpr auto kStarted = std::chrono::seconds(2);
constexpr auto kIdle = std::chrono::seconds(4);

/// `linearb receive`, as a user starts it, with nothing on its lines.
class Receiver {
 public:
  explicit Receiver(std::vector<std::string> arguments)
      : process_(start_program("../linearb", arguments)) {
    std::this_thread::sleep_for(kStarted);
    if (::waitpid(process_, nullptr, WNOHANG) == process_) throw Error("the receiver has ended");
  }
  ~Receiver() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }

  /// In bytes: what it has allocated, and the maps that it holds.
  double memory() const {
    double bytes = 0;
    std::ifstream status(proc("status"));
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("RssAnon:")) bytes += std::stod(line.substr(8)) * 1024;
    for (const auto& entry : std::filesystem::directory_iterator(proc("fdinfo"))) {
      std::ifstream info(entry.path());
      for (std::string line; std::getline(info, line);)
        if (line.starts_with("memlock:")) bytes += std::stod(line.substr(8));
    }
    return bytes;
  }

  /// Seconds of a CPU, user and system.
  double cpu_seconds() const {
    std::ifstream stat(proc("stat"));
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::vector<std::string> values((std::istream_iterator<std::string>(fields)), {});
    return (std::stod(values.at(11)) + std::stod(values.at(12))) /
           static_cast<double>(::sysconf(_SC_CLK_TCK));
  }

 private:
  std::string proc(const char* file) const { return fmt::format("/proc/{}/{}", process_, file); }

  pid_t process_;
};

void measure_memory(Figures& figures) {
  const Stage stage(2, {});
  std::vector<std::string> arguments{"receive", "--mode", "native"};
  for (unsigned i = 0; i < kChannels; ++i)
    arguments.insert(arguments.end(),
                     {"--channel", fmt::format("c{}=optiq@any:{}", i, 20'000 + i)});
  const Receiver receiver(arguments);
  figures.add("memory at 1,024 channels, MiB", receiver.memory() / (1 << 20));
  const auto of_a_channel = sizeof(lb_channel) + LB_LINES_MAX * sizeof(lb_mark);
  figures.add("window and marks of a channel, KiB", static_cast<double>(of_a_channel) / 1024);
}

void measure_idle(Figures& figures) {
  const Stage stage(2, {});
  const Receiver receiver({"receive", "--mode", "native", "--wait", "poll"});
  const double before = receiver.cpu_seconds();
  std::this_thread::sleep_for(kIdle);
  const double seconds = receiver.cpu_seconds() - before;
  figures.add("CPU of an idle receiver, %",
              100 * seconds / std::chrono::duration<double>(kIdle).count());
}

}  // namespace

Measurements footprint_measurements(const Settings&) {
  return {{"memory", measure_memory}, {"idle", measure_idle}};
}

}  // namespace linearb::bench
