// SPDX-License-Identifier: Apache-2.0
#include "support/venue_stories.h"

#include <cctype>

#include "support/venue_packets.h"

namespace linearb::test {
namespace {

using namespace std::chrono_literals;
using namespace venue;

constexpr std::string_view kSession = "SESSION001";
constexpr std::string_view kNextSession = "SESSION002";
constexpr std::string_view kDay = "20261127 ";
constexpr std::string_view kNextDay = "20261130 ";
constexpr std::uint64_t kMemxSession = 0x5553453164e486c8;
constexpr std::uint64_t kLargest = 0xffffffff;

template <Bytes (*packet)(std::uint64_t number, unsigned count, unsigned flags)>
void snapshots_and_retransmissions(VenueLine& line) {
  line.data(packet(100, 3, kIncremental)).says(packet(1, 2, kSnapshot));
  line.loses(packet(103, 2, kIncremental)).data(packet(105, 1, kIncremental));
  line.sends_again(packet(103, 1, kIncremental | kRetransmission));
  line.says(packet(103, 2, kSnapshot)).data(packet(106, 1, kIncremental));
}

constexpr VenueStory kStories[] = {
    // MoldUDP64 and its relatives.
    {"moldudp64", "a heartbeat names the next message",
     [](VenueLine& line) {
       line.data(mold(kSession, 1, 2)).data(mold(kSession, 3, 1)).loses(mold(kSession, 4, 1));
       line.says(mold(kSession, 5, 0)).says(mold(kSession, 5, 0)).data(mold(kSession, 5, 2));
       line.loses(mold(kSession, 7, 1)).says(mold(kSession, 8, 0));
     },
     "1: 1-3 5-6", "1: 4 7"},
    {"moldudp64", "an end of session is said several times and tells of a lost tail",
     [](VenueLine& line) {
       line.data(mold(kSession, 1, 3)).loses(mold(kSession, 4, 2));
       for (int i = 0; i < 3; ++i) line.says(mold_end(kSession, 6));
       line.says(mold(kNextSession, 1, 0)).data(mold(kNextSession, 1, 2));
     },
     "1: 1-3; 2: 1-2", "1: 4-5"},
    {"asx-ntp", "a heartbeat names the next message and so does the end of the session",
     [](VenueLine& line) {
       line.data(mold(kSession, 1, 2)).loses(mold(kSession, 3, 1)).says(mold(kSession, 4, 0));
       line.data(mold(kSession, 4, 1)).says(mold_end(kSession, 5));
       line.says(mold(kNextSession, 1, 0)).data(mold(kNextSession, 1, 1));
       line.loses(mold(kNextSession, 2, 1)).says(mold(kNextSession, 3, 0));
     },
     "1: 1-2 4; 2: 1", "1: 3; 2: 2"},
    {"ose-itch", "a session that just stops is followed by the next",
     [](VenueLine& line) {
       line.data(mold("JP20261127", 1, 2)).loses(mold("JP20261127", 3, 1));
       line.says(mold("JP20261127", 4, 0)).data(mold("JP20261127", 4, 1));
       line.says(mold("JP20261130", 1, 0)).data(mold("JP20261130", 1, 2));
       line.loses(mold("JP20261130", 3, 1)).says(mold("JP20261130", 4, 0));
     },
     "1: 1-2 4; 2: 1-2", "1: 3; 2: 3"},
    {"cix-aspen", "a heartbeat names the next message and the next day begins anew",
     [](VenueLine& line) {
       line.data(aspen(kDay, 1, 2)).loses(aspen(kDay, 3, 1)).says(aspen(kDay, 4, 0));
       line.data(aspen(kDay, 4, 2)).says(aspen(kNextDay, 1, 0)).data(aspen(kNextDay, 1, 1));
       line.loses(aspen(kNextDay, 2, 1)).says(aspen(kNextDay, 3, 0));
     },
     "1: 1-2 4-5; 2: 1", "1: 3; 2: 2"},

    // Counts of messages, and a heartbeat of the next number.
    {"cboe-pitch", "a heartbeat names the next message",
     [](VenueLine& line) {
       line.data(pitch(1, 3)).loses(pitch(4, 1)).says(pitch(5, 0)).says(pitch(5, 0));
       line.data(pitch(5, 2)).loses(pitch(7, 1)).says(pitch(8, 0));
     },
     "1: 1-3 5-6", "1: 4 7"},
    {"cboe-pitch", "number 0 moves nothing whether it is a heartbeat or has messages",
     [](VenueLine& line) {
       line.says(pitch(0, 0)).says(pitch(0, 1)).data(pitch(1, 3)).loses(pitch(4, 1));
       line.says(pitch(0, 0)).says(pitch(0, 2)).data(pitch(5, 2));
     },
     "1: 1-3 5-6", "1: 4", 2},
    {"cboe-pitch", "a heartbeat names the first number behind the largest",
     [](VenueLine& line) {
       line.data(pitch(kLargest - 3, 2)).loses(pitch(kLargest - 1, 1)).data(pitch(kLargest, 1));
       line.says(pitch(1, 0)).data(pitch(1, 2)).data(pitch(3, 1));
     },
     "1: 4294967292-4294967293 4294967295; 2: 1-3", "1: 4294967294"},
    {"lse-mitch", "a heartbeat names the next message",
     [](VenueLine& line) {
       line.data(mitch(1, 3)).loses(mitch(4, 2)).says(mitch(6, 0)).data(mitch(6, 2));
       line.loses(mitch(8, 1)).says(mitch(9, 0));
     },
     "1: 1-3 6-7", "1: 4-5 8"},
    {"iex-tp", "a heartbeat names the next message and the next session begins anew",
     [](VenueLine& line) {
       line.data(iex(7, 1, 2)).loses(iex(7, 3, 1)).says(iex(7, 4, 0)).data(iex(7, 4, 2));
       line.says(iex(8, 1, 0)).data(iex(8, 1, 2)).loses(iex(8, 3, 1)).says(iex(8, 4, 0));
     },
     "1: 1-2 4-5; 2: 1-2", "1: 3; 2: 3"},
    {"ice-impact", "a heartbeat names the next message and the next session begins anew",
     [](VenueLine& line) {
       line.data(ice(1292, 1, 2)).loses(ice(1292, 3, 1)).says(ice(1292, 4, 0));
       line.data(ice(1292, 4, 2))
           .says(ice(1291, 1, 0))
           .data(ice(1291, 1, 2))
           .loses(ice(1291, 3, 1));
       line.says(ice(1291, 4, 0));
     },
     "1: 1-2 4-5; 2: 1-2", "1: 3; 2: 3"},

    // NYSE.
    {"nyse-pillar", "a heartbeat names the next message",
     [](VenueLine& line) {
       line.data(nyse(1, 2)).data(nyse(3, 1)).loses(nyse(4, 1));
       line.says(nyse(5, 0, kNyseHeartbeat)).data(nyse(5, 2));
       line.loses(nyse(7, 1)).says(nyse(8, 0, kNyseHeartbeat));
     },
     "1: 1-3 5-6", "1: 4 7"},
    {"nyse-pillar", "a reset is said again and the message behind it has number 2",
     [](VenueLine& line) {
       line.data(nyse(20, 1)).loses(nyse(21, 1)).data(nyse(22, 1)).waits(50ms);
       for (int i = 0; i < 3; ++i) {
         line.says_in_message(nyse_reset(line.time())).says(nyse(2, 0, kNyseHeartbeat)).waits(5ms);
       }
       line.data(nyse(2, 1)).loses(nyse(3, 1)).data(nyse(4, 1));
     },
     "1: 20 22; 2: 1-2 4", "1: 21; 2: 3"},
    {"nyse-pillar", "a reset is said for seconds on both lines and is one",
     [](VenueLine& line) {
       line.data(nyse(20, 3)).waits(50ms);
       for (int i = 0; i < 3; ++i) line.says_in_message(nyse_reset(line.time())).waits(300ms);
       line.data(nyse(2, 2));
     },
     "1: 20-22; 2: 1-3"},
    {"nyse-pillar", "a fail-over resets under another flag",
     [](VenueLine& line) {
       line.data(nyse(20, 2)).waits(50ms).says_in_message(nyse_reset(line.time(), kNyseFailOver));
       line.data(nyse(2, 2, kNyseFailOver)).loses(nyse(4, 1)).data(nyse(5, 1));
     },
     "1: 20-21; 2: 1-3 5", "2: 4"},
    {"nyse-pillar", "retransmissions fill holes and a refresh repeats what is old",
     [](VenueLine& line) {
       line.data(nyse(1000, 2)).loses(nyse(1002, 3)).data(nyse(1005, 1)).waits(50ms);
       line.sends_again(nyse(1002, 1, kNyseRetransmission));
       line.sends_again(nyse(1003, 1, kNysePartOfRetransmission));
       line.sends_again(nyse(1000, 2, kNyseStartOfRefresh)).data(nyse(1006, 1));
     },
     "1: 1000-1003 1005-1006", "1: 1004"},

    // OPRA and CTA.
    {"opra-v6", "line integrity has a count of 1 and the last number",
     [](VenueLine& line) {
       line.data(opra(6, kOpraQuote, 1, 3)).loses(opra(6, kOpraQuote, 4, 2));
       line.says(opra(6, kOpraLineIntegrity, 5)).says(opra(6, kOpraLineIntegrity, 5));
       line.data(opra(6, kOpraQuote, 6, 2)).loses(opra(6, kOpraQuote, 8));
       line.says(opra(6, kOpraLineIntegrity, 8));
     },
     "1: 1-3 6-7", "1: 4-5 8"},
    {"opra-v6", "a block sequence that is reset to 1 goes on with 2",
     [](VenueLine& line) {
       line.data(opra(6, kOpraQuote, 500, 3)).loses(opra(6, kOpraQuote, 503));
       line.data(opra(6, kOpraQuote, 504)).waits(50ms).says_in_message(opra(6, kOpraReset, 1));
       line.says(opra(6, kOpraLineIntegrity, 1)).data(opra(6, kOpraQuote, 2, 2));
     },
     "1: 500-502 504; 2: 1-3", "1: 503"},
    {"opra-v6", "a block sequence that is reset to a higher number leaves no gap",
     [](VenueLine& line) {
       line.data(opra(6, kOpraQuote, 500, 3))
           .waits(50ms)
           .says_in_message(opra(6, kOpraReset, 9000));
       line.loses(opra(6, kOpraQuote, 9001)).data(opra(6, kOpraQuote, 9002, 2));
     },
     "1: 500-502; 2: 9000 9002-9003", "2: 9001"},
    {"opra-v6", "the start of the day has number 0",
     [](VenueLine& line) {
       line.data(opra(6, kOpraQuote, 500, 3))
           .says_in_message(opra(6, kOpraEndOfDay, 503))
           .waits(5s);
       line.says_in_message(opra(6, kOpraStartOfDay, 0)).says(opra(6, kOpraLineIntegrity, 0));
       line.data(opra(6, kOpraQuote, 1, 2)).loses(opra(6, kOpraQuote, 3));
       line.says(opra(6, kOpraLineIntegrity, 3));
     },
     "1: 500-503; 2: 0-2", "2: 3"},
    {"opra-v6", "the end of the day is a message and line integrity repeats its number",
     [](VenueLine& line) {
       line.data(opra(6, kOpraQuote, 1, 3)).loses(opra(6, kOpraQuote, 4));
       line.says_in_message(opra(6, kOpraEndOfDay, 5));
       for (int i = 0; i < 3; ++i) line.says(opra(6, kOpraLineIntegrity, 5));
     },
     "1: 1-3 5", "1: 4"},
    {"opra-v6", "line integrity has the largest number",
     [](VenueLine& line) {
       line.data(opra(6, kOpraQuote, kLargest - 3, 3)).loses(opra(6, kOpraQuote, kLargest));
       line.says(opra(6, kOpraLineIntegrity, kLargest)).data(opra(6, kOpraQuote, 1, 2));
       line.data(opra(6, kOpraQuote, 3));
     },
     "1: 4294967292-4294967294; 2: 1-3", "1: 4294967295"},
    {"opra-v6", "retransmissions fill holes",
     [](VenueLine& line) {
       line.data(opra(6, kOpraQuote, 1, 3)).loses(opra(6, kOpraQuote, 4, 2));
       line.data(opra(6, kOpraQuote, 6)).sends_again(opra(6, kOpraQuote, 4, 1, "V"));
       line.data(opra(6, kOpraQuote, 7));
     },
     "1: 1-4 6-7", "1: 5"},
    {"opra-v5", "line integrity has the number of the last block",
     [](VenueLine& line) {
       line.data(opra(5, kOpraQuote, 1, 3)).loses(opra(5, kOpraQuote, 2, 4));
       line.says(opra(5, kOpraLineIntegrity, 2)).data(opra(5, kOpraQuote, 3, 2));
       line.loses(opra(5, kOpraQuote, 4)).says(opra(5, kOpraLineIntegrity, 4));
     },
     "1: 1 3", "1: 2 4"},
    {"opra-v5", "a block sequence that is reset to 1 goes on with 2",
     [](VenueLine& line) {
       line.data(opra(5, kOpraQuote, 500, 3)).loses(opra(5, kOpraQuote, 501));
       line.data(opra(5, kOpraQuote, 502)).waits(50ms).says_in_message(opra(5, kOpraReset, 1));
       line.data(opra(5, kOpraQuote, 2, 2));
     },
     "1: 500 502; 2: 1-2", "1: 501"},
    {"opra-v5", "the end of the day is a block and the next day begins with block 0",
     [](VenueLine& line) {
       line.data(opra(5, kOpraQuote, 1, 3)).loses(opra(5, kOpraQuote, 2));
       line.says_in_message(opra(5, kOpraEndOfDay, 3))
           .says(opra(5, kOpraLineIntegrity, 3))
           .waits(5s);
       line.says_in_message(opra(5, kOpraStartOfDay, 0)).data(opra(5, kOpraQuote, 1, 3));
     },
     "1: 1 3; 2: 0-1", "1: 2"},
    {"opra-v5", "retransmissions fill holes",
     [](VenueLine& line) {
       line.data(opra(5, kOpraQuote, 1, 3)).loses(opra(5, kOpraQuote, 2));
       line.loses(opra(5, kOpraQuote, 3)).data(opra(5, kOpraQuote, 4));
       line.sends_again(opra(5, kOpraQuote, 2, 1, "V")).data(opra(5, kOpraQuote, 5));
     },
     "1: 1-2 4-5", "1: 3"},
    {"cta-v2", "line integrity has a count of 1 and the last number",
     [](VenueLine& line) {
       line.data(cta(kCtaTrade, 1, 3)).loses(cta(kCtaTrade, 4, 2));
       line.says(cta(kCtaLineIntegrity, 5)).says(cta(kCtaLineIntegrity, 5));
       line.data(cta(kCtaTrade, 6, 2)).loses(cta(kCtaTrade, 8));
       line.says(cta(kCtaLineIntegrity, 8));
     },
     "1: 1-3 6-7", "1: 4-5 8"},
    {"cta-v2", "a reset to a higher number leaves no gap",
     [](VenueLine& line) {
       line.data(cta(kCtaTrade, 1, 3)).loses(cta(kCtaTrade, 4)).data(cta(kCtaTrade, 5));
       line.says_in_message(cta(kCtaReset, 5000)).data(cta(kCtaTrade, 5001, 2));
     },
     "1: 1-3 5; 2: 5000-5002", "1: 4"},
    {"cta-v2", "the end of the day is a message and the next day begins with 0",
     [](VenueLine& line) {
       line.data(cta(kCtaTrade, 1, 3))
           .loses(cta(kCtaTrade, 4))
           .says_in_message(cta(kCtaEndOfDay, 5));
       for (int i = 0; i < 3; ++i) line.says(cta(kCtaLineIntegrity, 5));
       line.waits(5s).says_in_message(cta(kCtaStartOfDay, 0)).data(cta(kCtaTrade, 1, 2));
     },
     "1: 1-3 5; 2: 0-2", "1: 4"},
    {"cta-v2", "the start of the day has the number behind the last",
     [](VenueLine& line) {
       line.data(cta(kCtaTrade, 1, 3)).loses(cta(kCtaTrade, 4)).data(cta(kCtaTrade, 5));
       line.says_in_message(cta(kCtaStartOfDay, 6)).data(cta(kCtaTrade, 7, 2));
     },
     "1: 1-3 5-8", "1: 4"},
    {"cta-v2", "retransmissions fill holes",
     [](VenueLine& line) {
       line.data(cta(kCtaTrade, 1, 3)).loses(cta(kCtaTrade, 4, 2)).data(cta(kCtaTrade, 6));
       line.sends_again(cta(kCtaTrade, 4, 1, "V")).data(cta(kCtaTrade, 7));
     },
     "1: 1-4 6-7", "1: 5"},

    // A heartbeat of the last number.
    {"memx", "a heartbeat has the last number",
     [](VenueLine& line) {
       line.says(memx(kMemxHeartbeat, kMemxSession, 0)).data(memx_data(kMemxSession, 1, 3));
       line.loses(memx_data(kMemxSession, 4, 2)).says(memx(kMemxHeartbeat, kMemxSession, 5));
       line.says(memx(kMemxHeartbeat, kMemxSession, 5)).data(memx_data(kMemxSession, 6, 2));
       line.loses(memx_data(kMemxSession, 8, 1)).says(memx(kMemxHeartbeat, kMemxSession, 8));
     },
     "1: 1-3 6-7", "1: 4-5 8"},
    {"memx", "a shutdown is said several times and tells of a lost tail",
     [](VenueLine& line) {
       line.data(memx_data(kMemxSession, 1, 3)).loses(memx_data(kMemxSession, 4, 2));
       for (int i = 0; i < 3; ++i) line.says(memx(kMemxShutdown, kMemxSession, 5));
       line.says(memx(kMemxHeartbeat, kMemxSession + 1, 0));
       line.data(memx_data(kMemxSession + 1, 1, 2));
     },
     "1: 1-3; 2: 1-2", "1: 4-5"},
    {"miax-mach", "a heartbeat has the number of the last message of a datagram",
     [](VenueLine& line) {
       line.data(mach_data(1, 1, 3)).loses(mach_data(1, 4, 2)).says(mach(kMachHeartbeat, 1, 5));
       line.says(mach(kMachHeartbeat, 1, 5)).data(mach_data(1, 6, 5)).data(mach_data(1, 11, 1));
       line.loses(mach_data(1, 12, 2)).says(mach(kMachHeartbeat, 1, 13));
     },
     "1: 1-3 6-11", "1: 4-5 12-13"},
    {"miax-mach", "heartbeats of session 0 say nothing before a session starts",
     [](VenueLine& line) {
       line.says(mach(kMachHeartbeat, 0, 0)).says(mach(kMachHeartbeat, 0, 0));
       line.says(mach(kMachStartOfSession, 1, 0)).says(mach(kMachHeartbeat, 1, 0));
       line.loses(mach_data(1, 1, 2)).data(mach_data(1, 3, 2));
     },
     "1: 3-4", "1: 1-2"},
    {"miax-mach", "the end of a session has the last number and tells of a lost tail",
     [](VenueLine& line) {
       line.says(mach(kMachStartOfSession, 1, 0)).data(mach_data(1, 1, 3));
       line.loses(mach_data(1, 4, 2)).says(mach(kMachEndOfSession, 1, 5));
       line.says(mach(kMachStartOfSession, 2, 0)).data(mach_data(2, 1, 2));
     },
     "1: 1-3; 2: 1-2", "1: 4-5"},
    {"miax-mach", "a session starts in mid-day without the end of the one before",
     [](VenueLine& line) {
       line.data(mach_data(1, 800, 3)).loses(mach_data(1, 803, 1)).data(mach_data(1, 804, 2));
       line.says(mach(kMachStartOfSession, 2, 0)).data(mach_data(2, 1, 3));
     },
     "1: 800-802 804-805; 2: 1-3", "1: 803"},
    {"hkex-omd", "a heartbeat has the last number",
     [](VenueLine& line) {
       line.says(omd(0, 0)).data(omd(1, 3)).loses(omd(4, 2)).says(omd(5, 0)).says(omd(5, 0));
       line.data(omd(6, 2)).loses(omd(8, 1)).says(omd(8, 0));
     },
     "1: 1-3 6-7", "1: 4-5 8"},
    {"hkex-omd", "a sequence reset comes several times and the message behind it has number 1",
     [](VenueLine& line) {
       line.data(omd(9, 2)).loses(omd(11, 1)).data(omd(12, 1)).waits(50ms);
       for (int i = 0; i < 3; ++i) line.says(omd_reset(1, line.time())).says(omd(0, 0));
       line.data(omd(1, 2)).loses(omd(3, 1)).says(omd(3, 0)).data(omd(4, 1));
     },
     "1: 9-10 12; 2: 1-2 4", "1: 11; 2: 3"},

    // A number that stands elsewhere, or is the next one's.
    {"b3-umdf", "Sequence has number 0 and the next one in its message",
     [](VenueLine& line) {
       line.data(umdf_data(7, 1)).data(umdf_data(7, 2)).loses(umdf_data(7, 3));
       line.says(umdf_sequence(7, 4)).says(umdf_sequence(7, 4)).data(umdf_data(7, 4));
       line.loses(umdf_data(7, 5)).says(umdf_sequence(7, 6));
     },
     "1: 1-2 4", "1: 3 5"},
    {"b3-umdf", "a fail-over has the next version and begins with 1",
     [](VenueLine& line) {
       line.data(umdf_data(7, 500)).loses(umdf_data(7, 501)).says(umdf_sequence(7, 502));
       line.data(umdf_data(7, 502)).says(umdf_reset(8)).says(umdf_sequence(8, 1));
       line.data(umdf_data(8, 1)).data(umdf_data(8, 2));
     },
     "1: 500 502; 2: 1-2", "1: 501"},
    {"b3-umdf", "a SequenceReset under the same version begins with 1",
     [](VenueLine& line) {
       line.data(umdf_data(7, 500))
           .loses(umdf_data(7, 501))
           .data(umdf_data(7, 502))
           .waits(50ms)
           .says(umdf_reset(7));
       line.data(umdf_data(7, 1)).data(umdf_data(7, 2));
     },
     "1: 500 502; 2: 1-2", "1: 501"},
    {"aquis", "a heartbeat has a count of 1 and the next number",
     [](VenueLine& line) {
       line.data(aquis(1, 3)).says(aquis_heartbeat(4)).data(aquis(4, 1)).loses(aquis(5, 2));
       line.says(aquis_heartbeat(7))
           .says(aquis_heartbeat(7))
           .data(aquis(7, 2))
           .loses(aquis(9, 1))
           .says(aquis_heartbeat(10));
     },
     "1: 1-4 7-8", "1: 5-6 9"},
    {"coinbase-derivatives", "a heartbeat names the next message",
     [](VenueLine& line) {
       line.data(coinbase(1, 3)).loses(coinbase(4, 2)).says(coinbase(6, 0)).says(coinbase(6, 0));
       line.data(coinbase(6, 2)).loses(coinbase(8, 1)).says(coinbase(9, 0));
     },
     "1: 1-3 6-7", "1: 4-5 8"},
    {"coinbase-derivatives", "snapshots have no number and retransmissions fill holes",
     snapshots_and_retransmissions<coinbase>, "1: 100-103 105-106", "1: 104", 2},
    {"deribit", "a heartbeat names the next message",
     [](VenueLine& line) {
       line.data(starbase(1, 3)).loses(starbase(4, 2)).says(starbase(6, 0)).data(starbase(6, 2));
       line.loses(starbase(8, 1)).says(starbase(9, 0));
     },
     "1: 1-3 6-7", "1: 4-5 8"},
    // Which of the two it is, is not confirmed: the other one does no harm.
    {"deribit", "a heartbeat that has the last number changes nothing",
     [](VenueLine& line) {
       line.data(starbase(1, 3)).says(starbase(3, 0)).loses(starbase(4, 2)).says(starbase(5, 0));
       line.data(starbase(6, 2)).says(starbase(7, 0)).data(starbase(8, 1));
     },
     "1: 1-3 6-8", "1: 4-5"},
    {"deribit", "snapshots have no number and retransmissions fill holes",
     snapshots_and_retransmissions<starbase>, "1: 100-103 105-106", "1: 104", 2},

    // Heartbeats that are packets like others.
    {"cme-mdp3", "a heartbeat has a number of its own",
     [](VenueLine& line) {
       line.data(cme(1)).loses(cme(2)).data(cme(3, kCmeHeartbeat)).data(cme(4));
     },
     "1: 1 3-4", "1: 2"},
    {"eurex-eobi", "a heartbeat has a number of its own",
     [](VenueLine& line) {
       line.data(eobi(1)).loses(eobi(2)).data(eobi(3, false, kEobiHeartbeat)).data(eobi(4));
     },
     "1: 1 3-4", "1: 2"},
    {"eurex-eobi", "the first packets say that the numbers begin anew and one of them is lost",
     [](VenueLine& line) {
       line.data(eobi(500)).loses(eobi(501)).data(eobi(502)).waits(50ms);
       line.says_in_message(eobi(1, true))
           .loses(eobi(2, true))
           .says_in_message(eobi(3, true))
           .data(eobi(4));
     },
     "1: 500 502; 2: 1 3-4", "1: 501; 2: 2"},
    {"eurex-eobi", "a technical beacon is nothing of the feed",
     [](VenueLine& line) {
       line.data(eobi(1)).carries_noise(eobi_beacon()).loses(eobi(2)).carries_noise(eobi_beacon());
       line.data(eobi(3));
     },
     "1: 1 3", "1: 2"},
    {"euronext-optiq-mdg", "a health status has a number of its own and so has the end of the day",
     [](VenueLine& line) {
       line.data(mdg(0, 1)).loses(mdg(0, 2)).data(mdg(0, 3, kMdgHealthStatus)).data(mdg(0, 4));
       line.data(mdg(0, 5, kMdgEndOfDay)).data(mdg(0, 6, kMdgEndOfDay));
     },
     "1: 1 3-6", "1: 2"},
    {"euronext-optiq-mdg", "a gateway that restarts counts it in its flags and begins with 1",
     [](VenueLine& line) {
       line.data(mdg(7, 500)).loses(mdg(7, 501)).data(mdg(7, 502)).data(mdg(0, 1));
       line.loses(mdg(0, 2)).data(mdg(0, 3));
     },
     "0: 1; 1: 500 502; 2: 3", "1: 501; 2: 2"},
    {"euronext-optiq-mdg", "three bits of the flags are the number's",
     [](VenueLine& line) {
       line.data(mdg(0, kLargest - 1)).loses(mdg(0, kLargest)).data(mdg(0, kLargest + 1));
       line.data(mdg(0, kLargest + 2, kMdgHealthStatus));
     },
     "1: 4294967294 4294967296-4294967297", "1: 4294967295"},
    {"moex-simba", "a heartbeat is not incremental and has a number of its own",
     [](VenueLine& line) {
       line.data(simba_data(1)).loses(simba_data(2));
       line.data(simba(3, kSimbaLastFragment, kSimbaHeartbeat)).data(simba_data(4));
     },
     "1: 1 3-4", "1: 2"},
    {"moex-simba", "snapshots have no number and what was perhaps sent before has one",
     [](VenueLine& line) {
       line.data(simba_data(100)).says(simba(1, kSimbaStartOfSnapshot, 17)).says(simba(2, 0, 17));
       line.loses(simba_data(101)).loses(simba_data(102)).data(simba_data(103));
       line.data(simba_data(102, kSimbaPossiblyRepeated)).data(simba_data(104));
     },
     "1: 100 102-104", "1: 101", 2},
};

}  // namespace

std::span<const VenueStory> venue_stories() {
  return kStories;
}

std::string name_of_story(const VenueStory& story) {
  std::string name;
  bool begins_word = true;
  for (const char letter : std::string(story.framing) + " " + story.title) {
    const bool is_word = std::isalnum(static_cast<unsigned char>(letter)) != 0;
    if (is_word) name += begins_word ? static_cast<char>(std::toupper(letter)) : letter;
    begins_word = !is_word;
  }
  return name;
}

}  // namespace linearb::test
