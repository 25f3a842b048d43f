// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace linearb::cli {

/// Help as "--frames N" and, behind what it does, "[4096]", the default. CLI11's own writes both as
/// one word, in which "--line NAME=INTERFACE=A=vethA_dst" cannot be read.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string type = option->get_type_name();
    return type.empty() ? type : " " + type;
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    std::string standard = option->get_default_str();
    return option->get_description() + (standard.empty() ? standard : " [" + standard + "]");
  }
};

}  // namespace linearb::cli
