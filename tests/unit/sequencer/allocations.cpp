// SPDX-License-Identifier: Apache-2.0
#include "unit/sequencer/allocations.h"

#include <cstdlib>
#include <new>

namespace {

thread_local bool counts = false;
thread_local std::uint64_t allocations = 0;

void* allocate(std::size_t size) noexcept {
  if (counts) ++allocations;
  return std::malloc(size ? size : 1);
}

}  // namespace

// The array forms come here too, by the standard library's own definition of them.
void* operator new(std::size_t size) {
  void* const memory = allocate(size);
  if (!memory) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace linearb::sequencer::test {

Allocations::Allocations() noexcept {
  allocations = 0;
  counts = true;
}
Allocations::~Allocations() {
  counts = false;
}
std::uint64_t Allocations::count() const noexcept {
  return allocations;
}

}  // namespace linearb::sequencer::test
