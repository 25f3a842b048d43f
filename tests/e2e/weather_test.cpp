// SPDX-License-Identifier: Apache-2.0
//
// Bad weather: what the operator reads when something is not as it should be, one line; the exit
// status; and that nothing is left behind.
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fnmatch.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include <bpf/bpf.h>

#include "capture/reader.h"
#include "support/namespace.h"
#include "support/program.h"
#include "support/redirect_program.h"
#include "sys/netlink.h"
#include "xsk/socket.h"

namespace linearb::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Lives as long as the weather lasts.
using Held = std::shared_ptr<void>;

struct Weather {
  const char* name;
  const char* faults;  ///< for linearb_faults, quoted for the shell; "" is none
  const char* arguments;
  const char* says;  ///< the line behind "linearb: "; "*" is any text
  int status;
  std::function<Held()> make{};
};

void PrintTo(const Weather& weather, std::ostream* stream) {
  *stream << weather.faults << (*weather.faults ? " -- " : "") << weather.arguments;
}

/// The id of the XDP program that is attached; 0: none.
std::uint32_t program_on(const std::string& name) {
  std::uint32_t id = 0;
  EXPECT_EQ(::bpf_xdp_query_id(static_cast<int>(sys::interface_index(name)), 0, &id), 0);
  return id;
}

/// Everything that a program could leave: interfaces, what is attached to them, pins.
std::string surroundings() {
  std::string text;
  const std::unique_ptr<struct if_nameindex[], decltype(&::if_freenameindex)> names(
      ::if_nameindex(), &::if_freenameindex);
  for (std::size_t i = 0; names[i].if_index != 0; ++i) {
    const sys::Interface interface = sys::query_interface(names[i].if_name);
    text += fmt::format("{} {} mtu {} program {}\n", interface.name, interface.up ? "up" : "down",
                        interface.mtu, program_on(interface.name));
  }
  for (const auto& pin : fs::recursive_directory_iterator("/sys/fs/bpf"))
    text += pin.path().string() + "\n";
  return text;
}

std::string under(const std::string& faults, const std::string& arguments) {
  return faults + " -- " + LINEARB_PROGRAM + " " + arguments;
}

/// The lines of the lab, and a folder of its own that is the current one.
class WeatherTest : public LabTest {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    folder_ = fs::temp_directory_path() / "linearb-weather-XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    before_ = fs::current_path();
    fs::current_path(folder_);
    // What a program started and left would become a child of this process.
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  }
  void TearDown() override {
    fs::current_path(before_);
    fs::remove_all(folder_);
    LabTest::TearDown();
  }

 private:
  std::string folder_;
  fs::path before_;
};

Held write_file(const char* path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
  return nullptr;
}

/// For /sys/fs/bpf: as on a machine that has not mounted it.
Held no_bpffs() {
  EXPECT_EQ(::mount("none", "/sys/fs/bpf", "tmpfs", 0, nullptr), 0);
  return {nullptr, [](void*) { ::umount("/sys/fs/bpf"); }};
}

Held set_down(const char* name) {
  sys::set_interface_up(name, false);
  return nullptr;
}

/// A device without native XDP, over line B.
constexpr const char* kBridge = "bridgeB";

