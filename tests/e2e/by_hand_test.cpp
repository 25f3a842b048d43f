// SPDX-License-Identifier: Apache-2.0
//
// The hook by hand: loaded by `ip link` or by linearb, taken off, looked at. What the operator
// meets:
//
// | situation                          | does           | is told                  | is left |
// |------------------------------------|----------------|--------------------------|-----------------|
// | loaded by ip link on both lines    | receive        | the feed, each once      | the hook | |
// any hook, wherever its pins are    | detach         | each thing that went     | nothing | | the
// same, on the lab's lines       | lab down       | the same, and the lines  | nothing         | |
// pins of a hook that is on nothing  | detach         | each pin                 | nothing | |
// nothing                            | detach         | there was nothing        | nothing | | the
// hook is on another line too    | detach one     | that its pins stay       | the other line's| |
// somebody else's program            | anything       | its name and its id      | that program |
// | a receiver runs                    | detach         | its pid                  | all of it | |
// a receiver runs                    | receive        | its pid                  | all of it | | a
// receiver runs                    | lab down       | each thing that went     | nothing         |
// | lines that share no maps           | attach, receive| linearb detach           | all of it | |
// a hook of another layout           | attach, receive| both versions, its id    | all of it | |
// line B refuses                     | attach         | why                      | nothing | |
// anything                           | status         | what there is            | all of it |
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

namespace linearb::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path kSource = LINEARB_SOURCE_DIR;
const fs::path kBuild = fs::path(LINEARB_PROGRAM).parent_path();
constexpr const char* kLoadA =
    "ip link set dev vethA_dst xdpgeneric obj build/linearb.bpf.o sec xdp";
constexpr const char* kLoadB =
    "ip link set dev vethB_dst xdpgeneric obj build/linearb.bpf.o sec xdp";
/// iproute2 has more names for this directory, which are symbolic links.
constexpr const char* kUnpinByHand = "find /sys/fs/bpf/tc/globals -type f -delete";

/// Eleven maps and the program.
constexpr std::size_t kPins = 13;
constexpr std::size_t kPinsWithMemory = kPins + 1;

const std::string kHook = LB_TEXT(LB_HOOK_FUNCTION);
const std::string kVersion = "layout version " LB_TEXT(LB_LAYOUT_VERSION);

struct Ended : test::Ended {
  std::string all() const { return output + errors; }
  Json json() const { return Json::parse(output); }
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// A command as one types it where the sources are; what is built is wherever this test was built.
std::string here(const std::string& command) {
  return fmt::format("env -C {} {}", kSource.string(),
                     replaced(command, "build/", kBuild.string() + "/"));
}

Ended run(const std::string& command) {
  return {run_to_its_end(here(command), "")};
}

void must_run(const std::string& command) {
  const Ended ended = run(command);
  ASSERT_EQ(ended.status, 0) << command << "\n" << ended.all();
}

/// Every file in the BPF file system but the two that the kernel puts there.
std::vector<std::string> pinned() {
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator("/sys/fs/bpf"))
    if (entry.is_regular_file() && entry.path().extension() != ".debug")
      paths.push_back(entry.path().string());
  std::ranges::sort(paths);
  return paths;
}

/// What is attached and pinned: to be the same before and after.
std::string everything() {
  std::string text;
  for (const hook::Attached& attached : hook::all_attached())
    text +=
        fmt::format("{} {} {}\n", attached.interface.name, attached.program.id, attached.mode());
  for (const std::string& path : pinned()) text += path + "\n";
  return text;
}

void expect_nothing_left() {
  EXPECT_EQ(everything(), "");
  EXPECT_FALSE(fs::exists(hook::kPinDirectory));
}

