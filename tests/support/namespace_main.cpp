// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "linearb/error.h"
#include "sys/netns.h"

namespace {

/// Enters the private namespace once, before the first test. A skip in here skips every test.
class PrivateNamespace : public ::testing::Environment {
 public:
  void SetUp() override {
    try {
      linearb::sys::enter_private_namespace();
    } catch (const linearb::Error& error) {
      // The mark that ctest looks for; googletest prints it only for a test that skips itself.
      fmt::print("[  SKIPPED ] every test: {}\n", error.what());
      GTEST_SKIP();
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(new PrivateNamespace);
  return RUN_ALL_TESTS();
}
