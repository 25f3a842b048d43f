// SPDX-License-Identifier: Apache-2.0
//
// The hook attached by linearb, and when that is refused.
//
// clang-format off
// | situation                | does            | is told               | is left   |
// |--------------------------|-----------------|-----------------------|-----------|
// | a receiver runs          | detach          | its pid               | all of it |
// | a receiver runs          | receive         | its pid               | all of it |
// | a receiver runs          | lab down        | each thing that went  | nothing   |
// | lines that share no maps | attach, receive | linearb detach        | all of it |
// | a hook of another layout | attach, receive | both versions, its id | all of it |
// | line B refuses           | attach          | why                   | nothing   |
// clang-format on
#include "e2e/by_hand.h"

namespace linearb::test::by_hand {
namespace {

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

/// Both have found nothing and loaded a hook of their own.
TEST_F(ByHand, OfTwoThatBeginAtOnceOneGetsAllLines) {
  const hook::Interface a{"vethA_dst", sys::interface_index("vethA_dst")};
  const hook::Interface b{"vethB_dst", sys::interface_index("vethB_dst")};
  hook::Hook first({a, b}, {});
  const hook::Ownership ownership(first.maps());
  {
    hook::Hook second({b, a}, {});
    first.attach(Mode::automatic);
    EXPECT_EQ(error_text([&] { second.attach(Mode::automatic); }),
              fmt::format("another receiver (pid {}) has begun on vethA_dst in the same moment; "
                          "stop it first",
                          ::getpid()));
    EXPECT_FALSE(second.was_attached_here(0)) << "whose first line is the other's second";
  }
  const std::uint32_t id = first.maps().identity();
  for (const hook::Interface& interface : {a, b})
    EXPECT_EQ(hook::attached_to(interface).value().hook_id(), id) << interface.name;
}

/// What does not need them does not make room for them: they are larger than all else.
TEST_F(ByHand, AHookWithoutRoomForIdentifiersIsRefusedWhereTheyAreNeeded) {
  const std::vector<hook::Interface> a{{"vethA_dst", sys::interface_index("vethA_dst")}};
  {
    hook::Hook small(a, {});
    small.attach(Mode::automatic);
    EXPECT_LT(small.maps().identifiers(), 1000u);
    EXPECT_EQ(
        error_text([&] { hook::Hook(a, {.identifiers = LB_SEEN_SESSIONS}); }),
        fmt::format("the attached hook has room for {} identifiers, and --dedup lru remembers "
                    "{}; detach it on every line (linearb detach --line NAME=vethA_dst), so "
                    "that it is loaded with more",
                    small.maps().identifiers(), int{LB_SEEN_SESSIONS}));
  }
  hook::Hook large(a, {.identifiers = LB_SEEN_SESSIONS});
  large.attach(Mode::automatic);
  EXPECT_EQ(hook::Hook(a, {.identifiers = LB_SEEN_SESSIONS}).maps().identifiers(),
            large.maps().identifiers());
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

}  // namespace
}  // namespace linearb::test::by_hand
