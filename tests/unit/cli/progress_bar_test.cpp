// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <gtest/gtest.h>

namespace linearb::cli {
namespace {

TEST(ProgressBar, SaysWhichShareOfTheFilesIsRead) {
  EXPECT_EQ(progress_text({.bytes_read = 0, .bytes = 100, .packets = 0}),
            "[----------------------------------------] 0 %  0 packets");
  EXPECT_EQ(progress_text({.bytes_read = 33, .bytes = 100, .packets = 1'234'567}),
            "[#############---------------------------] 33 %  1,234,567 packets");
  EXPECT_EQ(progress_text({.bytes_read = 999, .bytes = 1'000, .packets = 5}),
            "[#######################################-] 99 %  5 packets")
      << "it is not done before it is done";
  EXPECT_EQ(progress_text({.bytes_read = 100, .bytes = 100, .packets = 1}),
            "[########################################] 100 %  1 packets");
}

TEST(ProgressBar, AFileThatGrowsIsNeverMoreThanRead) {
  EXPECT_EQ(progress_text({.bytes_read = 300, .bytes = 100, .packets = 1}),
            progress_text({.bytes_read = 100, .bytes = 100, .packets = 1}));
}

TEST(ProgressBar, IsNotThereWhereNobodyKnowsTheEnd) {
  EXPECT_EQ(progress_text({.bytes_read = 5, .bytes = 0, .packets = 1'000}), "1,000 packets");
}

}  // namespace
}  // namespace linearb::cli
