// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The hook by hand, on the lines of the lab: commands as they are typed, and what is attached and
/// pinned then.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include <nlohmann/json.hpp>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "e2e/arbitration.h"
#include "hook/hook.h"
#include "support/capability.h"
#include "support/error_text.h"
#include "support/program.h"
#include "sys/interface.h"

namespace linearb::test::by_hand {

namespace fs = std::filesystem;
using Json = nlohmann::json;

inline const fs::path kSource = LINEARB_SOURCE_DIR;
inline const fs::path kBuild = fs::path(LINEARB_PROGRAM).parent_path();
inline constexpr const char* kLoadA =
    "ip link set dev vethA_dst xdpgeneric obj build/linearb.bpf.o sec xdp";
inline constexpr const char* kLoadB =
    "ip link set dev vethB_dst xdpgeneric obj build/linearb.bpf.o sec xdp";
inline const std::string kDetach = "build/linearb detach";
inline const std::string kLabDown = "build/linearb lab down";
inline const std::string kAttach = "build/linearb attach";
/// iproute2 has more names for this directory, which are symbolic links.
inline constexpr const char* kUnpinByHand = "find /sys/fs/bpf/tc/globals -type f -delete";

/// Twelve maps and the program.
inline constexpr std::size_t kPins = 13;
inline constexpr std::size_t kPinsWithMemory = kPins + 1;

inline const std::string kHook = LB_TEXT(LB_HOOK_FUNCTION);
inline const std::string kVersion = "layout version " LB_TEXT(LB_LAYOUT_VERSION);

struct Ended : test::Ended {
  std::string all() const { return output + errors; }
  Json json() const { return Json::parse(output); }
};

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// A command as one types it where the sources are; what is built is wherever this test was built.
inline std::string here(const std::string& command) {
  return fmt::format("env -C {} {}", kSource.string(),
                     replaced(command, "build/", kBuild.string() + "/"));
}

inline Ended run(const std::string& command) {
  return {run_to_its_end(here(command), "")};
}

inline void must_run(const std::string& command) {
  const Ended ended = run(command);
  ASSERT_EQ(ended.status, 0) << command << "\n" << ended.all();
}

/// Every file in the BPF file system but the two that the kernel puts there.
inline std::vector<std::string> pinned() {
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator("/sys/fs/bpf"))
    if (entry.is_regular_file() && entry.path().extension() != ".debug")
      paths.push_back(entry.path().string());
  std::ranges::sort(paths);
  return paths;
}

/// What is attached and pinned: to be the same before and after.
inline std::string everything() {
  std::string text;
  for (const hook::Attached& attached : hook::all_attached())
    text +=
        fmt::format("{} {} {}\n", attached.interface.name, attached.program.id, attached.mode());
  for (const std::string& path : pinned()) text += path + "\n";
  return text;
}

inline void expect_nothing_left() {
  EXPECT_EQ(everything(), "");
  EXPECT_FALSE(fs::exists(hook::kPinDirectory));
}

/// A program that lets every packet pass.
inline sys::Fd load_pass(const std::string& name) {
  const bpf_insn pass[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  sys::Fd program(
      ::bpf_prog_load(BPF_PROG_TYPE_XDP, name.c_str(), "GPL", pass, std::size(pass), nullptr));
  EXPECT_TRUE(program) << std::strerror(errno);
  return program;
}

/// The same, attached until it is destroyed.
class NamedProgram {
 public:
  NamedProgram(const std::string& name, const std::string& interface)
      : interface_(static_cast<int>(sys::interface_index(interface))), program_(load_pass(name)) {
    EXPECT_EQ(::bpf_xdp_attach(interface_, program_.get(), XDP_FLAGS_SKB_MODE, nullptr), 0);
  }
  ~NamedProgram() { ::bpf_xdp_detach(interface_, XDP_FLAGS_SKB_MODE, nullptr); }
  NamedProgram(const NamedProgram&) = delete;
  NamedProgram& operator=(const NamedProgram&) = delete;

 private:
  int interface_;
  sys::Fd program_;
};

class ByHand : public LabTest {
 protected:
  lab::LabOptions lab_options() const override { return {.lines = 4}; }
  void TearDown() override {
    run("build/linearb lab down");
    LabTest::TearDown();
  }
};

inline std::string readme() {
  std::stringstream text;
  text << std::ifstream(kSource / "README.md").rdbuf();
  return text.str();
}

/// Refused with status 1 and these words, and nothing has changed.
inline void expect_refused(const std::string& command, const std::vector<std::string>& words) {
  const std::string before = everything();
  const Ended ended = run(command);
  EXPECT_EQ(ended.status, 1) << command << "\n" << ended.all();
  EXPECT_EQ(ended.output, "") << command;
  EXPECT_EQ(std::ranges::count(ended.errors, '\n'), 1) << "one line: " << ended.errors;
  for (const std::string& word : words)
    EXPECT_TRUE(contains(ended.errors, word)) << command << ": " << word << "\n" << ended.errors;
  EXPECT_EQ(everything(), before) << command;
}

}  // namespace linearb::test::by_hand
