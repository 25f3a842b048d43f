// SPDX-License-Identifier: Apache-2.0
#include "sys/mapped_memory.h"

#include <fmt/format.h>

#include "sys/error.h"

namespace linearb::sys {

MappedMemory MappedMemory::try_map(const Mapping& mapping) noexcept {
  MappedMemory memory;
  void* data = ::mmap(nullptr, mapping.size_bytes, mapping.protection, mapping.flags, mapping.fd,
                      mapping.offset);
  if (data == MAP_FAILED) return memory;
  memory.data_ = data;
  memory.size_bytes_ = mapping.size_bytes;
  return memory;
}

MappedMemory::MappedMemory(const Mapping& mapping) : MappedMemory(try_map(mapping)) {
  if (!data_)
    throw_errno(fmt::format("map {} bytes of {}", mapping.size_bytes, mapping.what),
                errno == ENOMEM ? mapping.when_short : "");
}

}  // namespace linearb::sys
