// SPDX-License-Identifier: Apache-2.0
//
// docs/configuration.md, docs/merge.md and examples/ against the options that there are.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/receive.h"
#include "cli/unknown_name.h"

namespace linearb::cli {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream stream(path);
  EXPECT_TRUE(stream.is_open()) << path;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::string page() {
  return text_of(LINEARB_SOURCE_DIR "/docs/configuration.md");
}

/// The part of the page under a heading, without those that follow.
std::string section(const std::string& heading) {
  std::string text = page();
  std::size_t begin = text.find("## " + heading + "\n");
  EXPECT_NE(begin, text.npos) << heading;
  return text.substr(begin, text.find("\n## ", begin) - begin);
}

/// The row of a key; empty where there is none.
std::string row_of(const std::string& section, const std::string& key) {
  std::istringstream lines(section);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(fmt::format("| `{}` |", key))) return line;
  }
  return "";
}

bool is_key(const std::string& option) {
  return option != "--help" && option != "--config";
}

class ConfigurationPage : public testing::TestWithParam<const char*> {};

TEST_P(ConfigurationPage, HasEveryKeyWithItsDefaultAndNoOther) {
  CLI::App app;
  std::vector<Command> commands{add_receive(app, {}), add_feed(app), add_demo(app)};
  CLI::App* command = app.get_subcommand(GetParam());
  std::string keys = section(fmt::format("Keys of `{}`", GetParam()));
  std::ptrdiff_t rows = -1;  // the heading of the table is none
  std::istringstream lines(keys);
  for (std::string line; std::getline(lines, line);) rows += line.starts_with("| ") ? 1 : 0;
  for (const std::string& option : long_options(*command)) {
    if (!is_key(option)) continue;
    rows--;
    std::string row = row_of(keys, option.substr(2));
    EXPECT_NE(row, "") << option << " is not in docs/configuration.md";
    std::string standard = command->get_option(option)->get_default_str();
    bool has_default = row.find(fmt::format("| `{}` |", standard)) != row.npos;
    EXPECT_TRUE(standard.empty() || has_default) << row;
  }
  EXPECT_EQ(rows, 0) << "a row of docs/configuration.md is about no option";
}

INSTANTIATE_TEST_SUITE_P(Commands, ConfigurationPage, testing::Values("receive", "feed", "demo"));

TEST(MergePage, HasEveryOption) {
  CLI::App app;
  const std::string text = text_of(LINEARB_SOURCE_DIR "/docs/merge.md");
  for (const std::string& option : long_options(*add_merge(app).arguments)) {
    if (option == "--help") continue;
    EXPECT_NE(text.find("\n| `" + option), text.npos) << option << " is not in docs/merge.md";
  }
}

/// A folder with the framing of the examples, for files that name it.
class Examples : public testing::Test {
 protected:
  Examples() {
    std::filesystem::create_directory(folder_);
    std::filesystem::copy(LINEARB_SOURCE_DIR "/examples/my-feed.toml", folder_);
  }
  ~Examples() override { std::filesystem::remove_all(folder_); }

  /// What a receiver makes of the first TOML file of a text.
  ReceiverOptions first_file_in(const std::string& text) const {
    std::size_t begin = text.find("```toml\n") + 8;
    std::string path = folder_ + "/page.toml";
    std::ofstream(path) << text.substr(begin, text.find("```", begin) - begin);
    return parse_receive({"receive", "--config", path});
  }

  std::string folder_ = testing::TempDir() + "linearb_examples_" + std::to_string(::getpid());
};

TEST_F(Examples, ThePagesFileIsRight) {
  ReceiverOptions options = first_file_in(page());
  EXPECT_EQ(options.lines.size(), 2u);
  ASSERT_EQ(options.channels.size(), 2u);
  EXPECT_EQ(options.channels[1].framing, folder_ + "/my-feed.toml");
  EXPECT_EQ(options.wait, Wait::spin);
}

TEST_F(Examples, ThePagesSourcesAreRight) {
  ReceiverOptions options = first_file_in(section("Channels with sources"));
  ASSERT_EQ(options.channels.size(), 2u);
  EXPECT_EQ(options.channels[0].destination_on("B").sources.size(), 1u);
  EXPECT_EQ(options.channels[1].destination_on("B").sources.size(), 2u);
}

}  // namespace
}  // namespace linearb::cli
