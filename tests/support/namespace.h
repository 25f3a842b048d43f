// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Tests that need a network link linearb_namespace_main instead of GTest::gtest_main. Its main()
/// moves the process into a private network namespace with a bpffs of its own before any test
/// runs, or skips every test with the reason. ctest runs each test in a process of its own, so
/// each has a fresh namespace, and nothing is left behind however it ends. Run by hand, all tests
/// of the executable share one namespace: what a test makes, it removes (LabTest does).

#include <gtest/gtest.h>

#include "lab/lab.h"

namespace linearb::test {

/// The two veth lines A and B, from SetUp to TearDown. A suite that wants other options overrides
/// lab_options().
class LabTest : public ::testing::Test {
 protected:
  virtual lab::LabOptions lab_options() const { return {}; }
  void SetUp() override { lab::up(lab_options()); }
  void TearDown() override { lab::down(); }
};

}  // namespace linearb::test
