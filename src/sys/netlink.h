// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Just enough rtnetlink to ask about, make, change and remove links. For the control plane: every
/// call opens a socket in the network namespace of the calling thread, waits for the kernel's
/// answer, and closes it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

namespace linearb::sys {

/// A request about a link, built front to back: header, ifinfomsg, attributes.
class LinkRequest {
 public:
  /// `flags` beside NLM_F_REQUEST and NLM_F_ACK.
  explicit LinkRequest(std::uint16_t type, std::uint16_t flags = 0, const ifinfomsg& link = {});

  void put(std::uint16_t attribute, std::string_view text);  ///< with a closing zero
  void put(std::uint16_t attribute, std::uint32_t value);
  /// A bare ifinfomsg within a nest: VETH_INFO_PEER begins with one.
  void put_link(const ifinfomsg& link);

  /// Opens an attribute that holds those which follow, until close_nest with its result.
  [[nodiscard]] std::size_t open_nest(std::uint16_t attribute);
  void close_nest(std::size_t nest);

  /// Sends it and returns 0 or the kernel's errno. What the kernel answers beside that (one
  /// RTM_NEWLINK message to RTM_GETLINK) replaces `answer`. Throws Error when no answer comes.
  int send(std::vector<std::byte>* answer = nullptr);

 private:
  void put_attribute(std::uint16_t attribute, const void* data, std::size_t size_bytes);
  void append(const void* data, std::size_t size_bytes);

  std::vector<std::byte> buffer_;
};

/// The attributes of a message or of a nest: a view, valid as long as the bytes.
class Attributes {
 public:
  explicit Attributes(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}
  /// Those that follow the ifinfomsg of an answer.
  static Attributes of_link(std::span<const std::byte> answer) noexcept;

  /// The value of an attribute; empty when it is not there.
  std::span<const std::byte> find(std::uint16_t attribute) const noexcept;
  Attributes nest(std::uint16_t attribute) const noexcept { return Attributes(find(attribute)); }
  /// Without the closing zero.
  std::string_view text(std::uint16_t attribute) const noexcept;
  /// 0 when it is not there.
  std::uint32_t number(std::uint16_t attribute) const noexcept;

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace linearb::sys
