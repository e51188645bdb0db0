// Runs a command with a time limit; popen() has none.
#include "core/secrets/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

namespace vrm {
namespace {

[[noreturn]] void fail(const std::string& why) { throw std::runtime_error(why); }

std::string reason(int number) { return std::generic_category().message(number); }

class pipe_ends {
 public:
  pipe_ends() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) fail("cannot create a pipe: " + reason(errno));
  }
  ~pipe_ends() {
    close(ends_[0]);
    close_writer();
  }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;

  void close_writer() noexcept {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }
  [[nodiscard]] int reader() const noexcept { return ends_[0]; }
  [[nodiscard]] int writer() const noexcept { return ends_[1]; }

 private:
  std::array<int, 2> ends_{};
};

/// A shell in a process group of its own, gone with this object.
class shell {
 public:
  shell(const std::string& command, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    // The server's own mask and handlers are not what a shell expects.
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::array<std::string, 3> words = {"sh", "-c", command};
    const std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(),
                                            nullptr};
    const int failed =
        posix_spawn(&process_, "/bin/sh", &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) fail("cannot be started: " + reason(failed));
  }
  ~shell() {
    if (process_ <= 0) return;
    // The group, since the shell may have started others that outlive it.
    kill(-process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  shell(const shell&) = delete;
  shell& operator=(const shell&) = delete;

  /// Its exit status if it has ended.
  [[nodiscard]] bool has_ended(int& status) {
    const bool ended = waitpid(process_, &status, WNOHANG) == process_;
    if (ended) {
      kill(-process_, SIGKILL);  // what it left behind in its group
      // Reaped: its number may soon be another process's.
      process_ = -1;
    }
    return ended;
  }

 private:
  pid_t process_ = -1;
};

}  // namespace

std::size_t run_command(const std::string& command, std::span<char> output,
                        std::chrono::milliseconds patience, void (*meanwhile)()) {
  constexpr int step = 50;  // milliseconds
  const auto deadline = std::chrono::steady_clock::now() + patience;
  pipe_ends ends;
  shell running(command, ends.writer());
  ends.close_writer();

  std::size_t size = 0;
  bool open = true;
  for (int status = 0;;) {
    meanwhile();
    // Also when it prints without end: each round looks at the clock.
    if (std::chrono::steady_clock::now() > deadline) {
      fail("took longer than " + std::to_string(patience.count() / 1000) + " seconds");
    }
    // At the end of the pipe only the shell is waited for: poll() passes a descriptor of -1 over.
    pollfd readable = {.fd = open ? ends.reader() : -1, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, step) > 0) {
      // A full buffer is too much even if nothing should follow: one more byte could not be told.
      if (size == output.size()) fail("printed more than expected");
      const ssize_t got = read(ends.reader(), output.data() + size, output.size() - size);
      if (got > 0) size += static_cast<std::size_t>(got);
      open = got > 0 || (got < 0 && errno == EINTR);
    }
    if (open || !running.has_ended(status)) continue;

    if (WIFSIGNALED(status)) fail("was ended by signal " + std::to_string(WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0) {
      fail("ended with status " + std::to_string(WEXITSTATUS(status)));
    }
    return size;
  }
}

}  // namespace vrm
