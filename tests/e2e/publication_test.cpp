// SPDX-License-Identifier: Apache-2.0
//
// What is published to the hook, and in which order: a change of epoch must never let it meet a bit
// or a mark of another life. The maps are real; nobody but the test moves them.
#include "receiver/publication.h"

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/framing_file.h"
#include "hook/hook.h"
#include "support/namespace.h"
#include "support/program.h"
#include "sys/interface.h"

namespace linearb::receiver {
namespace {

using test::LabTest;
using test::wait_until;

constexpr std::uint64_t kFirstSession = 5;
constexpr std::uint64_t kNextSession = 6;

struct Nobody final : sequencer::Decisions {
  void decided(const sequencer::Packet&, const sequencer::Decision&) noexcept override {}
};

class PublicationTest : public LabTest {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    std::vector<hook::Interface> interfaces;
    for (const char line : {'A', 'B'})
      interfaces.push_back(
          {lab::destination_name(line), sys::interface_index(lab::destination_name(line))});
    hook_ = std::make_unique<hook::Hook>(interfaces, hook::Capacity{1, 2});
    publication_ = std::make_unique<Publication>(maps(), 1, 2);
  }
  /// LabTest takes the interfaces away.
  void TearDown() override {
    publication_.reset();
    hook_.reset();
    LabTest::TearDown();
  }

  const hook::Maps& maps() const { return hook_->maps(); }
  lb_mark& mark(std::uint32_t line) const { return maps().mark(0, line); }
  lb_channel& window() const { return maps().windows()[0]; }

  /// As a packet that the hook passed up.
  void push(std::uint8_t line, std::uint64_t number, std::uint64_t session = kFirstSession) {
    sequencer::Packet packet;
    packet.line = line;
    packet.kind = LB_KIND_DATA;
    packet.datagram = {number, session, 1, 1};
    packet.arrival_ns = 1'000'000'000;
    sequencer_.push(packet);
  }
  void follow(std::uint32_t line) { publication_->follow(0, line, sequencer_.channel(0)); }
  /// Whatever comes on the line now, until something is published to it.
  bool is_published(std::uint32_t line) {
    return wait_until([&] {
      follow(line);
      return mark(line).published != 0;
    });
  }

  /// What an earlier life has left.
  void claim_everything(std::uint32_t generation) const {
    for (std::uint64_t& word : window().words)
      word = std::uint64_t{lb_window_tag(generation, 0, LB_WINDOW_ORDER)} << 32 | 0xffff'ffff;
    std::ranges::fill(window().stamps, 1);
  }
  bool is_clear() const {
    const auto is_zero = [](std::uint64_t word) { return word == 0; };
    return std::ranges::all_of(window().words, is_zero) &&
           std::ranges::all_of(window().stamps, is_zero);
  }

