// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "linearb/error.h"

namespace linearb::config {

/// What an error is about: an option, which of its values, and which key of that value.
struct Subject {
  std::string option;                ///< "channel"; a long option without its dashes
  std::optional<std::size_t> index;  ///< into ReceiverOptions::lines or channels
  std::string key;                   ///< the line that has a destination of its own, or "framing"

  friend auto operator<=>(const Subject&, const Subject&) = default;
};

/// What validate() throws: its text is for somebody who typed the options. Who took them from a
/// file finds there, by the subject, what has to be mended.
class InvalidOption : public UsageError {
 public:
  InvalidOption(Subject subject, const std::string& text)
      : UsageError(text), subject_(std::move(subject)) {}
  const Subject& subject() const noexcept { return subject_; }

 private:
  Subject subject_;
};

/// Where in a file each option stands that was taken from it, as "site.toml:3:7".
class Places {
 public:
  void set(Subject subject, std::string place);
  /// The nearest that is known: of the key, else of the value, else of the option.
  std::optional<std::string> find(Subject subject) const;

 private:
  std::map<Subject, std::string> places_;
};

}  // namespace linearb::config
