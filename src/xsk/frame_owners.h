// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "xsk/frame.h"

namespace linearb::xsk {

/// Who owns a frame, as far as user space can tell: the kernel does not say when it takes a frame
/// out of a ring, so a ring and what the kernel does with its frames are one owner.
enum class FrameOwner : std::uint8_t {
  kUser,       ///< in the pool, in a batch, or held by the sequencer
  kReceiving,  ///< fill ring, kernel, RX ring
  kSending,    ///< TX ring, kernel, completion ring
};
constexpr std::size_t kFrameOwners = 3;

/// Ends the process with a word about the frame. There is no way on: the frame would be written by
/// two sides at once, and a payload delivered that nobody sent.
[[noreturn]] void stop_on_wrong_owner(std::uint64_t frame, FrameOwner found, FrameOwner expected);
[[noreturn]] void stop_on_foreign_frame(std::uint64_t frame, const FrameSpan& span);

/// The owner of each frame of a span. Of any thread that has the frame.
class FrameTable {
 public:
  /// All begin with the user.
  explicit FrameTable(const FrameSpan& span)
      : span_(span), owners_(std::make_unique<std::atomic<FrameOwner>[]>(span.frames)) {}

  void move(std::uint64_t frame, FrameOwner from, FrameOwner to) noexcept {
    if (!span_.contains(frame)) stop_on_foreign_frame(frame, span_);
    std::atomic<FrameOwner>& owner = owners_[span_.index(frame)];
    const FrameOwner found = owner.load(std::memory_order_relaxed);
    if (found != from) stop_on_wrong_owner(frame, found, from);
    owner.store(to, std::memory_order_relaxed);
  }

 private:
  FrameSpan span_;
  std::unique_ptr<std::atomic<FrameOwner>[]> owners_;
};

/// Invariant I5 for the frames of one socket: each has one owner at every moment.
///
/// The numbers for each owner are kept in every build, one addition for each batch, so that
/// conserved() can be asked at the end of every run. With `kChecked` there is also a table of
/// frames, and a frame that moves from the wrong owner ends the process; it costs a load and a
/// store for each move and is on in debug builds. One thread, the one that owns the socket.
template <bool kChecked>
class BasicFrameOwners {
  struct Nothing {};

 public:
  using Table = std::conditional_t<kChecked, std::shared_ptr<FrameTable>, Nothing>;

  static Table make_table([[maybe_unused]] const FrameSpan& span) {
    if constexpr (kChecked)
      return std::make_shared<FrameTable>(span);
    else
      return {};
  }

  /// All frames of the span begin with the user.
  explicit BasicFrameOwners(const FrameSpan& span) : BasicFrameOwners(span, make_table(span)) {}
  /// The same, of a socket that has its frames together with others: it begins with those of the
  /// span, and as many as that are its own later, but which they are changes.
  BasicFrameOwners(const FrameSpan& span, Table table)
      : span_(span), counts_{span.frames, 0, 0}, table_(std::move(table)) {}

  const FrameSpan& span() const noexcept { return span_; }
  std::uint64_t count(FrameOwner owner) const noexcept { return counts_[place(owner)]; }

  /// Of each frame, before it moves.
  void check(std::uint64_t frame, FrameOwner from, FrameOwner to) noexcept {
    if constexpr (kChecked) table_->move(frame, from, to);
  }
  /// Of each batch, when it moves.
  void moved(std::uint32_t frames, FrameOwner from, FrameOwner to) noexcept {
    counts_[place(from)] -= frames;
    counts_[place(to)] += frames;
  }

  /// True when the frames that the caller holds (FramePool::size and what it keeps elsewhere) are
  /// what the rings have given it, and no ring gave more than it got.
  bool conserved(std::uint64_t held_by_user) const noexcept {
    return count(FrameOwner::kUser) == held_by_user &&
           count(FrameOwner::kReceiving) <= span_.frames &&
           count(FrameOwner::kSending) <= span_.frames;
  }

 private:
  static constexpr std::size_t place(FrameOwner owner) noexcept {
    return static_cast<std::size_t>(owner);
  }

  FrameSpan span_;
  std::array<std::uint64_t, kFrameOwners> counts_;
  [[no_unique_address]] Table table_;
};

#ifdef NDEBUG
constexpr bool kOwnersChecked = false;
#else
constexpr bool kOwnersChecked = true;
#endif
using FrameOwners = BasicFrameOwners<kOwnersChecked>;

}  // namespace linearb::xsk
