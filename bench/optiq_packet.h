// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace linearb::bench {

/// Ethernet, IPv4, UDP without checksum, and the first message of the optiq feed of the first
/// channel.
std::vector<std::uint8_t> optiq_packet();

/// The same with another number. Returns its length in bytes.
std::uint32_t write_optiq_packet(std::uint8_t* packet, std::uint32_t number);

/// Writes Ethernet, IPv4 and UDP headers at the beginning of a packet, for the bytes behind them.
void write_headers(std::span<std::uint8_t> packet);

}  // namespace linearb::bench
