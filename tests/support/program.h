// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A program that runs beside the test, with what it wrote.

#include <cstdio>
#include <memory>
#include <string>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace linearb::test {

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Looks a hundred times a second, for a minute.
template <typename Condition>
bool wait_until(Condition condition) {
  for (int attempt = 0; attempt < 6'000; attempt++) {
    if (condition()) return true;
    ::usleep(10'000);
  }
  return false;
}

/// A program that runs beside the test: linearb, or the example.
class Program {
 public:
  Program(const std::string& path, const std::string& arguments)
      : output_(std::tmpfile()), errors_(std::tmpfile()) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::dup2(::fileno(output_.get()), STDOUT_FILENO);
    ::dup2(::fileno(errors_.get()), STDERR_FILENO);
    std::string command = "exec " + path + " " + arguments;
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  ~Program() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void signal(int number) const { ::kill(pid_, number); }
  pid_t pid() const { return pid_; }
  void interrupt() const { signal(SIGINT); }

  /// Waits for its end. The exit status, or minus the signal that ended it; one that does not end
  /// is killed.
  int wait() {
    int status = 0;
    if (!wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status, 0);
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Waits until it has said that it receives: the hook is attached before that.
  bool wait_until_receiving() const {
    return wait_until([&] { return contains(errors(), "receiving"); });
  }

  std::string output() const { return text_of(output_.get()); }
  std::string errors() const { return text_of(errors_.get()); }

 private:
  struct Closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  /// Reads without moving the place at which the program writes.
  static std::string text_of(std::FILE* file) {
    std::string text;
    char part[4096];
    for (;;) {
      ssize_t length = ::pread(::fileno(file), part, sizeof(part), static_cast<off_t>(text.size()));
      if (length <= 0) return text;
      text.append(part, static_cast<std::size_t>(length));
    }
  }

  std::unique_ptr<std::FILE, Closer> output_;
  std::unique_ptr<std::FILE, Closer> errors_;
  pid_t pid_ = -1;
};

/// How a program ended, and what it wrote.
struct Ended {
  int status;
  std::string output;
  std::string errors;
};

inline Ended run_to_its_end(const std::string& path, const std::string& arguments) {
  Program program(path, arguments);
  const int status = program.wait();
  return {status, program.output(), program.errors()};
}

}  // namespace linearb::test
