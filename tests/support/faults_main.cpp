// SPDX-License-Identifier: Apache-2.0
//
// Starts a program in bad weather: system calls that fail, rights and limits that are taken away.
//
//     linearb_faults FAULT... -- PROGRAM [ARGUMENT...]
//
//     socket=EMFILE             every call of socket() fails
//     socket:44=EAFNOSUPPORT    ... whose first argument is 44 (AF_XDP)
//     setsockopt:1==283:2==4=ENOMEM   ... whose arguments 1 and 2 (counted from 0) are these
//     mmap:1>=8388608=ENOMEM    ... whose argument 1 is at least this
//     without:NET_RAW           the capability is gone, for good
//     limit:NOFILE=20           soft and hard limit
//
// seccomp(2) remembers nothing between two calls, so "the third call fails" cannot be said.
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr int kWrongUsage = 2;
constexpr int kCannotExecute = 127;  // as the shell has it

struct Named {
  std::string_view name;
  unsigned number;
};

constexpr Named kCalls[] = {
    {"bind", SYS_bind},     {"bpf", SYS_bpf},
    {"clone3", SYS_clone3}, {"eventfd2", SYS_eventfd2},
    {"ioctl", SYS_ioctl},   {"mmap", SYS_mmap},
    {"mount", SYS_mount},   {"setsockopt", SYS_setsockopt},
    {"socket", SYS_socket}, {"uname", SYS_uname},
    {"write", SYS_write},
};
constexpr Named kCapabilities[] = {
    {"BPF", CAP_BPF},         {"IPC_LOCK", CAP_IPC_LOCK}, {"NET_ADMIN", CAP_NET_ADMIN},
    {"NET_RAW", CAP_NET_RAW}, {"PERFMON", CAP_PERFMON},   {"SYS_ADMIN", CAP_SYS_ADMIN},
};
constexpr Named kLimits[] = {
    {"AS", RLIMIT_AS}, {"MEMLOCK", RLIMIT_MEMLOCK}, {"NOFILE", RLIMIT_NOFILE}};

template <std::size_t Size>
unsigned number_of(const Named (&names)[Size], std::string_view name) {
  for (const Named& named : names)
    if (named.name == name) return named.number;
  throw std::invalid_argument("no name " + std::string(name) + " is known here");
}

unsigned error_of(std::string_view name) {
  constexpr int kErrorsEnd = 134;
  for (int number = 1; number < kErrorsEnd; ++number) {
    const char* known = ::strerrorname_np(number);
    if (known && name == known) return static_cast<unsigned>(number);
  }
  throw std::invalid_argument("no error is called " + std::string(name));
}

std::uint64_t parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument("not a number: " + std::string(text));
  return value;
}

struct Condition {
  std::size_t argument = 0;
  bool at_least = false;  ///< else: equal
  std::uint64_t value = 0;
};

/// "44", "1==283" or "1>=8388608".
Condition parse_condition(std::string_view text) {
  const std::size_t sign = text.find_first_of("=>");
  if (sign == text.npos) return {.value = parse_number(text)};
  Condition condition{.argument = parse_number(text.substr(0, sign)),
                      .at_least = text[sign] == '>',
                      .value = parse_number(text.substr(sign + 2))};
  if (condition.argument >= 6) throw std::invalid_argument("a system call has six arguments");
  return condition;
}

