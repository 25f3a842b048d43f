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

constexpr std::uint32_t kPacketRoom = 512;       ///< bytes of a packet in a block
constexpr std::uint32_t kMemoryBytes = 1 << 25;  ///< of all blocks

class Ring {
 public:
  Ring(const std::string& interface, std::uint32_t packets_of_block)
      : block_bytes_(packets_of_block * kPacketRoom),
        fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    const int version = TPACKET_V3;
    tpacket_req3 request{};
    request.tp_block_size = block_bytes_;
    request.tp_block_nr = kMemoryBytes / block_bytes_;
    request.tp_frame_size = 2048;
    request.tp_frame_nr = kMemoryBytes / request.tp_frame_size;
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
                                 .size_bytes = kMemoryBytes,
                                 .flags = MAP_SHARED,
                                 .fd = fd_.get()});
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      sys::throw_errno("bind a packet socket to " + interface);
  }

  /// One block, if there is one.
  template <typename Take>
  std::uint32_t drain(Take&& take) {
    auto* const block = reinterpret_cast<tpacket_block_desc*>(memory_.data() + next_);
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
    next_ = (next_ + block_bytes_) % kMemoryBytes;
    return packets;
  }

 private:
  std::uint32_t block_bytes_;
  sys::Fd fd_;
  sys::MappedMemory memory_;
  std::uint32_t next_ = 0;  ///< byte where the next block begins
};

class PacketRings : public Peer {
 public:
  explicit PacketRings(const PeerOptions& options) : window_(options.channels) {
    for (const std::string& interface : options.interfaces)
      rings_.emplace_back(interface, options.batch);
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
  return run_peer<PacketRings>(count, arguments, 0);
}
