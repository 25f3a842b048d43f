// SPDX-License-Identifier: Apache-2.0
//
// `linearb merge` as a program: what it says, where, and how it ends.
#include <fstream>
#include <optional>
#include <ostream>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <pty.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "capture/reader.h"
#include "report/json.h"
#include "support/json_lines.h"
#include "support/program.h"
#include "sys/fd.h"
#include "unit/merge/merging.h"

namespace linearb::test {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

constexpr const char* kChannel = " --channel itch=moldudp64@any:30001";
constexpr int kInterrupt = 1 << (SIGINT - 1);

/// Of a line "SigBlk:	0000000000004002".
std::uint64_t signals_of(pid_t pid, const std::string& what) {
  std::ifstream stream("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(stream, line);)
    if (line.starts_with(what + ":")) return std::stoull(line.substr(what.size() + 1), nullptr, 16);
  return 0;
}

class MergeProgram : public Merging {
 protected:
  MergeProgram()
      : a_(write_line("a.pcap", {{kBeginNs, 1}, {kBeginNs + 2'000, 2}})),
        b_(write_line("b.pcap", {{kBeginNs + 1'000, 1}, {kBeginNs + 3'000, 3}})) {}

  static Ended linearb(const std::string& arguments) {
    return run_to_its_end(LINEARB_PROGRAM, "merge " + arguments);
  }

  const std::string a_;
  const std::string b_;
};

TEST_F(MergeProgram, WritesEventsToAFileAndNowhereElse) {
  const std::string c = write_line("c.pcap", {{kBeginNs, 1}, {kBeginNs + 2'000, 5}});
  const Ended ended = linearb(c + kChannel + " --events " + path("events"));
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.errors, "");
  const std::vector<Json> events = read_json_lines(path("events"));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]["event"], "epoch");
  EXPECT_EQ(events[1]["event"], "gap");
  const auto second_of = [&](std::size_t i) {
    return events[i]["time"].get<std::string>().substr(0, 19);
  };
  EXPECT_EQ(second_of(1), second_of(0)) << "by the time of the capture";
  EXPECT_EQ(events[1]["channel"], "itch");
  EXPECT_EQ(events[1]["first"], 2);
  EXPECT_EQ(events[1]["count"], 3);
}

TEST_F(MergeProgram, FailsWhereEventsCannotBeWritten) {
  EXPECT_EQ(linearb(a_ + kChannel + " --events /nowhere/events").status, 2);
  const Ended ended = linearb(a_ + kChannel + " --events /dev/full");
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.errors, HasSubstr("--events /dev/full: "));
}

TEST_F(MergeProgram, PrintsTheSummaryOfAReceiver) {
  const Ended ended = linearb(a_ + " " + b_ + kChannel);
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.errors, "") << "no bar where no terminal is";
  EXPECT_THAT(ended.output, HasSubstr("delivered  3 packets with 3 messages in 0.00 s"));
  EXPECT_THAT(ended.output, HasSubstr("balanced   every packet is accounted for\n"));
}

TEST_F(MergeProgram, PrintsOneObjectWithTheFieldsOfAReceiver) {
  const Ended ended = linearb(a_ + " " + b_ + kChannel + " --json");
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.errors, "");
  const Json object = Json::parse(ended.output);
  Summary summary;
  summary.lines.emplace_back();
  summary.channels.emplace_back();
  const Json known = report::to_json(summary);
  const auto keys = [](const Json& of) {
    std::set<std::string> names;
    for (const auto& [name, value] : of.items()) names.insert(name);
    return names;
  };
  EXPECT_EQ(keys(object), keys(known));
  EXPECT_EQ(keys(object["lines"][1]), keys(known["lines"][0]));
  EXPECT_EQ(keys(object["channels"][0]), keys(known["channels"][0]));
  EXPECT_EQ(object["packets"], 3);
  EXPECT_EQ(object["balanced"], true);
  EXPECT_EQ(object["lines"][0]["name"], "A");
  EXPECT_EQ(object["lines"][1]["duplicate"], 1);
  EXPECT_EQ(object["lines"][1]["mode"], "");
}

TEST_F(MergeProgram, MovesTheClockOfALineAndWrites) {
  const std::string merged = path("merged.pcap");
  const Ended ended =
      linearb(a_ + " " + b_ + kChannel + " --json --offset B=-1.5us --write " + merged);
  EXPECT_EQ(ended.status, 0);
  const Json object = Json::parse(ended.output);
  EXPECT_EQ(object["written"], 3);
  EXPECT_EQ(object["lines"][1]["won"], 2);
  capture::Reader reader(merged);
  EXPECT_EQ(reader.next()->timestamp_ns, kBeginNs - 500);
}

TEST_F(MergeProgram, TakesChannelsFromTheFileOfAReceiverAndDoesNotWriteOntoItsRecording) {
  const std::string recording = path("recording.pcap");
  std::ofstream(recording) << "what the receiver has recorded";
  std::ofstream(path("site.toml"))
      << "wait = \"spin\"\nthreads = 2\nwrite = \"" << recording << "\"\n"
      << "[lines]\nA = \"eno1\"\nB = \"eno2\"\n"
      << "[channels.itch]\nframing = \"moldudp64\"\nthread = 1\n"
      << "A = \"239.192.30.1:30001\"\nB = \"239.192.30.1:9\"\n";
  const Ended ended = linearb(a_ + " " + b_ + " --json --config " + path("site.toml"));
  EXPECT_EQ(ended.status, 0) << ended.errors;
  const Json object = Json::parse(ended.output);
  EXPECT_EQ(object["lines"][0]["won"], 2);
  EXPECT_EQ(object["lines"][1]["not_feed"], 2);
  EXPECT_EQ(object["written"], 0);
  const Bytes bytes = read_file(recording);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "what the receiver has recorded");
}

TEST_F(MergeProgram, TakesEachKeyOfTheFileThatIsAboutArbitration) {
  capture::Writer writer(path("bad.pcap"));
  const Bytes payload = payload_of(Datagram{.time_ns = 0, .first = 1});
  writer.write(kBeginNs, udp_packet().payload(payload).wrong_udp_checksum().build());
  writer.close();
  std::ofstream(path("verify.toml")) << "channel = \"x=moldudp64@any:30001\"\n"
                                     << "checksum = \"verify\"\n";
  const std::string arguments = path("bad.pcap") + " --json --config " + path("verify.toml");
  EXPECT_EQ(Json::parse(linearb(arguments).output)["lines"][0]["malformed"], 1);
  EXPECT_EQ(Json::parse(linearb(arguments + " --checksum ignore").output)["lines"][0]["won"], 1);
  std::ofstream(path("lru.toml")) << "channel = [\"x=optiq@any:30001\"]\ndedup = \"lru\"\n";
  const Ended lru = linearb(a_ + " --json --config " + path("lru.toml"));
  EXPECT_EQ(Json::parse(lru.output)["gaps"], nullptr);
}

TEST_F(MergeProgram, DeliversInTheOrderOfNumbersWhereItIsAskedTo) {
  const std::string early = write_line("early.pcap", {{kBeginNs, 1}, {kBeginNs + 1'000, 3}});
  const std::string late = write_line("late.pcap", {{kBeginNs + 500, 1}, {kBeginNs + 2'000, 2}});
  std::ofstream(path("order.toml")) << "order = \"sequence\"\n";
  const auto first_written = [&](const std::string& arguments) {
    const std::string merged = path("merged.pcap");
    const Ended ended =
        linearb(early + " " + late + kChannel + " --json --write " + merged + arguments);
    EXPECT_EQ(ended.status, 0) << ended.errors;
    EXPECT_EQ(Json::parse(ended.output)["late_repairs"], 0);
    capture::Reader reader(merged);
    reader.next();
    return reader.next()->timestamp_ns - kBeginNs;
  };
  EXPECT_EQ(first_written(" --order sequence"), 2'000u);
  EXPECT_EQ(first_written(" --config " + path("order.toml")), 2'000u);
  EXPECT_EQ(first_written(""), 1'000u);
}

TEST_F(MergeProgram, SaysWhatTheCaptureHasCut) {
  capture::Writer writer(path("cut.pcap"));
  Bytes frame = frame_of({kBeginNs, 1});
  frame.resize(50);
  writer.write(kBeginNs, frame, 72);
  writer.close();
  const Ended ended = linearb(path("cut.pcap") + kChannel);
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.errors, HasSubstr("cut.pcap: record 1: the capture has 50 of 72 bytes"));
}

/// A line that is behind by more than the window is told by how much, and that sets it right.
TEST_F(MergeProgram, SaysWhichOffsetAClockThatIsFarOffNeeds) {
  std::vector<Datagram> early, late;
  for (std::uint64_t i = 1; i <= 2 * LB_WINDOW_MESSAGES; i++) {
    early.push_back({kBeginNs + i, i});
    late.push_back({kBeginNs + 5'000'000'000 + i, i});
  }
  const std::string captures = write_line("early", early) + " " + write_line("late", late);
  const Ended ended = linearb(captures + kChannel);
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.errors, HasSubstr("line B: 65,536 of its packets came behind the window"));
  EXPECT_THAT(ended.errors, HasSubstr(" 5.00 s or more behind"));
  EXPECT_THAT(ended.errors, HasSubstr("--offset B=-5000000000ns\n"));
  EXPECT_EQ(linearb(captures + kChannel + " --offset B=-5000000000ns").errors, "");
}

/// How a wrong command line ends, with A and B in the place of two captures.
struct Refusal {
  const char* name;
  std::string arguments;
  int status;
  std::string said;
};

void PrintTo(const Refusal& row, std::ostream* out) {
  *out << row.name;
}

class MergeRefusals : public MergeProgram, public testing::WithParamInterface<Refusal> {
 protected:
  /// "A", "B" and names that begin with "./" are files of this test's folder.
  std::string with_paths(const std::string& arguments) const {
    std::string text;
    std::istringstream words(arguments);
    for (std::string word; words >> word;) {
      if (word == "A") word = a_;
      if (word == "B") word = b_;
      if (word.starts_with("./")) word = path(word.substr(2));
      text += word + " ";
    }
    return text;
  }
};

TEST_P(MergeRefusals, SayWhatIsWrong) {
  std::ofstream(path("text.csv")) << "time,price\n1,2\n3,4\n5,6\n7,8\n";
  Bytes cut = read_file(a_);
  cut.pop_back();
  write_file("cut.pcap", cut);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const Ended ended = linearb(with_paths(GetParam().arguments) + kChannel);
  EXPECT_EQ(ended.status, GetParam().status);
  EXPECT_THAT(ended.errors, HasSubstr(GetParam().said));
  EXPECT_THAT(ended.errors, testing::StartsWith("linearb: "));
}

const Refusal kRefusals[] = {
    {"NoCapture", "", 2, "FILE is required"},
    {"TooManyCaptures", "A A A A A A A A A", 2, "9 captures; there can be 1 to 8"},
    {"MissingFile", "A ./missing", 2, "missing: No such file or directory"},
    {"Folder", "A ./", 2, "Is a directory"},
    {"NotACapture", "A ./text.csv", 2, "text.csv: unknown file format"},
    {"Damaged", "A ./cut.pcap", 2, "cut.pcap: record 2, near byte"},
    {"OffsetOfAnUnknownLine", "A B --offset C=1ms", 2, "there is no line 'C'; the lines are A, B"},
    {"OffsetWithoutAUnit", "A B --offset B=5", 2, "--offset B=5: accepted is a time of"},
    {"WrittenOntoACapture", "A B --write A", 2, "that is the capture of line A; name another file"},
    {"WrittenToNoFolder", "A --write ./none/x.pcap", 1, "create capture"},
    {"WrittenToAPipe", "A --write ./pipe", 1, "it is a pipe"},
    {"WrittenToAFullDisk", "A --write /dev/full", 1, "No space left on device"},
    {"LinesHaveNames", "A B --line A=eno1", 2, "there is no option \"--line\""},
    {"OrderOfIdentifiers", "A B --order sequence --dedup lru", 2, "identifiers have no order"},
    {"UnknownOrder", "A B --order sequences", 2, "sequence"},
    {"UnknownFraming", "A --channel x=moldudp46@any:1", 2, "did you mean \"moldudp64\"?"},
    {"UnknownLineOfAChannel", "A --channel x=moldudp64@B=any:1", 2, "there is no line \"B\""},
    {"NoConfiguration", "A --config ./none.toml", 2, "none.toml: No such file"},
};

INSTANTIATE_TEST_SUITE_P(Table, MergeRefusals, testing::ValuesIn(kRefusals),
                         [](const auto& row) { return row.param.name; });

/// A pipe whose writer the test is: it decides how far the program can read.
class MergeOfAPipe : public MergeProgram {
 protected:
  static constexpr std::uint64_t kPackets = 8'000;  ///< more than the reader's buffer and the pipe

  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    std::vector<Datagram> datagrams;
    for (std::uint64_t i = 1; i <= kPackets; i++) datagrams.push_back({kBeginNs + i, i});
    const Bytes bytes = read_file(write_line("long.pcap", datagrams));
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    program_.emplace(LINEARB_PROGRAM, "merge " + path("pipe") + kChannel + " --json");
    writer_ = sys::Fd(::open(path("pipe").c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::write(writer_.get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
    ASSERT_TRUE(wait_until([&] { return signals_of(program_->pid(), "SigBlk") & kInterrupt; }));
  }

  void interrupt() {
    program_->interrupt();
    ASSERT_TRUE(wait_until([&] { return !(signals_of(program_->pid(), "ShdPnd") & kInterrupt); }));
  }

  std::optional<Program> program_;
  sys::Fd writer_;
};

TEST_F(MergeOfAPipe, EndsWithTheSummaryOfWhatWasReadWhenItIsInterrupted) {
  interrupt();
  ::usleep(100'000);
  writer_ = sys::Fd();
  EXPECT_EQ(program_->wait(), 0) << program_->errors();
  const Json object = Json::parse(program_->output());
  EXPECT_EQ(object["balanced"], true);
  EXPECT_GT(object["packets"], 0);
  EXPECT_LT(object["packets"], kPackets);
}

TEST_F(MergeOfAPipe, EndsAtOnceWhenItIsInterruptedTwice) {
  interrupt();
  interrupt();
  EXPECT_EQ(program_->wait(), 1);
  EXPECT_EQ(program_->output(), "");
}

TEST_F(MergeOfAPipe, ReadsItToItsEnd) {
  writer_ = sys::Fd();
  EXPECT_EQ(program_->wait(), 0);
  EXPECT_EQ(Json::parse(program_->output())["packets"], kPackets);
}

TEST_F(MergeProgram, DrawsABarOnATerminalAndTakesItAway) {
  int ours = -1;
  int terminal = -1;
  ASSERT_EQ(::openpty(&ours, &terminal, nullptr, nullptr, nullptr), 0);
  const sys::Fd reader(ours);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(terminal, STDERR_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    ::execl(LINEARB_PROGRAM, "linearb", "merge", a_.c_str(), "--write", path("merged.pcap").c_str(),
            "--json", nullptr);
    ::_exit(127);
  }
  ::close(terminal);
  std::string drawn;
  char part[4096];
  for (ssize_t length = 0; (length = ::read(ours, part, sizeof part)) > 0;)
    drawn.append(part, static_cast<std::size_t>(length));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(drawn, HasSubstr(" %  "));
  EXPECT_THAT(drawn, HasSubstr(" packets"));
  EXPECT_TRUE(drawn.ends_with("\x1b[1A\r\x1b[J")) << drawn;
}

}  // namespace
}  // namespace linearb::test