/// A filter for seccomp(2), in classic BPF, which loads 32 bits at a time.
class Filter {
 public:
  /// A number means another call on another architecture: what comes in by one is not let through.
  Filter() {
    load(offsetof(seccomp_data, arch));
    put(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    put(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  }

  void refuse(unsigned call, const std::vector<Condition>& conditions, unsigned error) {
    const std::size_t begin = code_.size();
    load(offsetof(seccomp_data, nr));
    put(BPF_JMP | BPF_JEQ | BPF_K, call, 0, kNextRule);
    for (const Condition& condition : conditions) require(condition);
    put(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
    for (std::size_t i = begin; i < code_.size(); ++i)
      if (code_[i].jf == kNextRule) code_[i].jf = static_cast<std::uint8_t>(code_.size() - i - 1);
  }

  /// It stays through execve. Without new privileges the kernel asks for no right here.
  void install() {
    put(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const sock_fprog program{.len = static_cast<unsigned short>(code_.size()),
                             .filter = code_.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
      throw std::runtime_error(std::string("install the filter: ") + std::strerror(errno));
  }

 private:
  static constexpr std::uint8_t kNextRule = 0xff;  ///< a mark until refuse() knows how far it is

  void put(unsigned code, std::uint32_t value, std::uint8_t if_true = 0, std::uint8_t if_not = 0) {
    code_.push_back({static_cast<std::uint16_t>(code), if_true, if_not, value});
  }
  void load(std::size_t offset) {
    put(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }

  /// Arguments have 64 bits here, the lower half first. What is compared for equality is an int
  /// to the kernel: it ignores the upper half, and so the program may have anything there.
  void require(const Condition& condition) {
    const std::size_t lower = offsetof(seccomp_data, args) + 8 * condition.argument;
    const auto low = static_cast<std::uint32_t>(condition.value);
    const auto high = static_cast<std::uint32_t>(condition.value >> 32);
    if (condition.at_least) {
      load(lower + 4);
      put(BPF_JMP | BPF_JGT | BPF_K, high, 3, 0);  // larger, whatever the lower half is
      put(BPF_JMP | BPF_JEQ | BPF_K, high, 0, kNextRule);
    }
    load(lower);
    put(BPF_JMP | (condition.at_least ? BPF_JGE : BPF_JEQ) | BPF_K, low, 0, kNextRule);
  }

  std::vector<sock_filter> code_;
};

/// From the bounding set, which execve applies, and from what could be inherited past it.
void take_away(unsigned capability) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  ::syscall(SYS_capget, &header, sets.data());
  sets[CAP_TO_INDEX(capability)].inheritable &= ~CAP_TO_MASK(capability);
  if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 ||
      ::syscall(SYS_capset, &header, sets.data()) != 0)
    throw std::runtime_error(std::string("take a capability away: ") + std::strerror(errno));
}

void limit(unsigned resource, std::uint64_t value) {
  const rlimit both{value, value};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &both) != 0)
    throw std::runtime_error(std::string("set a limit: ") + std::strerror(errno));
}

/// "mmap:1>=8388608=ENOMEM" is a name, conditions, and behind the last "=" the value.
void apply(std::string_view fault, Filter& filter) {
  const std::size_t colon = fault.find(':');
  if (fault.substr(0, colon) == "without")
    return take_away(number_of(kCapabilities, fault.substr(colon + 1)));
  const std::size_t equals = fault.rfind('=');
  if (equals == fault.npos) throw std::invalid_argument("no \"=VALUE\" in " + std::string(fault));
  const std::string_view value = fault.substr(equals + 1);
  std::string_view left = fault.substr(0, equals);
  if (left.starts_with("limit:"))
    return limit(number_of(kLimits, left.substr(6)), parse_number(value));
  std::vector<Condition> conditions;
  for (std::size_t at = left.rfind(':'); at != left.npos; at = left.rfind(':')) {
    conditions.push_back(parse_condition(left.substr(at + 1)));
    left = left.substr(0, at);
  }
  filter.refuse(number_of(kCalls, left), conditions, error_of(value));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Filter filter;
    int i = 1;
    for (; i < argc && std::string_view(argv[i]) != "--"; ++i) apply(argv[i], filter);
    if (i + 1 >= argc) throw std::invalid_argument("no \"-- PROGRAM\"");
    filter.install();
    ::execv(argv[i + 1], argv + i + 1);
    std::fprintf(stderr, "linearb_faults: execute %s: %s\n", argv[i + 1], std::strerror(errno));
    return kCannotExecute;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "linearb_faults: %s\n", error.what());
    return kWrongUsage;
  }
}