/// A program that lets every packet pass.
sys::Fd load_pass(const std::string& name) {
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

std::string readme() {
  std::stringstream text;
  text << std::ifstream(kSource / "README.md").rdbuf();
  return text.str();
}

/// Refused with status 1 and these words, and nothing has changed.
void expect_refused(const std::string& command, const std::vector<std::string>& words) {
  const std::string before = everything();
  const Ended ended = run(command);
  EXPECT_EQ(ended.status, 1) << command << "\n" << ended.all();
  EXPECT_EQ(ended.output, "") << command;
  EXPECT_EQ(std::ranges::count(ended.errors, '\n'), 1) << "one line: " << ended.errors;
  for (const std::string& word : words)
    EXPECT_TRUE(contains(ended.errors, word)) << command << ": " << word << "\n" << ended.errors;
  EXPECT_EQ(everything(), before) << command;
}

// ---- the classic way ----------------------------------------------------------------------------

TEST_F(ByHand, WhatTheReadmeSaysDeliversEachMessageOnceAndLeavesTheHook) {
  for (const char* command : {kLoadA, kLoadB}) {
    EXPECT_TRUE(contains(readme(), std::string("sudo ") + command)) << command;
    must_run(command);
  }
  EXPECT_TRUE(contains(readme(), "sudo build/linearb receive\n"));
  const Json before = run("build/linearb status --json").json();
  ASSERT_EQ(before.at("hooks").size(), 1u) << "the two loads share their maps: " << before;
  ASSERT_EQ(before.at("hooks").at(0).at("interfaces").size(), 2u) << before;

  Program receiver(here("build/linearb receive --json"), "");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  must_run("build/linearb feed --packets 5000 --rate 20000 --loss A=5%");
  receiver.interrupt();
  ASSERT_EQ(receiver.wait(), 0) << receiver.errors();
  for (const char* said :
       {"line A: interface vethA_dst has the hook already; it stays there at the end",
        "line B: interface vethB_dst has the hook already; it stays there at the end"})
    EXPECT_TRUE(contains(receiver.errors(), said)) << receiver.errors();
  const Json summary = Json::parse(receiver.output());
  EXPECT_EQ(summary.at("packets"), 5'000);
  EXPECT_EQ(summary.at("messages"), 5'000);
  EXPECT_EQ(summary.at("gap_messages"), 0);
  EXPECT_EQ(summary.at("balanced"), true);
  for (const Json& line : summary.at("lines")) EXPECT_EQ(line.at("mode"), "generic");

  Json after = run("build/linearb status --json").json();
  EXPECT_EQ(after.at("hooks").at(0).at("interfaces"), before.at("hooks").at(0).at("interfaces"))
      << "who did not attach the hook does not detach it";
  Running running(ReceiverOptions{});
  feed(feed_on("AB", 1, 5'000));
  EXPECT_TRUE(running.end().balanced);
  running.expect_once(1, 1, 5'000);
  EXPECT_EQ(running.wrong_bytes(), 0u);
}

/// By one command of the compiler, as the README has it.
TEST_F(ByHand, TheObjectThatTheReadmeBuildsLoads) {
  if (run("clang --version").status != 0) GTEST_SKIP() << "needs clang";
  const std::string text = readme();
  std::smatch command;
  ASSERT_TRUE(
      std::regex_search(text, command, std::regex("\nclang (.*) -o build/linearb.bpf.o\n")));
  const std::string object = ::testing::TempDir() + fmt::format("by_hand_{}.o", ::getpid());
  must_run("clang " + command[1].str() + " -o " + object);
  must_run(replaced(kLoadA, "build/linearb.bpf.o", object));
  fs::remove(object);
  must_run(kLoadB);
  const Json status = run("build/linearb status --json").json();
  ASSERT_EQ(status.at("hooks").size(), 1u) << "what was built by hand shares maps with the build's";
  EXPECT_EQ(status.at("hooks").at(0).at("layout_version"), LB_LAYOUT_VERSION);
}

/// The whole hook, as another version of linearb would have left it.
TEST_F(ByHand, AnObjectOfAnotherLayoutIsRefusedAndGoesWithAllItsPins) {
  if (run("clang --version").status != 0) GTEST_SKIP() << "needs clang";
  const fs::path other = ::testing::TempDir() + fmt::format("by_hand_{}", ::getpid());
  fs::create_directories(other / "src");
  for (const char* folder : {"core", "framing", "bpf"})
    fs::copy(kSource / "src" / folder, other / "src" / folder, fs::copy_options::recursive);
  must_run("sed -i 's/define LB_LAYOUT_VERSION .*/define LB_LAYOUT_VERSION 1/' " +
           (other / "src/core/layout.h").string());
  must_run("clang -O2 -g -target bpf -mcpu=v3 -I " + (other / "src").string() +
           " -idirafter /usr/include/x86_64-linux-gnu -c " +
           (other / "src/bpf/linearb.bpf.c").string() + " -o " + (other / "other.o").string());
  must_run(replaced(kLoadA, "build/linearb.bpf.o", (other / "other.o").string()));
  fs::remove_all(other);
  expect_refused("build/linearb receive --line A=vethA_dst",
                 {"layout version 1 (linearb_v1, id ", "linearb detach --line NAME=vethA_dst"});
  must_run("ip link set dev vethA_dst xdpgeneric off");
  EXPECT_EQ(pinned().size(), 12u);
  must_run("build/linearb detach");
  expect_nothing_left();
}

// ---- what is left behind ------------------------------------------------------------------------

struct TakenAway {
  const char* situation;
  std::vector<std::string> before;
  std::string does;
  std::vector<std::string> told;
};

void PrintTo(const TakenAway& row, std::ostream* stream) {
  *stream << row.situation;
}

const std::string kDetach = "build/linearb detach";
const std::string kLabDown = "build/linearb lab down";
const std::string kAttach = "build/linearb attach";

const TakenAway kTakenAway[] = {
    {"nothing there", {}, kDetach, {"there was nothing to remove\n"}},
    {"attached in native mode",
     {kAttach},
     kDetach,
     {"removed " + kHook + " (id ", ", native) from vethA_dst\n", ", native) from vethB_dst\n",
      "removed pin /sys/fs/bpf/linearb/", "/config\n", "/" + kHook + "\n",
      "removed directory /sys/fs/bpf/linearb\n"}},
    {"attached in generic mode",
     {kAttach + " --mode generic"},
     kDetach,
     {", generic) from vethA_dst\n", ", generic) from vethB_dst\n"}},
    {"attached with options from a file",
     {kAttach + " --config tests/e2e/by_hand.toml"},
     kDetach + " --config tests/e2e/by_hand.toml",
     {", generic) from vethC_dst\n", ", generic) from vethD_dst\n"}},
    {"loaded by hand in generic mode",
     {kLoadA, kLoadB},
     kDetach,
     {", generic) from vethA_dst\n", ", generic) from vethB_dst\n",
      "removed pin /sys/fs/bpf/tc/globals/config\n"}},
    {"loaded by hand in native mode",
     {replaced(kLoadA, "xdpgeneric", "xdpdrv"), replaced(kLoadB, "xdpgeneric", "xdpdrv")},
     kDetach,
     {", native) from vethA_dst\n", "removed pin /sys/fs/bpf/tc/globals/config\n"}},
    {"pins moved elsewhere by somebody",
     {kAttach, "mkdir -p /sys/fs/bpf/a/b",
      "sh -c 'mv /sys/fs/bpf/linearb/*/config /sys/fs/bpf/a/b'"},
     kDetach,
     {"removed pin /sys/fs/bpf/a/b/config\n"}},
    {"taken off by hand, pins and all that was forgotten",
     {kLoadA, kLoadB, "ip link set dev vethA_dst xdpgeneric off",
      "ip link set dev vethB_dst xdpgeneric off"},
     kDetach,
     {"removed pin /sys/fs/bpf/tc/globals/config\n",
      "removed pin /sys/fs/bpf/tc/globals/xsks_map\n"}},
    {"the lines are gone, the pins are not",
     {kAttach, "ip link del vethA_src", "ip link del vethB_src"},
     kDetach,
     {"removed pin /sys/fs/bpf/linearb/"}},
    {"lines of the lab, attached",
     {kAttach},
     kLabDown,
     {"removed " + kHook + " (id ", "removed pin /sys/fs/bpf/linearb/", "removed vethA_src\n",
      "removed vethD_dst\n"}},
    {"lines of the lab, loaded by hand",
     {kLoadA, kLoadB},
     kLabDown,
     {"removed " + kHook + " (id ", "removed pin /sys/fs/bpf/tc/globals/config\n",
      "removed vethA_src\n"}},
};

class Takes : public ByHand, public ::testing::WithParamInterface<TakenAway> {};

TEST_P(Takes, ProgramAndPinsAwayAndSaysSo) {
  const TakenAway& row = GetParam();
  for (const std::string& command : row.before) must_run(command);
  const Ended ended = run(row.does);
  EXPECT_EQ(ended.status, 0) << ended.all();
  for (const std::string& word : row.told)
    EXPECT_TRUE(contains(ended.output, word)) << word << "\n" << ended.all();
  expect_nothing_left();
  EXPECT_EQ(run(row.does).output, "there was nothing to remove\n");
}

INSTANTIATE_TEST_SUITE_P(Situations, Takes, ::testing::ValuesIn(kTakenAway), [](const auto& test) {
  std::string name = test.param.situation;
  std::erase_if(name, [](unsigned char c) { return !std::isalnum(c); });
  return name;
});

TEST_F(ByHand, WhatAReceiverLeftIsTakenAway) {
  const struct {
    const char* options;
    int signal;
    std::size_t pins;
  } rows[] = {{"--keep-hook", SIGINT, kPinsWithMemory}, {"", SIGKILL, kPins}};
  for (const auto& row : rows) {
    Program receiver(LINEARB_PROGRAM, std::string("receive ") + row.options);
    ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
    receiver.signal(row.signal);
    receiver.wait();
    EXPECT_EQ(pinned().size(), row.pins) << row.options;
    const Ended ended = run(kDetach);
    EXPECT_TRUE(contains(ended.output, "from vethA_dst\n")) << ended.all();
    EXPECT_TRUE(contains(ended.output, "removed pin /sys/fs/bpf/linearb/")) << ended.all();
    expect_nothing_left();
  }
}

TEST_F(ByHand, DetachInJsonNamesWhatWentAndWhatStays) {
  must_run(kAttach);
  NamedProgram foreign("somebody", "vethC_dst");
  const Json json = run(kDetach + " --json --line A=vethA_dst --line C=vethC_dst").json();
  ASSERT_EQ(json.at("programs").size(), 1u);
  EXPECT_EQ(json.at("programs").at(0).at("interface"), "vethA_dst");
  EXPECT_EQ(json.at("programs").at(0).at("mode"), "native");
  EXPECT_EQ(json.at("remaining").at(0).at("interface"), "vethB_dst");
  EXPECT_EQ(json.at("foreign").at(0).at("name"), "somebody");
  EXPECT_EQ(json.at("pins").size(), 0u);
  const Json rest = run(kDetach + " --json").json();
  EXPECT_EQ(rest.at("pins").size(), kPinsWithMemory);
  EXPECT_EQ(rest.at("directories").size(), 2u);
  must_run(kAttach);
  const Json down = run(kLabDown + " --json").json();
  EXPECT_EQ(down.at("removed").size(), 8u);
  EXPECT_EQ(down.at("programs").size(), 2u);
  EXPECT_EQ(down.at("pins").size(), kPinsWithMemory);
}

TEST_F(ByHand, PinsStayWhileTheHookIsOnAnotherLine) {
  must_run(kLoadA);
  must_run(kLoadB);
  const std::vector<std::string> before = pinned();
  const Ended one = run(kDetach + " --line A=vethA_dst");
  EXPECT_TRUE(contains(one.output, "the hook stays on vethB_dst, and so do its pins")) << one.all();
  EXPECT_EQ(pinned(), before);
  must_run(kLoadA);
  EXPECT_EQ(run("build/linearb status --json").json().at("hooks").size(), 1u)
      << "line A found the maps again";
  must_run(kDetach);
  expect_nothing_left();
}

TEST_F(ByHand, WhatIsNotLinearbsStays) {
  NamedProgram foreign("somebody", "vethA_dst");
  fs::create_directories("/sys/fs/bpf/tc/globals");
  const sys::Fd map(::bpf_map_create(BPF_MAP_TYPE_ARRAY, "counters", 4, 4, 1, nullptr));
  ASSERT_EQ(::bpf_obj_pin(map.get(), "/sys/fs/bpf/tc/globals/not_ours"), 0);
  must_run(kLoadB);
  must_run("ip link set dev vethB_dst xdpgeneric off");
  const Ended ended = run(kDetach);
  EXPECT_EQ(ended.status, 0) << ended.all();
  EXPECT_TRUE(contains(ended.output, "vethA_dst has a foreign XDP program (somebody, id "))
      << ended.all();
  EXPECT_TRUE(contains(ended.output, ", which stays\n")) << ended.all();
  EXPECT_EQ(pinned(), std::vector<std::string>{"/sys/fs/bpf/tc/globals/not_ours"});
  EXPECT_EQ(hook::all_attached().size(), 1u);
  fs::remove("/sys/fs/bpf/tc/globals/not_ours");
}

TEST_F(ByHand, AHookOfAnotherLayoutIsTakenOffToo) {
  NamedProgram other("linearb_v1", "vethA_dst");
  const Ended ended = run(kDetach);
  EXPECT_TRUE(contains(ended.output, "removed linearb_v1 (id ")) << ended.all();
  expect_nothing_left();
}

TEST_F(ByHand, DetachNamesHooksThatAreElsewhere) {
  must_run(kAttach + " --line A=vethC_dst");
  EXPECT_EQ(run(kDetach).output,
            "there was nothing to remove\n"
            "vethC_dst has a hook; linearb detach --line NAME=vethC_dst removes it\n");
}

// ---- what is refused ----------------------------------------------------------------------------

TEST_F(ByHand, WrongUsageIsRefusedWithStatusTwo) {
  const std::string path = ::testing::TempDir() + fmt::format("by_hand_{}.toml", ::getpid());
  std::ofstream(path) << "lien = \"A=vethA_dst\"\n";
  const struct {
    std::string command;
    const char* word;
  } rows[] = {
      {"attach --mode natve", "did you mean \"native\"?"},
      {"attach --lien A=x", "did you mean \"--line\"?"},
      {"detach --mode native", "there is no option \"--mode\""},
      {"status --frames 64", "there is no option \"--frames\""},
      {"status --line vethA_dst", "--line"},
      {"attach --line A=vethA_dst --line A=vethB_dst", "given twice"},
      {"detach --config nowhere.toml", "nowhere.toml"},
      {"detach --config " + path, "did you mean \"line\"?"},
  };
  for (const auto& row : rows) {
    const Ended ended = run("build/linearb " + row.command);
    EXPECT_EQ(ended.status, 2) << row.command;
    EXPECT_EQ(ended.output, "") << row.command;
    EXPECT_TRUE(contains(ended.errors, row.word)) << row.command << "\n" << ended.errors;
  }
  fs::remove(path);
  expect_nothing_left();
}

TEST_F(ByHand, LinesThatShareNoMapsAreRefused) {
  must_run(kLoadA);
  must_run(kUnpinByHand);
  must_run(kLoadB);
  for (const char* command : {"build/linearb receive", "build/linearb attach"})
    expect_refused(command, {"the hook on vethB_dst shares no maps with the one on vethA_dst",
                             "linearb detach --line NAME=vethB_dst"});
  must_run("build/linearb detach --line NAME=vethB_dst");
  must_run(kAttach + " --mode generic");
  EXPECT_EQ(run("build/linearb status --json").json().at("hooks").size(), 1u)
      << "it was enough to do as one was told";
}

/// A receiver that comes back to an interface finds somebody else's load there.
TEST_F(ByHand, AHookThatCameInPlaceOfOursIsRefused) {
  hook::Hook hook({{"vethA_dst", sys::interface_index("vethA_dst")},
                   {"vethB_dst", sys::interface_index("vethB_dst")}},
                  {});
  hook.attach(Mode::generic);
  const std::string on[] = {"the other lines", "vethA_dst"};
  for (const std::size_t i : {0u, 1u}) {
    const std::string name = i == 0 ? "vethA_dst" : "vethB_dst";
    must_run("ip link set dev " + name + " xdpgeneric off");
    must_run(i == 0 ? kLoadA : kLoadB);
    const std::string error =
        error_text([&] { hook.attach_again(i, sys::interface_index(name), Mode::generic); });
    EXPECT_TRUE(contains(error, "the hook on " + name + " shares no maps with the one on " + on[i]))
        << error;
  }
}

TEST_F(ByHand, AHookOfAnotherLayoutIsRefused) {
  NamedProgram other("linearb_v1", "vethB_dst");
  for (const char* command : {"build/linearb receive", "build/linearb attach"})
    expect_refused(command, {"vethB_dst has a hook of layout version 1 (linearb_v1, id ",
                             fmt::format("this linearb has version {}", LB_LAYOUT_VERSION),
                             "linearb detach --line NAME=vethB_dst"});
}

TEST_F(ByHand, AForeignProgramIsNeverReplaced) {
  NamedProgram foreign("somebody", "vethB_dst");
  for (const char* command : {"build/linearb receive", "build/linearb attach"})
    expect_refused(command, {"vethB_dst has a foreign XDP program (somebody, id ",
                             "ip link set dev vethB_dst xdpgeneric off"});
}

TEST_F(ByHand, TheOtherModeIsRefused) {
  must_run(kAttach);
  expect_refused(kAttach + " --mode generic", {"vethA_dst has the hook in native mode and keeps it",
                                               "linearb detach --line NAME=vethA_dst"});
}

TEST_F(ByHand, WhenOneLineRefusesNoneIsAttached) {
  expect_refused(kAttach + " --mode native --line A=vethA_dst --line B=lo",
                 {"attach the hook to lo in native mode"});
  expect_nothing_left();
  expect_refused(kAttach + " --line A=vethA_dst --line B=nothere", {"nothere"});
  expect_refused(kDetach + " --line A=nothere", {"nothere"});
  expect_refused("build/linearb status --line A=nothere", {"nothere"});
}

TEST_F(ByHand, TheHookOfALivingReceiverIsItsOwn) {
  Program receiver(LINEARB_PROGRAM, "receive");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  const std::string pid = fmt::format("(pid {})", receiver.pid());
  expect_refused("build/linearb receive",
                 {"another receiver " + pid + " owns the hook on these lines; stop it first"});
  expect_refused(kDetach, {"a receiver " + pid + " owns the hook on vethA_dst; stop it first"});
  const Json status = run("build/linearb status --json").json();
  EXPECT_EQ(status.at("hooks").at(0).at("receiver").at("pid"), receiver.pid());
  EXPECT_EQ(status.at("hooks").at(0).at("receiver").at("command"), "linearb");
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
  expect_nothing_left();
}

TEST_F(ByHand, AReceiverOnTheLabDoesNotKeepTheLabUp) {
  Program receiver(LINEARB_PROGRAM, "receive");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  const Ended down = run(kLabDown);
  EXPECT_EQ(down.status, 0) << down.all();
  EXPECT_TRUE(contains(down.output, "removed vethA_dst\n")) << down.all();
  expect_nothing_left();
  receiver.interrupt();
  receiver.wait();
  expect_nothing_left();
}

/// Its interfaces may come back.
TEST_F(ByHand, PinsOfALivingReceiverAreNotStale) {
  Program receiver(LINEARB_PROGRAM, "receive");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  must_run("ip link del vethA_src");
  must_run("ip link del vethB_src");
  ASSERT_TRUE(wait_until([&] {
    return contains(receiver.errors(), "line A: interface vethA_dst is gone") &&
           contains(receiver.errors(), "line B: interface vethB_dst is gone");
  }));
  const std::vector<std::string> before = pinned();
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(run(kDetach + " --line C=vethC_dst").output, "there was nothing to remove\n");
  EXPECT_EQ(pinned(), before);
  must_run(kAttach + " --line C=vethC_dst");
  EXPECT_TRUE(std::ranges::includes(pinned(), before)) << "nor does another load remove them";
}

/// Each look leaves a connection in the queue of the owner's socket.
TEST_F(ByHand, AnOwnerIsKnownAlsoWhenTooManyHaveAsked) {
  hook::Hook loaded({{"vethA_dst", sys::interface_index("vethA_dst")}}, {});
  const std::uint32_t id = loaded.maps().identity();
  EXPECT_FALSE(hook::owner_of(id)) << "nobody owns it yet";
  const hook::Ownership ownership(loaded.maps());
  EXPECT_EQ(hook::owner_of(id).value().pid, ::getpid());
  EXPECT_EQ(error_text([&] { hook::Ownership another(loaded.maps()); }),
            fmt::format("another receiver (pid {}) owns the hook on these lines; stop it first",
                        ::getpid()));
  int asked = 0;
  while (hook::owner_of(id).value().pid != 0 && asked <= hook::kVisitorsMax) ++asked;
  EXPECT_LE(asked, hook::kVisitorsMax) << "the queue never was full";
  EXPECT_EQ(error_text([&] { hook::Ownership another(loaded.maps()); }),
            "another receiver owns the hook on these lines; stop it first");
  ownership.dismiss_visitors();
  EXPECT_EQ(hook::owner_of(id).value().pid, ::getpid());
}

TEST_F(ByHand, WhatCannotBePinnedIsNotAttached) {
  must_run("mount -o remount,bind,ro /sys/fs/bpf");
  expect_refused(kAttach, {"make /sys/fs/bpf/linearb: Read-only file system; it needs root"});
  must_run("mount -o remount,bind,rw /sys/fs/bpf");
  expect_nothing_left();
  // Somebody's file where the directory of the hook is to be.
  const sys::Fd map(::bpf_map_create(BPF_MAP_TYPE_ARRAY, "other", 4, 4, 1, nullptr));
  ASSERT_EQ(::bpf_obj_pin(map.get(), hook::kPinDirectory), 0);
  expect_refused(kAttach, {"make /sys/fs/bpf/linearb/", ": Not a directory; it needs root"});
  fs::remove(hook::kPinDirectory);
  expect_nothing_left();
}

TEST_F(ByHand, WhatCannotBeRemovedIsNamed) {
  must_run(kAttach);
  must_run("mount -o remount,bind,ro /sys/fs/bpf");
  const Ended ended = run(kDetach);
  EXPECT_EQ(ended.status, 1);
  EXPECT_TRUE(
      std::regex_search(ended.errors, std::regex("remove the pin /sys/fs/bpf/linearb/\\d+/"
                                                 "config: Read-only file system; it needs")))
      << ended.all();
  must_run("mount -o remount,bind,rw /sys/fs/bpf");
  must_run(kDetach);
  expect_nothing_left();
}

TEST_F(ByHand, AHookThatABpfLinkHoldsIsNamed) {
  const sys::Fd program = load_pass("linearb_v1");
  const sys::Fd link(::bpf_link_create(
      program.get(), static_cast<int>(sys::interface_index("vethA_dst")), BPF_XDP, nullptr));
  ASSERT_TRUE(link) << std::strerror(errno);
  expect_refused(kDetach, {"take linearb_v1 (id ",
                           "off vethA_dst: Device or resource busy; a process "
                           "holds it there by a BPF link"});
}

TEST_F(ByHand, WithoutTheRightItSaysWhichOneIsMissing) {
  NamedProgram foreign("somebody", "vethA_dst");
  const WithoutCapability without(CAP_SYS_ADMIN);
  EXPECT_TRUE(std::regex_match(
      error_text([] { hook::all_attached(); }),
      std::regex("open the XDP program \\d+ on vethA_dst: Operation not permitted; this needs "
                 "CAP_SYS_ADMIN: run as root")));
}

// ---- attach, and where it pins ------------------------------------------------------------------

TEST_F(ByHand, AttachSaysWhatItDidAndWhatWasThere) {
  const Ended first = run(kAttach + " --line A=vethA_dst");
  EXPECT_TRUE(std::regex_search(first.output, std::regex("^vethA_dst has now " + kHook +
                                                         " \\(id \\d+\\) in native mode, "
                                                         "pinned in /sys/fs/bpf/linearb/\\d+\n$")))
      << first.all();
  const Json json = run(kAttach + " --json").json();
  const Json& both = json.at("interfaces");
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both.at(0).at("was_there"), true);
  EXPECT_EQ(both.at(1).at("was_there"), false);
  EXPECT_EQ(both.at(0).at("id"), both.at(1).at("id"));
  EXPECT_EQ(both.at(1).at("mode"), "native");
  EXPECT_EQ(both.at(1).at("name"), kHook);
  EXPECT_EQ(json.at("pinned_in"),
            Json::array({fmt::format("/sys/fs/bpf/linearb/{}", json.at("hook").get<int>())}));
  const Ended again = run(kAttach);
  EXPECT_TRUE(contains(again.output, "vethA_dst has already " + kHook)) << again.all();
  EXPECT_TRUE(contains(again.output, "vethB_dst has already " + kHook)) << again.all();
}

/// As README says, three rights are enough to load and to attach; also beside stale pins.
TEST_F(ByHand, AttachNeedsNoMoreRightsThanItSays) {
  must_run(kAttach);
  must_run("ip link set dev vethA_dst xdpdrv off");
  must_run("ip link set dev vethB_dst xdpdrv off");
  const std::string three = "-all,+net_admin,+bpf,+perfmon";
  must_run("setpriv --inh-caps=" + three + " --bounding-set=" + three + " " + kAttach);
  EXPECT_EQ(pinned().size(), kPinsWithMemory);
  EXPECT_EQ(hook::all_attached().size(), 2u);
}

TEST_F(ByHand, AHookIsSizedForTheChannelsOfTheFile) {
  constexpr int kMany = LB_CHANNELS_DEFAULT + 6;
  const std::string path = ::testing::TempDir() + fmt::format("by_hand_{}.toml", ::getpid());
  std::ofstream file(path);
  file << "channel = [";
  for (int i = 0; i < kMany; ++i) file << fmt::format("\"c{}=optiq@any:{}\",", i, 30'001 + i);
  file << "]\n";
  file.close();
  must_run(kAttach);
  expect_refused(kAttach + " --config " + path,
                 {"room for 64 channels", "linearb detach --line NAME=vethA_dst"});
  must_run(kDetach);
  must_run(kAttach + " --config " + path);
  const hook::Hook adopted({{"vethA_dst", sys::interface_index("vethA_dst")}}, {});
  EXPECT_EQ(adopted.maps().windows().size(), std::size_t{kMany});
  fs::remove(path);
}

TEST_F(ByHand, TwoHooksOnOneHostHaveTheirOwnPins) {
  must_run(kAttach);
  const std::vector<std::string> first = pinned();
  EXPECT_EQ(first.size(), kPinsWithMemory);
  {
    Program receiver(LINEARB_PROGRAM, "receive --line C=vethC_dst --line D=vethD_dst");
    ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
    EXPECT_EQ(pinned().size(), kPinsWithMemory + kPins);
    EXPECT_EQ(run("build/linearb status --json").json().at("hooks").size(), 2u);
    receiver.interrupt();
    EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
  }
  EXPECT_EQ(pinned(), first);
}

TEST_F(ByHand, ALoadNeitherReusesNorLeavesItsOwnStalePins) {
  must_run(kAttach);
  must_run("ip link set dev vethA_dst xdpdrv off");
  must_run("ip link set dev vethB_dst xdpdrv off");
  const std::vector<std::string> stale = pinned();
  EXPECT_EQ(stale.size(), kPinsWithMemory);
  must_run(kAttach);
  const std::vector<std::string> fresh = pinned();
  EXPECT_EQ(fresh.size(), kPinsWithMemory);
  EXPECT_NE(fresh, stale);
}

/// Each line's program was loaded by itself, and each may be the one that the next receiver finds.
TEST_F(ByHand, AKeptHookThatWasLoadedByHandHasItsMemoryOnEachLine) {
  must_run(kLoadA);
  must_run(kLoadB);
  {
    Program receiver(LINEARB_PROGRAM, "receive --keep-hook");
    ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
    receiver.interrupt();
    EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
  }
  std::vector<std::uint32_t> memories;
  for (const hook::Attached& attached : hook::all_attached())
    for (const hook::MapInfo& map : attached.maps)
      if (map.name == hook::kMemories) memories.push_back(map.id);
  ASSERT_EQ(memories.size(), 2u);
  EXPECT_EQ(memories[0], memories[1]);
  EXPECT_EQ(pinned().size(), kPins - 1) << "the programs keep it";
}

// ---- status -------------------------------------------------------------------------------------

TEST_F(ByHand, StatusShowsWhatThereIs) {
  EXPECT_EQ(run("build/linearb status").output,
            "there is no hook; linearb attach, or linearb receive, attaches one\n");
  NamedProgram foreign("somebody", "vethC_dst");
  EXPECT_TRUE(contains(run("build/linearb status").output, "there is no hook"))
      << "without --line it is about hooks";
  must_run(kLoadA);
  must_run(kLoadB);
  const Ended all = run("build/linearb status");
  EXPECT_TRUE(contains(all.output, kVersion + ": nobody receives\n")) << all.all();
  EXPECT_TRUE(contains(all.output, "on vethA_dst in generic mode, " + kHook + " (id "));
  EXPECT_TRUE(contains(all.output, "), /sys/fs/bpf/tc/globals/config\n"));
  EXPECT_FALSE(contains(all.output, "somebody"));
  const Ended some = run("build/linearb status --line C=vethC_dst --line D=vethD_dst");
  EXPECT_TRUE(contains(some.output, "vethC_dst has a foreign XDP program (somebody, id "));
  EXPECT_TRUE(contains(some.output, "vethD_dst has no XDP program\n")) << some.all();
  EXPECT_FALSE(contains(some.output, "vethA_dst"));
}

TEST_F(ByHand, StatusInJsonHasTheSameNames) {
  must_run(kAttach);
  NamedProgram foreign("somebody", "vethC_dst");
  const Json json =
      run("build/linearb status --json --line A=vethA_dst --line C=vethC_dst --line D=vethD_dst")
          .json();
  const Json& hook = json.at("hooks").at(0);
  EXPECT_EQ(hook.at("layout_version"), LB_LAYOUT_VERSION);
  EXPECT_TRUE(hook.at("receiver").is_null());
  EXPECT_EQ(hook.at("interfaces").size(), 2u) << "all of the hook, line B too";
  EXPECT_EQ(hook.at("interfaces").at(0).at("mode"), "native");
  EXPECT_EQ(hook.at("programs").at(0).at("name"), kHook);
  EXPECT_EQ(hook.at("programs").at(0).at("pins").size(), 1u);
  EXPECT_EQ(hook.at("maps").size(), 13u);
  for (const Json& map : hook.at("maps")) EXPECT_EQ(map.at("pins").size(), 1u) << map;
  EXPECT_EQ(hook.at("lines").size(), 0u) << "no receiver has named any yet";
  EXPECT_EQ(json.at("foreign").at(0).at("name"), "somebody");
  EXPECT_EQ(json.at("empty"), Json::array({"vethD_dst"}));
  EXPECT_EQ(json.at("stale_pins").size(), 0u);
}

TEST_F(ByHand, StatusCountsByLineWhileAReceiverRuns) {
  Program receiver(LINEARB_PROGRAM, "receive --line left=vethA_dst --line right=vethB_dst");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  must_run("build/linearb feed --packets 4000 --rate 10000");
  const Json lines = run("build/linearb status --json").json().at("hooks").at(0).at("lines");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines.at(0).at("name"), "left");
  EXPECT_EQ(lines.at(1).at("name"), "right");
  for (const Json& line : lines) {
    EXPECT_EQ(line.at("packets"), 4'000);
    int ways_out = 0;
    for (const char* way :
         {"duplicate", "claimed", "passed_up", "no_credit", "not_feed", "malformed", "no_receiver"})
      ways_out += line.at(way).get<int>();
    EXPECT_EQ(ways_out, 4'000);
  }
  const Ended text = run("build/linearb status");
  EXPECT_TRUE(contains(text.output, fmt::format("linearb (pid {}) receives", receiver.pid())))
      << text.all();
  EXPECT_TRUE(std::regex_search(text.output, std::regex("packets +4,000 +4,000"))) << text.all();
}

TEST_F(ByHand, StatusOfAnotherLayoutHasNoCounters) {
  NamedProgram other("linearb_v1", "vethA_dst");
  const Ended text = run("build/linearb status");
  EXPECT_TRUE(contains(text.output, "layout version 1: nobody receives\n")) << text.all();
  EXPECT_TRUE(contains(text.output, "no counters: this linearb reads " + kVersion + "\n"));
  EXPECT_TRUE(run("build/linearb status --json").json().at("hooks").at(0).at("lines").is_null());
}

TEST_F(ByHand, StatusShowsStalePins) {
  must_run(kAttach);
  must_run("ip link set dev vethA_dst xdpdrv off");
  must_run("ip link set dev vethB_dst xdpdrv off");
  const Ended text = run("build/linearb status");
  EXPECT_TRUE(contains(text.output, "which is attached to nothing; linearb detach removes them\n"))
      << text.all();
  EXPECT_TRUE(contains(text.output, "/xsks_map\n"));
  const Json stale = run("build/linearb status --json").json().at("stale_pins");
  ASSERT_EQ(stale.size(), 1u);
  EXPECT_EQ(stale.at(0).at("pins").size(), kPinsWithMemory);
}

}  // namespace
}  // namespace linearb::test
