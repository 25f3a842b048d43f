// SPDX-License-Identifier: Apache-2.0
#include "soak/findings.h"

#include <algorithm>

#include <fmt/format.h>

namespace linearb::soak {

void Findings::add(std::string_view text) noexcept {
  const std::size_t index = count_.fetch_add(1);
  if (index >= kKept) return;
  Text& kept = kept_[index];
  const std::size_t length = std::min(text.size(), kRoom - 1);
  std::copy_n(text.data(), length, kept.bytes);
  kept.bytes[length] = '\0';
  kept.is_written = true;
}

void Findings::clear() noexcept {
  for (Text& text : kept_) text.is_written = false;
  count_ = 0;
}

std::vector<std::string> Findings::texts() const {
  std::vector<std::string> texts;
  for (const Text& text : kept_)
    if (text.is_written.load()) texts.emplace_back(text.bytes);
  if (const std::size_t count = count_; count > kKept)
    texts.push_back(fmt::format("and {} more", count - kKept));
  return texts;
}

}  // namespace linearb::soak
