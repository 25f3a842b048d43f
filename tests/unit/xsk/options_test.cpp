// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <string>

#include <gtest/gtest.h>

#include "xsk/socket.h"
#include "xsk/umem.h"

namespace linearb::xsk {
namespace {

std::string refusal(const UmemOptions& options) {
  try {
    const Umem umem(options);
    return "accepted";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(UmemOptions, AreCheckedBeforeTheKernelIsAsked) {
  EXPECT_EQ(refusal({.frame_size = 1024, .frames = 16}),
            "frame size of 1024 bytes: it is 2048 or 4096");
  EXPECT_EQ(refusal({.frames = 0}), "UMEM of 0 frames: it has 1 to 1048576");
  EXPECT_EQ(refusal({.frames = 1048577}), "UMEM of 1048577 frames: it has 1 to 1048576");
  EXPECT_EQ(refusal({.frames = 16, .fill_ring_entries = 100}),
            "fill ring of 100 entries: the kernel wants a power of two");
  EXPECT_EQ(refusal({.frames = 16, .completion_ring_entries = 0}),
            "completion ring of 0 entries: the kernel wants a power of two");
}

std::string bind_error(const BindRefusal& refusal) {
  try {
    throw_bind_error({.interface = "eth7", .queue = 3}, refusal);
  } catch (const ZeroCopyMismatch& error) {
    return std::string("mismatch: ") + error.what();
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(BindError, NamesCallInterfaceQueueReasonAndNextStep) {
  const struct {
    BindRefusal refusal;
    const char* text;
  } rows[] = {
      {{.error_number = EBUSY},
       "bind AF_XDP socket on eth7 queue 3: Device or resource busy; another AF_XDP socket holds "
       "this queue: stop its process (ss --xdp -p may name it)"},
      {{.error_number = EBUSY, .holders = {"linearb (pid 7)"}},
       "bind AF_XDP socket on eth7 queue 3: Device or resource busy; another AF_XDP socket holds "
       "this queue: stop its process, linearb (pid 7)"},
      {{.error_number = EBUSY, .holders = {"linearb (pid 7)", "tap (pid 8)"}},
       "bind AF_XDP socket on eth7 queue 3: Device or resource busy; another AF_XDP socket holds "
       "this queue: stop its process, linearb (pid 7) or tap (pid 8)"},
      {{.error_number = EINVAL},
       "bind AF_XDP socket on eth7 queue 3: Invalid argument; the interface may have no queue 3: "
       "see ethtool -l eth7"},
      {{.error_number = EOPNOTSUPP},
       "bind AF_XDP socket on eth7 queue 3: Operation not supported; its driver has no zero-copy: "
       "use --zero-copy auto or off"},
      {{.error_number = EPERM},
       "bind AF_XDP socket on eth7 queue 3: Operation not permitted; an AF_XDP socket needs root "
       "or CAP_NET_RAW"},
      {{.error_number = ENOBUFS},
       "bind AF_XDP socket on eth7 queue 3: No buffer space available; free memory, or use "
       "fewer frames (--frames)"},
      {{.error_number = ENOMEM},
       "bind AF_XDP socket on eth7 queue 3: Cannot allocate memory; free memory, or use "
       "fewer frames (--frames)"},
      {{.error_number = ENETDOWN},
       "bind AF_XDP socket on eth7 queue 3: Network is down; ip link set eth7 up"},
      {{.error_number = EPROTO}, "bind AF_XDP socket on eth7 queue 3: Protocol error"},
  };
  for (const auto& row : rows) EXPECT_EQ(bind_error(row.refusal), row.text);
}

TEST(BindError, ALineWithoutZeroCopyBesideOneThatHasItIsAMismatch) {
  EXPECT_EQ(bind_error({.error_number = EOPNOTSUPP, .umem_is_zero_copy = true}),
            "mismatch: bind AF_XDP socket on eth7 queue 3: its driver has no zero-copy, but an "
            "earlier line has; use --zero-copy off for all");
}

}  // namespace
}  // namespace linearb::xsk
