// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "feeder/impairment.h"

namespace linearb::feeder {

/// One option of the command line that sets an impairment: `--loss A=1%` for line A, `--loss 1%`
/// for every line. The table of them is what the command line and its help are made from.
struct ImpairmentOption {
  std::string_view name;      // without the dashes
  std::string_view accepted;  // the form of a value, in words and with an example
  std::string_view help;
  /// Returns false, and sets nothing, when the value is not of the accepted form.
  bool (*set)(std::string_view value, LineImpairment& line);
};

std::span<const ImpairmentOption> impairment_options() noexcept;

/// Sets what `text` says on one line or on all; `lines` and `impairments` are of equal size. Throws
/// UsageError that names the option, the text and what is accepted.
void set_impairment(const ImpairmentOption& option, std::string_view text,
                    std::span<const std::string> lines, std::span<LineImpairment> impairments);

/// The same for an option whose value is a whole number from `least` to `most`, such as
/// `--messages-per-packet A=3`.
struct CountOption {
  std::string_view name;
  std::uint32_t least;
  std::uint32_t most;
};
void set_count(const CountOption& option, std::string_view text, std::span<const std::string> lines,
               std::span<std::uint32_t> counts);

}  // namespace linearb::feeder
