// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace linearb::bench {

/// Ethernet, IPv4, UDP without checksum, and the first message of the optiq feed of the first
/// channel.
std::vector<std::uint8_t> optiq_packet();

/// Writes the headers of a packet of so many bytes, which are of it, for what is behind them.
void write_headers(std::span<std::uint8_t> packet);

/// The same with another number. Returns its length in bytes.
std::uint32_t write_optiq_packet(std::uint8_t* packet, std::uint32_t number);

}  // namespace linearb::bench
