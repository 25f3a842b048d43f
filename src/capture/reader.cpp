// SPDX-License-Identifier: Apache-2.0
#include "capture/reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <pcap/pcap.h>
#include <stdio_ext.h>

#include "core/bytes.h"
#include "linearb/error.h"

namespace linearb::capture {
namespace {

/// The first four bytes of a capture as they stand in the file: pcap in micro- and nanoseconds,
/// either byte order (draft-ietf-opsawg-pcap, section 4), and pcapng (draft-ietf-opsawg-pcapng,
/// section 4.1).
constexpr std::array kCaptureMagics{0xa1b2c3d4u, 0xd4c3b2a1u, 0xa1b23c4du, 0x4d3cb2a1u,
                                    0x0a0d0d0au};

/// libpcap knows that a read failed, the stream knows why.
std::string reason_of(const ByteStream& stream, const char* libpcap) {
  return stream.failure().empty() ? libpcap : stream.failure();
}

}  // namespace

void Reader::Closer::operator()(pcap* capture) const noexcept {
  ::pcap_close(capture);
}

Reader::Reader(std::string path) : path_(std::move(path)), stream_(path_) {
  std::array<char, PCAP_ERRBUF_SIZE> text{};
  auto file = stream_.open_file();
  // Nobody else reads it: where there are other threads, libpcap would take two locks for a record.
  ::__fsetlocking(file.get(), FSETLOCKING_BYCALLER);
  capture_.reset(::pcap_fopen_offline_with_tstamp_precision(file.get(), PCAP_TSTAMP_PRECISION_NANO,
                                                            text.data()));
  if (!capture_)
    throw UsageError(fmt::format(
        "{}: {}; it has to be a capture in pcap or pcapng format, plain or packed with gzip", path_,
        reason_of(stream_, text.data())));
  static_cast<void>(file.release());  // pcap_close closes it
  link_ = &find_link_layer(::pcap_datalink(capture_.get()), path_);
}

std::optional<Record> Reader::next() {
  pcap_pkthdr* header = nullptr;
  const std::uint8_t* bytes = nullptr;
  int result = ::pcap_next_ex(capture_.get(), &header, &bytes);
  if (result == PCAP_ERROR_BREAK) return std::nullopt;
  if (result != 1) refuse_record();
  records_++;
  /* tv_usec holds nanoseconds: the file was opened with that precision. */
  return Record{.timestamp_ns = static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000'000u +
                                static_cast<std::uint64_t>(header->ts.tv_usec),
                .bytes = to_ethernet(*link_, {bytes, header->caplen}, frame_),
                .original_length = ethernet_length(*link_, header->len)};
}

void Reader::refuse_record() const {
  throw UsageError(
      fmt::format("{}: record {}, near byte {}: {}; the file is cut off or damaged: copy it again, "
                  "or keep what "
                  "is before with `tcpdump -r {} -w FILE`",
                  path_, records_ + 1, std::ftell(::pcap_file(capture_.get())),
                  reason_of(stream_, ::pcap_geterr(capture_.get())), path_));
}

bool is_capture(const std::string& path) {
  std::array<std::uint8_t, 4> head{};
  ByteStream stream(path);
  if (stream.read(head) != static_cast<ssize_t>(head.size())) return false;
  return std::ranges::find(kCaptureMagics, lb_load_u32_be(head.data())) != kCaptureMagics.end();
}

}  // namespace linearb::capture
