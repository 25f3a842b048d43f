// SPDX-License-Identifier: Apache-2.0
#include "xsk/holders.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <linux/if_xdp.h>
#include <unistd.h>

namespace linearb::xsk {
namespace {

namespace fs = std::filesystem;

/// A line of /proc/PID/maps is "addresses rights offset device inode path" (proc(5)). The path of a
/// socket's mapping is "socket:[inode]", and no other family of sockets maps anything at the offset
/// of a fill ring.
bool is_fill_ring(const std::string& line) {
  if (line.find("socket:[") == line.npos) return false;
  const std::size_t rights = line.find(' ');
  const std::size_t offset = line.find(' ', rights + 1);
  if (offset == line.npos) return false;
  return std::strtoull(line.c_str() + offset, nullptr, 16) == XDP_UMEM_PGOFF_FILL_RING;
}

bool has_fill_ring(const fs::path& process) {
  std::ifstream maps(process / "maps");
  for (std::string line; std::getline(maps, line);)
    if (is_fill_ring(line)) return true;
  return false;
}

bool shares_our_network(const fs::path& process) {
  std::error_code error;
  const fs::path theirs = fs::read_symlink(process / "ns/net", error);
  return !error && theirs == fs::read_symlink("/proc/self/ns/net", error);
}

std::string describe(const fs::path& process) {
  std::ifstream stream(process / "comm");
  std::string name;
  std::getline(stream, name);
  return fmt::format("{} (pid {})", name, process.filename().string());
}

bool is_another_process(const std::string& name) {
  return std::ranges::all_of(name, [](unsigned char sign) { return std::isdigit(sign); }) &&
         name != std::to_string(::getpid());
}

}  // namespace

std::vector<std::string> socket_holders() {
  std::vector<std::string> holders;
  std::error_code error;  // a process may end while it is looked at
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const fs::path& process = at->path();
    if (is_another_process(process.filename().string()) && shares_our_network(process) &&
        has_fill_ring(process))
      holders.push_back(describe(process));
  }
  return holders;
}

}  // namespace linearb::xsk