  const config::Framing framing_ = config::builtin_framing("optiq");
  const std::vector<const lb_framing*> framings_{&framing_.descriptor};
  Nobody nobody_;
  sequencer::Sequencer sequencer_{framings_, sequencer::Settings{},
                                  sequencer::Sequencer::Dedup::window, nobody_};
  std::unique_ptr<hook::Hook> hook_;
  std::unique_ptr<Publication> publication_;
};

TEST_F(PublicationTest, AnEpochIsPublishedWhenItsWindowIsClear) {
  claim_everything(1);
  push(0, 100);
  ASSERT_TRUE(is_published(0));
  EXPECT_TRUE(is_clear());
  EXPECT_EQ(publication_->generation(0), 1u);
  EXPECT_EQ(mark(0).published, lb_mark_word(1, kFirstSession));
  EXPECT_EQ(mark(0).shown, lb_mark_word(1, 101));
  EXPECT_EQ(mark(1).published, 0u) << "line B has shown nothing yet";
}

TEST_F(PublicationTest, TheNextEpochHasAGenerationOfItsOwnAndALineGetsItWhenItIsThere) {
  for (std::uint8_t line = 0; line < 2; ++line) {
    push(line, 100);
    ASSERT_TRUE(is_published(line));
  }
  claim_everything(1);
  push(0, 1, kNextSession);
  push(0, 2, kNextSession);
  ASSERT_EQ(sequencer_.channel(0).newest_epoch(), 2u);
  follow(0);
  EXPECT_EQ(mark(0).published, 0u) << "first nothing is, on no line";
  EXPECT_EQ(mark(1).published, 0u);
  ASSERT_TRUE(is_published(0));
  EXPECT_TRUE(is_clear());
  EXPECT_EQ(mark(0).published, lb_mark_word(2, kNextSession));
  EXPECT_EQ(mark(0).shown, lb_mark_word(2, 3));
  push(1, 101);
  follow(1);
  EXPECT_EQ(mark(1).published, 0u) << "line B is still in the epoch before";
  push(1, 1, kNextSession);
  ASSERT_TRUE(is_published(1));
  EXPECT_EQ(mark(1).published, lb_mark_word(2, kNextSession));
}

/// The generation is what it was before, and the window is not: nobody has cleared it since.
TEST_F(PublicationTest, WhenTheGenerationComesRoundTheWindowIsClearedAllTheSame) {
  push(0, 100);
  ASSERT_TRUE(is_published(0));
  claim_everything(1);
  for (std::uint64_t session = kNextSession; session < kNextSession + LB_GENERATION_MAX;
       ++session) {
    push(0, 1, session);
    push(0, 2, session);
    follow(0);
  }
  ASSERT_EQ(sequencer_.channel(0).newest_epoch(), 1u + LB_GENERATION_MAX);
  ASSERT_EQ(publication_->generation(0), 1u);
  EXPECT_TRUE(mark(0).published == 0 || is_clear()) << "published over another life's bits";
  ASSERT_TRUE(is_published(0));
  EXPECT_TRUE(is_clear());
}

TEST_F(PublicationTest, WhatTheHookSawOfALineIsNotForgottenWithItsEpoch) {
  push(0, 100);
  ASSERT_TRUE(is_published(0));
  mark(0).shown = lb_mark_word(1, 900);  // what it dropped did not come up here
  push(1, 1, kNextSession);
  push(1, 2, kNextSession);
  follow(1);
  EXPECT_EQ(sequencer_.channel(0).line_end(0), 900u);
}

TEST_F(PublicationTest, AMarkFollowsALineThatJumpedAheadAndNeverGoesBack) {
  push(0, 100);
  ASSERT_TRUE(is_published(0));
  push(0, 500);
  follow(0);
  EXPECT_EQ(mark(0).shown, lb_mark_word(1, 501));
  mark(0).shown = lb_mark_word(1, 900);
  push(0, 501);
  follow(0);
  EXPECT_EQ(mark(0).shown, lb_mark_word(1, 900)) << "the hook is ahead of what came up";
}

TEST_F(PublicationTest, OfAChannelThatIsGoneNothingIsPublishedAndTheNextInItsPlaceBeginsAnew) {
  push(0, 100);
  ASSERT_TRUE(is_published(0));
  claim_everything(1);
  const auto removed = sequencer_.remove(0);
  publication_->forget(0);
  EXPECT_EQ(mark(0).published, 0u);
  sequencer_.install(0, sequencer_.make_channel(1, framing_.descriptor));
  push(0, 7);
  ASSERT_TRUE(is_published(0));
  EXPECT_TRUE(is_clear()) << "what the other channel claimed";
  EXPECT_EQ(mark(0).published, lb_mark_word(2, kFirstSession));
  EXPECT_EQ(mark(0).shown, lb_mark_word(2, 8));
}

/// Where the next write into the page of some memory goes. The page is write-protected until then.
class FirstWrite {
 public:
  explicit FirstWrite(void* memory) {
    const auto size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    page_ = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(memory) / size * size);
    page_bytes_ = size;
    address_ = nullptr;
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    EXPECT_EQ(::sigaction(SIGSEGV, &action, &before_), 0);
    EXPECT_EQ(::mprotect(page_, page_bytes_, PROT_READ), 0);
  }
  ~FirstWrite() {
    ::mprotect(page_, page_bytes_, PROT_READ | PROT_WRITE);
    ::sigaction(SIGSEGV, &before_, nullptr);
  }
  FirstWrite(const FirstWrite&) = delete;
  FirstWrite& operator=(const FirstWrite&) = delete;

  const void* address() const { return address_; }

 private:
  static void on_fault(int, siginfo_t* fault, void*) {
    if (address_ || ::mprotect(page_, page_bytes_, PROT_READ | PROT_WRITE) != 0) ::_exit(1);
    address_ = fault->si_addr;
  }

  static inline void* page_ = nullptr;
  static inline std::size_t page_bytes_ = 0;
  static inline void* volatile address_ = nullptr;
  struct sigaction before_ {};
};

/// Who sees that something is published has to find the mark of the same generation.
TEST_F(PublicationTest, TheMarkIsThereBeforeWhatIsPublished) {
  push(0, 100);
  ASSERT_TRUE(is_published(0));
  mark(0) = {};  // it is published again then
  const FirstWrite first(&mark(0));
  follow(0);
  EXPECT_EQ(first.address(), &mark(0).shown);
  EXPECT_EQ(mark(0).shown, lb_mark_word(1, 101));
  EXPECT_EQ(mark(0).published, lb_mark_word(1, kFirstSession));
}

/// From here on a thread of this process that asks for membarrier(2) ends the process.
void die_of_membarrier() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0)
    ::_exit(1);
}

using PublicationDeathTest = PublicationTest;

/// A hook that has read what was published may still act on it: the window is not cleared, and
/// nothing is published again, before somebody has waited for it.
TEST_F(PublicationDeathTest, BeforeAnEpochIsPublishedAGracePeriodIsWaitedFor) {
  publication_.reset();  // a child of this process has no thread but its own
  EXPECT_EXIT(
      {
        publication_ = std::make_unique<Publication>(maps(), 1, 2);
        die_of_membarrier();
        push(0, 100);
        is_published(0);
        ::_exit(0);
      },
      ::testing::KilledBySignal(SIGSYS), "");
}

}  // namespace
}  // namespace linearb::receiver
