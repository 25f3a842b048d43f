// SPDX-License-Identifier: Apache-2.0
// DPDK: its af_xdp driver on every line, and rte_hash in user space, of as many numbers as
// linearb's window remembers; the oldest goes when a new one comes.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_mbuf.h>

#include "bench/peers/peer.h"
#include "core/window.h"
#include "linearb/error.h"

namespace linearb::bench {
namespace {

constexpr unsigned kBuffers = 16'384;  // of each line
constexpr unsigned kBufferCache = 256;
constexpr std::uint16_t kBurstMax = 64;  // RTE_HASH_LOOKUP_BULK_MAX

/// Whatever fails here fails at the start.
void require(bool done, std::string_view what) {
  if (!done) throw Error(fmt::format("DPDK: {}: {}", what, rte_strerror(rte_errno)));
}

void start_dpdk(const PeerOptions& options) {
  std::vector<std::string> arguments{"dpdk",        "-l",          std::to_string(options.cpu),
                                     "--no-huge",   "-m",          "256",
                                     "--no-pci",    "--no-shconf", "--no-telemetry",
                                     "--log-level", "warning"};
  for (std::size_t i = 0; i < options.interfaces.size(); ++i)
    arguments.push_back(fmt::format("--vdev=net_af_xdp{},iface={}", i, options.interfaces[i]));
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  require(rte_eal_init(static_cast<int>(pointers.size()), pointers.data()) >= 0, "start");
}

/// The numbers that came, the last 65,536 of them for each channel.
class Seen {
 public:
  explicit Seen(std::uint32_t channels) : last_(std::size_t{channels} * LB_WINDOW_MESSAGES) {
    const rte_hash_parameters parameters{
        .name = "seen",
        .entries = static_cast<std::uint32_t>(last_.size() + kBurstMax),
        .reserved = 0,
        .key_len = sizeof(std::uint64_t),
        .hash_func = rte_hash_crc,
        .hash_func_init_val = 0,
        .socket_id = 0,
        .extra_flag = 0,
    };
    hash_ = rte_hash_create(&parameters);
    require(hash_ != nullptr, "make the hash");
  }

  /// Which of up to 64 different messages are new, as bits.
  std::uint64_t add_new(const std::uint64_t* messages, std::uint32_t count) {
    std::array<const void*, kBurstMax> keys;
    std::array<std::int32_t, kBurstMax> positions;
    for (std::uint32_t i = 0; i < count; ++i) keys[i] = &messages[i];
    rte_hash_lookup_bulk(hash_, keys.data(), count, positions.data());
    std::uint64_t news = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (positions[i] >= 0) continue;
      std::uint64_t& oldest = last_[next_++ % last_.size()];
      if (oldest != 0) rte_hash_del_key(hash_, &oldest);
      oldest = messages[i];
      require(rte_hash_add_key(hash_, &oldest) >= 0, "add to the hash");
      news |= std::uint64_t{1} << i;
    }
    return news;
  }

 private:
  std::vector<std::uint64_t> last_;
  std::uint64_t next_ = 0;
  rte_hash* hash_ = nullptr;
};

class Dpdk : public Peer {
 public:
  explicit Dpdk(const PeerOptions& options)
      : burst_(static_cast<std::uint16_t>(options.batch)),
        ports_(static_cast<std::uint16_t>(options.interfaces.size())) {
    start_dpdk(options);
    seen_ = std::make_unique<Seen>(options.channels);
    require(rte_eth_dev_count_avail() == ports_, "find the lines");
    for (std::uint16_t port = 0; port < ports_; ++port) start(port);
  }

  void poll(Application& application) override {
    std::array<rte_mbuf*, kBurstMax> buffers;
    std::array<std::uint64_t, kBurstMax> messages;
    for (std::uint16_t port = 0; port < ports_; ++port) {
      const std::uint16_t came = rte_eth_rx_burst(port, 0, buffers.data(), burst_);
      if (came == 0) continue;
      for (std::uint16_t i = 0; i < came; ++i) messages[i] = message_of(payload_of(buffers[i]));
      const std::uint64_t news = seen_->add_new(messages.data(), came);
      for (std::uint16_t i = 0; i < came; ++i)
        if (news >> i & 1) application.deliver(payload_of(buffers[i]));
      rte_pktmbuf_free_bulk(buffers.data(), came);
      application.count_read(came);
    }
  }

 private:
  static const std::uint8_t* payload_of(const rte_mbuf* buffer) {
    return rte_pktmbuf_mtod_offset(buffer, const std::uint8_t*, kHeadersLength);
  }

  static void start(std::uint16_t port) {
    rte_mempool* const pool =
        rte_pktmbuf_pool_create(fmt::format("buffers_{}", port).c_str(), kBuffers, kBufferCache, 0,
                                RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    require(pool != nullptr, "make buffers");
    const rte_eth_conf configuration{};
    require(rte_eth_dev_configure(port, 1, 1, &configuration) == 0 &&
                rte_eth_rx_queue_setup(port, 0, 2048, 0, nullptr, pool) == 0 &&
                rte_eth_tx_queue_setup(port, 0, 2048, 0, nullptr) == 0 &&
                rte_eth_dev_start(port) == 0,
            "start a line");
  }

  std::uint16_t burst_;
  std::uint16_t ports_;
  std::unique_ptr<Seen> seen_;
};

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  using namespace linearb::bench;
  return run_peer<Dpdk>(count, arguments, 0);
}
