// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>

#include "xsk/frame.h"

namespace linearb::xsk {

/// The frames of one socket that are in nobody's use: a stack, so that the frame that was touched
/// last is taken first. It has room for every frame that the socket may ever get and never
/// allocates after its construction. One thread.
class FramePool {
 public:
  /// Holds the whole span, and has room for that, or for more.
  explicit FramePool(const FrameSpan& span) : FramePool(span, span.frames) {}
  FramePool(const FrameSpan& span, std::uint32_t capacity)
      : frames_(std::make_unique<std::uint64_t[]>(capacity)), capacity_(capacity) {
    for (std::uint32_t index = span.frames; index > 0; --index) give(span.frame(index - 1));
  }

  std::uint32_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /// Of a pool that is not empty.
  std::uint64_t take() noexcept {
    assert(size_ > 0);
    return frames_[--size_];
  }
  void give(std::uint64_t frame) noexcept {
    assert(size_ < capacity_);
    frames_[size_++] = frame;
  }

 private:
  std::unique_ptr<std::uint64_t[]> frames_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_;
};

}  // namespace linearb::xsk
