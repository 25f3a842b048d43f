// SPDX-License-Identifier: Apache-2.0
#include "capture/read_ahead.h"

#include "sys/thread.h"

namespace linearb::capture {

ReadAhead::ReadAhead(const std::string& path) : reader_(path) {
  if (reader_.file_size() != 0) thread_ = sys::start_thread([this] { read_all(); });
}

ReadAhead::~ReadAhead() {
  if (!has_thread()) return;
  ending_.store(true);
  for (Block& block : blocks_) {
    block.is_full.store(false);
    block.is_full.notify_all();
  }
  thread_.join();
}

void ReadAhead::read_all() noexcept {
  for (std::size_t i = 0; wait_until(blocks_[i], false); i = (i + 1) % kBlocks) {
    Block& block = blocks_[i];
    fill(block);
    const bool is_last = block.is_last || block.error;
    block.is_full.store(true, std::memory_order_release);
    block.is_full.notify_one();
    if (is_last) return;
  }
}

/// False when it is to end.
bool ReadAhead::wait_until(Block& block, bool is_full) noexcept {
  block.is_full.wait(!is_full, std::memory_order_acquire);
  return !ending_.load();
}

void ReadAhead::fill(Block& block) noexcept {
  block.bytes.clear();
  block.entries.clear();
  try {
    while (block.bytes.size() + block.entries.size() * sizeof(Entry) < kBlockBytes) {
      const std::optional<Record> record = reader_.next();
      if (!record) {
        block.is_last = true;
        break;
      }
      block.entries.push_back({record->timestamp_ns, static_cast<std::uint32_t>(block.bytes.size()),
                               static_cast<std::uint32_t>(record->bytes.size()),
                               record->original_length});
      block.bytes.insert(block.bytes.end(), record->bytes.begin(), record->bytes.end());
    }
  } catch (...) {
    block.error = std::current_exception();
  }
  block.file_position = reader_.file_position();
}

std::optional<Record> ReadAhead::next() {
  std::optional<Record> record = has_thread() ? next_of_blocks() : reader_.next();
  if (record) ++records_;
  return record;
}

std::optional<Record> ReadAhead::next_of_blocks() {
  for (;;) {
    Block& block = blocks_[block_];
    if (!is_in_hand_) {
      wait_until(block, true);
      is_in_hand_ = true;
      entry_ = 0;
      position_ = block.file_position;
    }
    if (entry_ < block.entries.size()) {
      const Entry& entry = block.entries[entry_++];
      return Record{.timestamp_ns = entry.timestamp_ns,
                    .bytes = std::span(block.bytes).subspan(entry.begin, entry.length),
                    .original_length = entry.original_length};
    }
    if (block.error) std::rethrow_exception(block.error);
    if (block.is_last) return std::nullopt;
    is_in_hand_ = false;
    block_ = (block_ + 1) % kBlocks;
    block.is_full.store(false, std::memory_order_release);
    block.is_full.notify_one();
  }
}

}  // namespace linearb::capture
