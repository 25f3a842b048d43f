// SPDX-License-Identifier: Apache-2.0
#include "xsk/frame_owners.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace linearb::xsk {

namespace {

const char* name(FrameOwner owner) {
  switch (owner) {
    case FrameOwner::kUser:
      return "user";
    case FrameOwner::kReceiving:
      return "fill ring, kernel or RX ring";
    case FrameOwner::kSending:
      return "TX ring, kernel or completion ring";
  }
  return "nobody";
}

}  // namespace

void stop_on_wrong_owner(std::uint64_t frame, FrameOwner found, FrameOwner expected) {
  fmt::print(stderr, "frame {:#x} is owned by {}, expected {}; stopped: its payload is lost\n",
             frame, name(found), name(expected));
  std::abort();
}

void stop_on_foreign_frame(std::uint64_t frame, const FrameSpan& span) {
  fmt::print(stderr,
             "frame {:#x} is not of this socket, whose frames are {:#x} to {:#x}; stopped\n", frame,
             span.first, span.end());
  std::abort();
}

}  // namespace linearb::xsk
