// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/layout.h"

namespace linearb::sequencer {

/// Identifiers without order that were delivered: what checks behind the hook's LRU map, which
/// forgets in batches. Two hash tables of kIdentifiers each; when the younger is full the older is
/// emptied and becomes the younger. So at least the last kIdentifiers are always known.
///
/// Memory is taken in the constructor. Emptying a table costs about a millisecond, once in
/// kIdentifiers.
class SeenIdentifiers {
 public:
  static constexpr std::uint32_t kIdentifiers = LB_SEEN_SESSIONS;

  SeenIdentifiers()
      : younger_(std::make_unique<std::uint64_t[]>(kPlaces)),
        older_(std::make_unique<std::uint64_t[]>(kPlaces)) {}

  /// True when it was not seen before; it is now.
  bool insert(std::uint32_t identifier) noexcept {
    if (older_[find(older_, identifier)] != 0) return false;
    const std::uint32_t place = find(younger_, identifier);
    if (younger_[place] != 0) return false;
    younger_[place] = kUsed | identifier;
    if (++size_ == kIdentifiers) change_tables();
    return true;
  }

 private:
  using Table = std::unique_ptr<std::uint64_t[]>;
  static constexpr std::uint32_t kPlaces = 2 * kIdentifiers;  // half full at the most
  static constexpr std::uint64_t kUsed = 1ull << 32;
  static_assert((kPlaces & (kPlaces - 1)) == 0);

  /// The place of the identifier, or the empty one where it would stand.
  static std::uint32_t find(const Table& table, std::uint32_t identifier) noexcept {
    std::uint32_t place = identifier * 0x9e3779b1u & (kPlaces - 1);  // 2^32 / golden ratio
    while (table[place] != 0 && table[place] != (kUsed | identifier))
      place = (place + 1) & (kPlaces - 1);
    return place;
  }

  void change_tables() noexcept {
    std::swap(younger_, older_);
    std::fill_n(younger_.get(), kPlaces, 0);
    size_ = 0;
  }

  Table younger_;
  Table older_;
  std::uint32_t size_ = 0;
};

}  // namespace linearb::sequencer
