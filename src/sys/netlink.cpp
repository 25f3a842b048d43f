// SPDX-License-Identifier: Apache-2.0
#include "sys/netlink.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <sys/socket.h>

#include "sys/error.h"
#include "sys/fd.h"

namespace linearb::sys {

namespace {

/// A link with all its attributes is about 2 KiB, and less than this with hundreds of virtual
/// functions.
constexpr std::size_t kAnswerBytesMax = 64 * 1024;

/// Reads what stands at the front of `bytes`. False when they are too few.
template <class Value>
bool read_front(std::span<const std::byte> bytes, Value& value) noexcept {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  return true;
}

}  // namespace

LinkRequest::LinkRequest(std::uint16_t type, std::uint16_t flags, const ifinfomsg& link) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  append(&header, sizeof header);
  put_link(link);
}

void LinkRequest::append(const void* data, std::size_t size_bytes) {
  const auto* bytes = static_cast<const std::byte*>(data);
  buffer_.insert(buffer_.end(), bytes, bytes + size_bytes);
}

void LinkRequest::put_attribute(std::uint16_t attribute, const void* data, std::size_t size_bytes) {
  const rtattr header{.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size_bytes)),
                      .rta_type = attribute};
  append(&header, sizeof header);
  append(data, size_bytes);
  buffer_.resize(RTA_ALIGN(buffer_.size()));
}

void LinkRequest::put(std::uint16_t attribute, std::string_view text) {
  const std::string value(text);
  put_attribute(attribute, value.c_str(), value.size() + 1);
}

void LinkRequest::put(std::uint16_t attribute, std::uint32_t value) {
  put_attribute(attribute, &value, sizeof value);
}

void LinkRequest::put_link(const ifinfomsg& link) {
  append(&link, sizeof link);
}

std::size_t LinkRequest::open_nest(std::uint16_t attribute) {
  const std::size_t nest = buffer_.size();
  put_attribute(attribute, nullptr, 0);
  return nest;
}

void LinkRequest::close_nest(std::size_t nest) {
  const auto length = static_cast<std::uint16_t>(buffer_.size() - nest);
  std::memcpy(buffer_.data() + nest + offsetof(rtattr, rta_len), &length, sizeof length);
}

int LinkRequest::send(std::vector<std::byte>* answer) {
  const auto length = static_cast<std::uint32_t>(buffer_.size());
  std::memcpy(buffer_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);

  const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) throw_errno("open a NETLINK_ROUTE socket");
  if (::send(socket.get(), buffer_.data(), buffer_.size(), 0) < 0)
    throw_errno("send a request to NETLINK_ROUTE");

  std::vector<std::byte> datagram(kAnswerBytesMax);
  for (;;) {
    const ssize_t received = ::recv(socket.get(), datagram.data(), datagram.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) throw_errno("receive the answer of NETLINK_ROUTE");
    std::span<const std::byte> rest(datagram.data(), static_cast<std::size_t>(received));
    nlmsghdr header;
    while (read_front(rest, header) && header.nlmsg_len >= NLMSG_HDRLEN &&
           header.nlmsg_len <= rest.size()) {
      const auto payload = rest.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
      nlmsgerr error;
      if (header.nlmsg_type == NLMSG_ERROR && read_front(payload, error)) return -error.error;
      if (answer) answer->assign(payload.begin(), payload.end());
      rest = rest.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), rest.size()));
    }
  }
}

Attributes Attributes::of_link(std::span<const std::byte> answer) noexcept {
  return Attributes(
      answer.subspan(std::min<std::size_t>(NLMSG_ALIGN(sizeof(ifinfomsg)), answer.size())));
}

std::span<const std::byte> Attributes::find(std::uint16_t attribute) const noexcept {
  std::span<const std::byte> rest = bytes_;
  rtattr header;
  while (read_front(rest, header) && header.rta_len >= sizeof header &&
         header.rta_len <= rest.size()) {
    if ((header.rta_type & NLA_TYPE_MASK) == attribute)
      return rest.subspan(sizeof header, header.rta_len - sizeof header);
    rest = rest.subspan(std::min<std::size_t>(RTA_ALIGN(header.rta_len), rest.size()));
  }
  return {};
}

std::string_view Attributes::text(std::uint16_t attribute) const noexcept {
  const auto value = find(attribute);
  if (value.empty()) return {};
  const char* text = reinterpret_cast<const char*>(value.data());
  return {text, ::strnlen(text, value.size())};
}

std::uint32_t Attributes::number(std::uint16_t attribute) const noexcept {
  std::uint32_t number = 0;
  read_front(find(attribute), number);
  return number;
}

}  // namespace linearb::sys
