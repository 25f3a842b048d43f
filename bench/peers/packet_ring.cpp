// SPDX-License-Identifier: Apache-2.0
// AF_PACKET with TPACKET_V3: a ring of blocks for each line that the kernel copies into, no system
// call for a packet, and the window in user space. Blocks are small, because one is handed over
// when it is full, or after a millisecond (Documentation/networking/packet_mmap.rst).
#include <atomic>
#include <memory>
#include <vector>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "bench/peers/peer.h"
#include "bench/peers/soft_window.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "sys/mapped_memory.h"

namespace linearb::bench {
namespace {

constexpr std::uint32_t kBlockSize = 1 << 15;
constexpr std::uint32_t kBlocks = 1024;

class Ring {
 public:
  explicit Ring(const std::string& interface)
      : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    const int version = TPACKET_V3;
    tpacket_req3 request{};
    request.tp_block_size = kBlockSize;
    request.tp_block_nr = kBlocks;
    request.tp_frame_size = 2048;
    request.tp_frame_nr = kBlockSize / request.tp_frame_size * kBlocks;
    request.tp_retire_blk_tov = 1;  // ms
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_IP);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    if (!fd_ ||
        ::setsockopt(fd_.get(), SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0 ||
        ::setsockopt(fd_.get(), SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) != 0)
      sys::throw_errno("open a packet socket on " + interface);
    memory_ = sys::MappedMemory({.what = "a packet ring",
                                 .size_bytes = std::size_t{kBlockSize} * kBlocks,
                                 .flags = MAP_SHARED,
                                 .fd = fd_.get()});
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      sys::throw_errno("bind a packet socket to " + interface);
  }

  /// One block, if there is one.
  template <typename Take>
  std::uint32_t drain(Take&& take) {
    auto* const block =
        reinterpret_cast<tpacket_block_desc*>(memory_.data() + std::size_t{next_} * kBlockSize);
    std::atomic_ref<std::uint32_t> status(block->hdr.bh1.block_status);
    if ((status.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) return 0;
    const auto* packet =
        reinterpret_cast<const std::uint8_t*>(block) + block->hdr.bh1.offset_to_first_pkt;
    const std::uint32_t packets = block->hdr.bh1.num_pkts;
    for (std::uint32_t i = 0; i < packets; ++i) {
      const auto* header = reinterpret_cast<const tpacket3_hdr*>(packet);
      take(packet + header->tp_mac);
      packet += header->tp_next_offset;
    }
    status.store(TP_STATUS_KERNEL, std::memory_order_release);
    next_ = (next_ + 1) % kBlocks;
    return packets;
  }

 private:
  sys::Fd fd_;
  sys::MappedMemory memory_;
  std::uint32_t next_ = 0;
};

class PacketRings : public Peer {
 public:
  explicit PacketRings(const PeerOptions& options) : window_(options.channels) {
    for (const std::string& interface : options.interfaces) rings_.emplace_back(interface);
  }

  void poll(Application& application) override {
    for (Ring& ring : rings_)
      application.count_read(ring.drain([&](const std::uint8_t* packet) {
        const std::uint8_t* payload = packet + kHeadersLength;
        const std::uint64_t message = message_of(payload);
        if (window_.is_new(message >> 32, message & 0xffff'ffff)) application.deliver(payload);
      }));
  }

 private:
  SoftWindow window_;
  std::vector<Ring> rings_;
};

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  using namespace linearb::bench;
  return run_peer(count, arguments, 0, [](const PeerOptions& options) {
    return std::make_unique<PacketRings>(options);
  });
}