Held make_bridge() {
  sys::LinkRequest create(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  create.put(IFLA_IFNAME, kBridge);
  const std::size_t info = create.open_nest(IFLA_LINKINFO);
  create.put(IFLA_INFO_KIND, "bridge");
  create.close_nest(info);
  EXPECT_EQ(create.send(), 0);
  sys::set_interface_up(kBridge, true);
  ifinfomsg port{};
  port.ifi_index = static_cast<int>(sys::interface_index("vethB_dst"));
  sys::LinkRequest join(RTM_NEWLINK, 0, port);
  join.put(IFLA_MASTER, sys::interface_index(kBridge));
  EXPECT_EQ(join.send(), 0);
  return {nullptr, [](void*) {
            ifinfomsg bridge{};
            bridge.ifi_index = static_cast<int>(sys::interface_index(kBridge));
            sys::LinkRequest(RTM_DELLINK, 0, bridge).send();
          }};
}

Held foreign_hook(const char* name, std::uint32_t xdp_flags) {
  return std::make_shared<RedirectProgram>(name, xdp_flags);
}

/// As of a version to come: the name says so, since its maps are unknown.
Held hook_of_another_layout() {
  const bpf_insn pass[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS},
                           {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  const sys::Fd program(::bpf_prog_load(BPF_PROG_TYPE_XDP, "linearb_v99", "GPL", pass, 2, nullptr));
  const int index = static_cast<int>(sys::interface_index("vethA_dst"));
  EXPECT_EQ(::bpf_xdp_attach(index, program.get(), XDP_FLAGS_DRV_MODE, nullptr), 0);
  return {nullptr, [index](void*) { ::bpf_xdp_detach(index, XDP_FLAGS_DRV_MODE, nullptr); }};
}

struct BusyQueue {
  xsk::Umem umem{{.frames = 64, .fill_ring_entries = 64}};
  xsk::Socket socket;

  explicit BusyQueue(const char* name) : socket(umem, {.interface = name, .receive_frames = 64}) {}
};

Held busy_queue(const char* name) {
  return std::make_shared<BusyQueue>(name);
}

Held another_receiver() {
  auto receiver = std::make_shared<Program>(LINEARB_PROGRAM, "receive");
  EXPECT_TRUE(receiver->wait_until_receiving()) << receiver->errors();
  return {receiver.get(), [receiver](void*) {
            receiver->interrupt();
            EXPECT_EQ(receiver->wait(), 0) << receiver->errors();
          }};
}

/// The header of a little-endian capture in microseconds, with the link type.
std::string pcap_header(char link_type) {
  std::string header("\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0\0\0", 24);
  header[20] = link_type;
  return header;
}

constexpr const char* kWithoutRights =
    "without:BPF without:PERFMON without:NET_ADMIN without:NET_RAW without:SYS_ADMIN "
    "without:IPC_LOCK";

const Weather kWeather[] = {
    // The lines.
    {"UnknownInterface", "", "receive --line A=nothere",
     "find interface nothere: No such device; ip link shows those there are", 1},
    {"UnknownInterfaceToFeed", "", "feed --packets 1 --line A=nothere",
     "find interface nothere: No such device; ip link shows those there are", 1},
    {"InterfaceDown", "", "receive",
     "line B: interface vethB_dst is down; set it up (ip link set vethB_dst up)", 1,
     [] { return set_down("vethB_dst"); }},
    {"InterfaceDownToFeed", "", "feed --packets 1",
     "line B: send on vethB_src: Network is down; see `ip link show vethB_src`", 1,
     [] { return set_down("vethB_src"); }},
    {"ForeignHook", "", "receive",
     "vethB_dst has a foreign XDP program (test_redirect, id *), which linearb does not replace; "
     "detach it first (ip link set dev vethB_dst xdp* off)",
     1, [] { return foreign_hook("vethB_dst", XDP_FLAGS_DRV_MODE); }},
    {"ForeignHookInGenericMode", "", "receive",
     "vethB_dst has a foreign XDP program (test_redirect, id *), which linearb does not replace; "
     "detach it first (ip link set dev vethB_dst xdpgeneric off)",
     1, [] { return foreign_hook("vethB_dst", XDP_FLAGS_SKB_MODE); }},
    {"HookOfAnotherLayout", "", "receive",
     "vethA_dst has a hook of layout version 99 *; detach it first (linearb detach --line "
     "NAME=vethA_dst)",
     1, hook_of_another_layout},
    {"NativeRefusedOnTheSecondLine", "",
     "receive --line A=vethA_dst --line B=bridgeB --mode native",
     "attach the hook to bridgeB in native mode: Operation not supported; the kernel says "
     "\"*native mode*\"; the driver may have no XDP: try --mode generic",
     1, make_bridge},
    {"BusyQueue", "", "receive",
     "bind AF_XDP socket on vethA_dst queue 0: Device or resource busy; another AF_XDP socket "
     "holds this queue: stop its process, e2e (pid *)",
     1, [] { return busy_queue("vethA_dst"); }},
    {"BusyQueueOnTheSecondLine", "", "receive",
     "bind AF_XDP socket on vethB_dst queue 0: Device or resource busy; another AF_XDP socket "
     "holds this queue: stop its process, e2e (pid *)",
     1, [] { return busy_queue("vethB_dst"); }},
    {"BusyQueueToFeed", "", "feed --packets 1",
     "bind AF_XDP socket on vethB_src queue 0: Device or resource busy; *, e2e (pid *)", 1,
     [] { return busy_queue("vethB_src"); }},
    {"SecondReceiver", "", "receive",
     "another receiver* owns the hook on these lines; stop it first", 1, another_receiver},

    // Rights.
    {"NoRights",
     kWithoutRights,
     "receive",
     "load the hook: Operation not permitted; this needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN: "
     "run as root",
     1,
     {}},
    {"NoBpfRight",
     "without:BPF without:SYS_ADMIN",
     "receive",
     "load the hook: Operation not permitted; this needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN: "
     "run as root",
     1,
     {}},
    {"NoNetAdmin", "without:NET_ADMIN", "receive",
     "attach the hook to vethA_dst: Operation not permitted; this needs CAP_BPF, CAP_PERFMON and "
     "CAP_NET_ADMIN: run as root",
     1},
    {"NoNetRaw", "without:NET_RAW", "receive",
     "open an AF_XDP socket: Operation not permitted; it needs root or CAP_NET_RAW", 1},
    {"NoNetRawToFeed", "without:NET_RAW", "feed --packets 1",
     "open an AF_XDP socket: Operation not permitted; it needs root or CAP_NET_RAW", 1},
    {"NoNetAdminForTheLab", "without:NET_ADMIN", "lab up --lines 2",
     "*: Operation not permitted; it needs root or CAP_NET_ADMIN", 1},
    {"NoSysAdminForTheDemo", "without:SYS_ADMIN", "demo --packets 1",
     "make a private network namespace (unshare): Operation not permitted; it needs root or "
     "CAP_SYS_ADMIN",
     1},
    {"NoBpffsAndNoRightToMountIt", "without:SYS_ADMIN", "receive",
     "mount the BPF file system on /sys/fs/bpf: Operation not permitted; mount it (mount -t bpf "
     "bpf /sys/fs/bpf) or run as root",
     1, no_bpffs},

    // The kernel.
    {"NoBpf",
     "bpf=ENOSYS",
     "receive",
     "load the hook: Function not implemented; this kernel was built without it "
     "(CONFIG_BPF_SYSCALL)",
     1,
     {}},
    {"ProgramRefused",
     "bpf:5=EINVAL",
     "receive",
     "load the hook: Invalid argument; this kernel may be too old for it: linearb needs Linux 5.12 "
     "or newer (uname -r), built with CONFIG_BPF_SYSCALL and CONFIG_XDP_SOCKETS",
     1,
     {}},
    {"MapRefused",
     "bpf:0=EINVAL",
     "receive",
     "load the hook: Invalid argument; this kernel may be too old for it: linearb needs Linux 5.12 "
     "or newer (uname -r), built with CONFIG_BPF_SYSCALL and CONFIG_XDP_SOCKETS",
     1,
     {}},
    {"NoAfXdp", "socket:44=EAFNOSUPPORT", "receive",
     "open an AF_XDP socket: Address family not supported by protocol; this kernel was built "
     "without it (CONFIG_XDP_SOCKETS)",
     1},
    {"NoAfXdpToFeed", "socket:44=EAFNOSUPPORT", "feed --packets 1",
     "open an AF_XDP socket: Address family not supported by protocol; this kernel was built "
     "without it (CONFIG_XDP_SOCKETS)",
     1},

    // Memory, descriptors, threads. 283 is SOL_XDP, 4 XDP_UMEM_REG, 2 XDP_RX_RING.
    {"LockedMemory", "without:IPC_LOCK limit:MEMLOCK=65536", "receive",
     "register a UMEM of 8388608 bytes: No buffer space available; it is locked memory: use fewer "
     "frames (--frames), raise RLIMIT_MEMLOCK (ulimit -l), or run as root or with CAP_IPC_LOCK",
     1},
    {"NoMemoryForUmem", "'mmap:1>=8388608=ENOMEM'", "receive",
     "map 8388608 bytes of UMEM: Cannot allocate memory; free memory, or use fewer frames "
     "(--frames)",
     1},
    {"NoMemoryToRegisterUmem", "setsockopt:1==283:2==4=ENOMEM", "receive",
     "register a UMEM of 8388608 bytes: Cannot allocate memory; free memory, or use fewer frames "
     "(--frames)",
     1},
    {"NoMemoryForRings", "setsockopt:1==283:2==2=ENOMEM", "receive",
     "bind AF_XDP socket on vethA_dst queue 0: Cannot allocate memory; free memory, or use fewer "
     "frames (--frames)",
     1},
    {"NoMemoryForMaps",
     "bpf:0=ENOMEM",
     "receive",
     "load the hook: Cannot allocate memory; free memory, or take fewer channels",
     1,
     {}},
    {"MapsThatCannotBeMapped",
     "mmap:3==1=ENOMEM",
     "receive",
     "map 4096 bytes of config: Cannot allocate memory; free memory, or raise its limit (ulimit "
     "-v)",
     1,
     {}},
    {"NoMemoryForTheWriter", "limit:AS=73400320", "receive --write a.pcap",
     "reserve 67108864 bytes for packets on their way to a.pcap: Cannot allocate memory; free "
     "memory, or raise its limit (ulimit -v)",
     1},
    {"NoThreadForTheWriter", "clone3=EAGAIN", "receive --write a.pcap",
     "start the thread that writes a.pcap: Resource temporarily unavailable; raise the limit of "
     "threads or of memory (ulimit -u, ulimit -v)",
     1},
    {"NoEventDescriptor", "eventfd2=EMFILE", "receive",
     "make an event descriptor: Too many open files; raise the limit of open files (ulimit -n)", 1},
    {"NoRoomForAnotherGroup", "setsockopt:1==0:2==35=ENOBUFS",
     "receive --channel x=optiq@239.1.1.1:1",
     "join 239.1.1.1 on vethA_dst: No buffer space available; raise sysctl "
     "net.ipv4.igmp_max_memberships",
     1},

    // Configuration.
    {"MalformedToml", "", "receive --config a.toml", "a.toml:1:10: *", 2,
     [] { return write_file("a.toml", "frames = = 64\n"); }},
    {"UnknownKey", "", "receive --config a.toml",
     "a.toml:1:1: there is no key \"frmes\"; did you mean \"frames\"?", 2,
     [] { return write_file("a.toml", "frmes = 64\n"); }},
    {"ACaptureAsConfiguration", "", "receive --config a.pcap", "a.pcap:1:1: *", 2,
     [] { return write_file("a.pcap", pcap_header(1)); }},
    {"WriteToAPipe", "", "receive --write a.fifo",
     "create capture a.fifo: it is a pipe, and a capture is written to a file: name one", 1,
     [] {
       EXPECT_EQ(::mkfifo("a.fifo", 0600), 0);
       return Held();
     }},
    {"UnknownFraming",
     "",
     "receive --channel x=otpiq@any:1",
     "no framing \"otpiq\" is built in; did you mean \"optiq\"?; a file of your own is named by "
     "its path: "
     "./otpiq.toml",
     2,
     {}},
    {"FramingFileMissing", "", "receive --channel x=./none.toml@any:1",
     "read ./none.toml: No such file or directory", 2},
    {"MalformedFraming", "", "receive --channel x=./a.toml@any:1", "./a.toml:1:*: *", 2,
     [] { return write_file("a.toml", "[framing\n"); }},
    {"WordForANumber", "", "receive --frames many", "*--frames*many*; *--help*", 2, {}},
    {"NumberBelowZero", "", "receive --frames -1", "*--frames*-1*; *--help*", 2, {}},
    {"ImpossibleFrames", "", "receive --frames 100",
     "--frames 100: it has to be a power of two from 64 to 65536", 2},
    {"ImpossiblePackets", "", "receive --packets 0", "--packets 0: it has to be at least 1", 2},
    {"ImpossibleIdleExit", "", "receive --idle-exit -1",
     "--idle-exit -1: it has to be a number of seconds above 0", 2},
    {"ImpossibleCpu",
     "",
     "receive --cpu 1023",
     "pin a thread to CPU 1023: it may run on * only",
     2,
     {}},

    // Captures.
    {"CutCapture", "", "feed --replay a.pcap",
     "a.pcap: record 1, near byte 27: truncated dump file*; the file is cut off or damaged: copy "
     "it again, or keep what is before with `tcpdump -r a.pcap -w FILE`",
     2, [] { return write_file("a.pcap", pcap_header(1) + "cut"); }},
    {"CaptureCutInItsHeader", "", "feed --replay a.pcap",
     "a.pcap: truncated dump file*; it has to be a capture in pcap or pcapng format, plain or "
     "packed with gzip",
     2, [] { return write_file("a.pcap", pcap_header(1).substr(0, 6)); }},
    {"CaptureOfAnotherLink", "", "feed --replay a.pcap",
     "a.pcap: its link type is 802.11 (*, number 105); Ethernet, Linux cooked and raw IP can be "
     "read: "
     "capture the lines on an Ethernet interface",
     2, [] { return write_file("a.pcap", pcap_header(105)); }},
    {"CaptureOfNothing", "", "feed --replay a.pcap",
     "a.pcap: there is no UDP datagram in it, and 0 other records", 2,
     [] { return write_file("a.pcap", pcap_header(1)); }},
    {"TextAsCapture", "", "feed --replay a.txt", "a.txt: it is no capture (*: give a capture", 2,
     [] { return write_file("a.txt", "a day of the feed"); }},
    {"EmptyFileAsCapture", "", "feed --replay a.pcap",
     "a.pcap: it is no capture (*: give a capture", 2, [] { return write_file("a.pcap", ""); }},
    {"FolderAsCapture", "", "feed --replay /tmp", "open /tmp: Is a directory", 2},
    {"NoSuchCapture", "", "feed --replay a.pcap", "open a.pcap: No such file or directory", 2},
    {"CaptureIntoNoFolder", "", "receive --write none/a.pcap",
     "create capture none/a.pcap: No such file or directory; name a file in a folder that is there "
     "and can be written to",
     1},
};

class BadWeather : public WeatherTest, public ::testing::WithParamInterface<Weather> {};

TEST_P(BadWeather, IsSaidInOneLineAndLeavesNothing) {
  const Weather& weather = GetParam();
  const Held held = weather.make ? weather.make() : nullptr;
  const std::string before = surroundings();
  const int children = ::waitpid(-1, nullptr, WNOHANG);
  for (const char* json : {"", " --json"}) {
    Program program(LINEARB_FAULTS, under(weather.faults, std::string(weather.arguments) + json));
    EXPECT_EQ(program.wait(), weather.status);
    EXPECT_EQ(program.output(), "") << "stdout is for results";
    const std::string line = "linearb: " + std::string(weather.says) + "\n";
    EXPECT_EQ(::fnmatch(line.c_str(), program.errors().c_str(), 0), 0)
        << "expected " << line << "     got " << program.errors();
    EXPECT_EQ(std::ranges::count(program.errors(), '\n'), 1) << program.errors();
    EXPECT_EQ(surroundings(), before);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), children) << "a process is left behind";
  }
}

