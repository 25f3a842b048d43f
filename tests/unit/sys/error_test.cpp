// SPDX-License-Identifier: Apache-2.0
#include "sys/error.h"

#include <gtest/gtest.h>

#include "support/error_text.h"

namespace linearb::sys {
namespace {

TEST(ThrowErrno, SaysWhatWhyAndWhatNext) {
  const struct {
    const char* next;
    int error_number;
    const char* text;
  } rows[] = {
      {"", EPERM, "open it: Operation not permitted"},
      {"run as root", EPERM, "open it: Operation not permitted; run as root"},
      {"run as root", -EPERM, "open it: Operation not permitted; run as root"},
      {"", EMFILE, "open it: Too many open files; raise the limit of open files (ulimit -n)"},
      {"run as root", -EMFILE,
       "open it: Too many open files; raise the limit of open files (ulimit -n)"},
      {"run as root", ENFILE,
       "open it: Too many open files in system; raise the system's limit of open files (sysctl "
       "fs.file-max)"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(test::error_text([&] { throw_errno("open it", row.next, row.error_number); }),
              row.text);
}

}  // namespace
}  // namespace linearb::sys
