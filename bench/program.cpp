// SPDX-License-Identifier: Apache-2.0
#include "bench/program.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/error.h"

namespace linearb::bench {

pid_t start_program(const std::string& program, const std::vector<std::string>& arguments) {
  const std::string path = std::filesystem::canonical("/proc/self/exe").parent_path() / program;
  std::vector<char*> pointers{const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments)
    pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = -1;
  const int error =
      ::posix_spawn(&process, path.c_str(), &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) sys::throw_errno("start " + path, {}, -error);
  return process;
}

void run_program(const std::string& program, const std::vector<std::string>& arguments) {
  const pid_t process = start_program(program, arguments);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Error(fmt::format("{} has failed", program));
}

}  // namespace linearb::bench
