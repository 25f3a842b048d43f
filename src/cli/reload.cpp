// SPDX-License-Identifier: Apache-2.0
#include "cli/reload.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "linearb/error.h"

namespace linearb::cli {
namespace {

/// So many names make a line that can still be read.
constexpr std::size_t kNamesShown = 8;

using Names = std::vector<std::string>;

/// Nothing, or the names as " (x, y)".
std::string names_text(const Names& names) {
  if (names.empty()) return "";
  std::size_t shown = std::min(names.size(), kNamesShown);
  std::string more = names.size() > shown ? fmt::format(", and {} more", names.size() - shown) : "";
  return fmt::format(
      " ({}{})", fmt::join(names.begin(), names.begin() + static_cast<long>(shown), ", "), more);
}

/// A pipe was read to its end: what it gave is not there a second time, and reading it could wait
/// for ever.
void refuse_pipe(const std::string& path) {
  std::error_code error;
  std::filesystem::file_status status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw UsageError(fmt::format("{} is no file that can be read a second time", path));
}

}  // namespace

std::string describe_change(const Reloaded& reloaded) {
  const auto& [added, removed, changed, unchanged] = reloaded;
  std::string moved =
      changed.empty() ? "" : fmt::format(", {} changed{}", changed.size(), names_text(changed));
  return fmt::format("{} channel{} added{}, {} removed{}{}, {} unchanged", added.size(),
                     added.size() == 1 ? "" : "s", names_text(added), removed.size(),
                     names_text(removed), moved, unchanged);
}

Reloader::Reloader(Parts parts) : parts_(std::move(parts)) {}

std::string Reloader::reload() noexcept {
  try {
    return change();
  } catch (const std::bad_alloc&) {
    return "reload: there is no memory for it; the configuration that runs goes on";
  } catch (const std::exception& error) {
    return fmt::format("reload: {}; the configuration that runs goes on", error.what());
  }
}

std::string Reloader::change() {
  if (parts_.path.empty())
    throw UsageError("there is no file to read again, since --config was not given");
  refuse_pipe(parts_.path);
  const ReceiverOptions options = parts_.read();
  return fmt::format("reloaded {}: {}", parts_.path, describe_change(parts_.apply(options)));
}

}  // namespace linearb::cli
