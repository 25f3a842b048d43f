// SPDX-License-Identifier: Apache-2.0
//
// The tables of a receiver's configuration file. Everything else in such a file is a long option
// of the command line, and is read where those are declared.
//
//   [lines]                 name = "interface", in the order in which they stand
//   [channels.NAME]         in the order in which they stand
//     framing               a built-in framing, or the path of a file, relative to this one
//     destination           "GROUP:PORT" on every line that has none of its own
//     LINE                  "GROUP:PORT" on that line; both can be "SOURCE@GROUP:PORT"
//     sources               of every destination that names none itself
//     checksum              "ignore" or "verify"
//     keys                  how many streams, where the framing has a key
#pragma once

#include <string>
#include <vector>

#include <toml++/toml.h>

#include "config/places.h"
#include "config/strict_table.h"
#include "linearb/options.h"

namespace linearb::config {

/// The keys of a file that are tables.
inline constexpr const char* kLinesTable = "lines";
inline constexpr const char* kChannelsTable = "channels";

/// Reads the two tables of a file. All refusals are UsageErrors that begin with file, line and
/// column; where each value stands goes to the Places, for what can be judged only later. It refers
/// to the table that it was made from, which has to live longer.
class ReceiverTables {
 public:
  /// `path` is how messages call the file, and where paths in it begin. Refuses a file that says
  /// the same in two ways: line and [lines], channel and [channels].
  ReceiverTables(const std::string& path, const toml::table& file);

  /// Replaces the lines by those of [lines]; without that table nothing changes.
  void read_lines(ReceiverOptions& options, Places& places);
  /// The same of [channels]. The options have their lines already: they are keys here. So are those
  /// of [lines], which somebody may have left out for once.
  void read_channels(ReceiverOptions& options, Places& places);

 private:
  std::vector<std::string> lines_in_file();

  std::string path_;
  StrictTable root_;
};

}  // namespace linearb::config
