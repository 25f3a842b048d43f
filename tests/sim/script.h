// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace linearb::sim {

/// A schedule that a run follows in place of a seed's choices: who goes on as far as which step, in
/// the words of the model's trails. README.md has the language.
struct Script {
  struct Line {
    std::size_t number = 0;  ///< in the file
    std::string process;
    std::string step;
    std::vector<std::uint64_t> values;
  };
  struct Message {
    std::uint64_t epoch = 1;
    std::uint64_t number = 0;
  };

  std::uint32_t frames = 2;  ///< of a socket
  bool one_session = false;  ///< of all epochs
  bool metadata = true;
  std::optional<Message> asked;  ///< by who declares gaps while lines go on
  std::vector<Line> lines;
};

std::string to_string(const Script::Line& line);

class ScriptError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws ScriptError, which names the line.
Script read_script(const std::string& path);

}  // namespace linearb::sim