INSTANTIATE_TEST_SUITE_P(Weather, BadWeather, ::testing::ValuesIn(kWeather),
                         [](const auto& test) { return std::string(test.param.name); });

class Recovers : public WeatherTest {};

Json feed_both_lines(const std::string& arguments) {
  Program feeder(LINEARB_PROGRAM, "feed --json " + arguments);
  EXPECT_EQ(feeder.wait(), 0) << feeder.errors();
  return Json::parse(feeder.output());
}

TEST_F(Recovers, AutomaticModeFallsBackToGenericWhereADriverHasNoXdp) {
  const Held bridge = make_bridge();
  const std::string before = surroundings();
  Program receiver(LINEARB_PROGRAM, "receive --json --line A=vethA_dst --line B=bridgeB");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  feed_both_lines("--packets 2000 --rate 20000 --loss 10% --seed 3");
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
  const Json summary = Json::parse(receiver.output());
  EXPECT_EQ(summary["balanced"], true) << receiver.output();
  EXPECT_EQ(summary["lines"][0]["mode"], "native");
  EXPECT_EQ(summary["lines"][1]["mode"], "generic");
  EXPECT_GT(summary["lines"][1]["won"], 0);
  EXPECT_EQ(surroundings(), before);
}

TEST_F(Recovers, AQueueThatIsReleasedSoonIsTaken) {
  Held busy = busy_queue("vethA_dst");
  Program receiver(LINEARB_PROGRAM, "receive");
  // From here on it binds, and is refused again and again.
  ASSERT_TRUE(wait_until([] { return program_on("vethA_dst") != 0; }));
  ::usleep(200'000);
  EXPECT_FALSE(contains(receiver.errors(), "receiving"));
  busy.reset();
  EXPECT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
}

TEST_F(Recovers, AStalePinOfAnotherLayoutIsNoObstacle) {
  fs::create_directory("/sys/fs/bpf/linearb");
  const sys::Fd map(::bpf_map_create(BPF_MAP_TYPE_ARRAY, "config", 4, 4, 1, nullptr));
  ASSERT_EQ(::bpf_obj_pin(map.get(), "/sys/fs/bpf/linearb/config"), 0);
  Program receiver(LINEARB_PROGRAM, "receive");
  EXPECT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
  fs::remove_all("/sys/fs/bpf/linearb");
}

/// Raises the limit of open files by one until the program gets what it needs. `end` waits for its
/// end and returns the exit status.
void raise_descriptors(const std::string& arguments, int (*end)(Program&)) {
  constexpr int kFewest = 4, kEnough = 64;
  constexpr int kNotLoaded = 127;  // the dynamic loader had none for the libraries
  const std::string before = surroundings();
  for (int files = kFewest; files < kEnough; ++files) {
    SCOPED_TRACE(fmt::format("ulimit -n {}", files));
    Program program(LINEARB_FAULTS, under(fmt::format("limit:NOFILE={}", files), arguments));
    const int status = end(program);
    EXPECT_EQ(surroundings(), before);
    if (status == 0) return;
    if (status == kNotLoaded) continue;
    EXPECT_EQ(status, 1);
    const char* line =
        "linearb: *: Too many open files; raise the limit of open files (ulimit -n)\n";
    EXPECT_EQ(::fnmatch(line, program.errors().c_str(), 0), 0) << program.errors();
  }
  ADD_FAILURE() << "it never had enough";
}

TEST_F(Recovers, WhicheverDescriptorAFeedLacksTheLimitIsNamed) {
  raise_descriptors("feed --packets 1", [](Program& feeder) { return feeder.wait(); });
}

TEST_F(Recovers, WhicheverDescriptorAReceiverLacksTheLimitIsNamed) {
  raise_descriptors("receive", [](Program& receiver) {
    EXPECT_TRUE(wait_until([&] { return !receiver.errors().empty(); }));
    if (contains(receiver.errors(), "receiving")) receiver.interrupt();
    return receiver.wait();
  });
}

/// Each queue has a socket for each of them, of which the second may be the one too many.
TEST_F(Recovers, WhicheverDescriptorTwoDataThreadsLackTheLimitIsNamed) {
  raise_descriptors("receive --threads 2", [](Program& receiver) {
    EXPECT_TRUE(wait_until([&] { return !receiver.errors().empty(); }));
    if (contains(receiver.errors(), "receiving")) receiver.interrupt();
    return receiver.wait();
  });
}

/// A kernel that says nothing of itself is taken for an old one.
TEST_F(Recovers, ThreadsInGenericModeAreToldWhereTheKernelMayMixUpTheirFrames) {
  const auto told_by = [](const std::string& arguments) {
    Program receiver(LINEARB_FAULTS, under("uname=EFAULT", "receive " + arguments));
    EXPECT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
    receiver.interrupt();
    EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
    return contains(receiver.errors(),
                    "line A: interface vethA_dst has the hook in generic mode, where threads share "
                    "a fill ring");
  };
  EXPECT_TRUE(told_by("--threads 2 --mode generic"));
  EXPECT_FALSE(told_by("--threads 2 --mode native"));
  EXPECT_FALSE(told_by("--mode generic"));
}

class FullDisk : public WeatherTest {
 protected:
  /// The receiver ends by itself, with a summary on stdout and the reason behind it.
  void expect_end(Program& receiver, const std::string& path) {
    EXPECT_EQ(receiver.wait(), 1);
    summary_ = Json::parse(receiver.output());
    const std::string line = fmt::format(
        "linearb: write capture {}: No space left on device; {} packets are in it; make room, or "
        "give --write a file on another disk\n",
        path, summary_["written"].get<int>());
    EXPECT_TRUE(receiver.errors().ends_with(line)) << line << receiver.errors();
  }
  Json summary_;
};

std::uint64_t records_in(const std::string& path) {
  capture::Reader reader(path);
  std::uint64_t records = 0;
  while (reader.next()) ++records;
  return records;
}

TEST_F(FullDisk, EndsTheRunWithAValidCaptureUpToThere) {
  fs::create_directory("disk");
  ASSERT_EQ(::mount("none", "disk", "tmpfs", 0, "size=1m"), 0);
  const std::string before = surroundings();
  Program receiver(LINEARB_PROGRAM, "receive --json --write disk/a.pcap");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  Program feeder(LINEARB_PROGRAM, "feed --rate 20000");
  expect_end(receiver, "disk/a.pcap");
  feeder.interrupt();
  EXPECT_EQ(feeder.wait(), 0) << feeder.errors();
  EXPECT_GT(summary_["written"], 1'000);
  EXPECT_GE(summary_["packets"], summary_["written"]);
  EXPECT_EQ(summary_["balanced"], true) << summary_.dump();
  EXPECT_EQ(records_in("disk/a.pcap"), summary_["written"]);
  EXPECT_EQ(surroundings(), before);
  EXPECT_EQ(::umount("disk"), 0);
}

TEST_F(FullDisk, FromTheFirstByteOnEndsTheRunToo) {
  const std::string before = surroundings();
  Program receiver(LINEARB_PROGRAM, "receive --json --write /dev/full");
  expect_end(receiver, "/dev/full");
  EXPECT_EQ(summary_["written"], 0);
  EXPECT_EQ(surroundings(), before);
}

}  // namespace
}  // namespace linearb::test
