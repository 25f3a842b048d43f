// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace linearb::config {

/// A file of framings/ as it was when linearb was built.
struct EmbeddedFraming {
  std::string_view name;  // of the file, without ".toml"
  std::string_view toml;
};

/// Sorted by name. The definition is generated: cmake/EmbedFramings.cmake.
std::span<const EmbeddedFraming> embedded_framings() noexcept;

}  // namespace linearb::config
