// Where the master keys come from: a file or the output of a command, never the database.  They
// are read anew each time a key is unwrapped and wiped at once, so that no backend keeps them.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>

#include "boundary/call/function.h"
#include "boundary/call/guc.h"
#include "core/secrets/process.h"
#include "functions/platform/settings.h"
#include "functions/secrets/keyring.h"

namespace vrm::sql {
namespace {

const char* master_key_file = nullptr;
const char* master_key_command = nullptr;

constexpr std::size_t longest_text = std::size_t{64} << 10;
constexpr auto patience = std::chrono::seconds(10);

/// Text that is wiped when it goes.
class secret_text {
 public:
  secret_text() : bytes_(longest_text, '\0') {}
  ~secret_text() { vrm::openssl::wipe(std::as_writable_bytes(std::span(bytes_))); }
  secret_text(const secret_text&) = delete;
  secret_text& operator=(const secret_text&) = delete;

  [[nodiscard]] std::span<char> rest() noexcept { return std::span(bytes_).subspan(size_); }
  void grow(std::size_t by) noexcept { size_ += by; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::string bytes_;  // never resized: that would leave a copy behind
  std::size_t size_ = 0;
};

class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  ~descriptor() { reset(); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  void reset() noexcept {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

/// The name is the superuser's to know; others learn which setting it is about.
std::string named(const char* value, const char* setting) {
  return superuser() ? "\"" + std::string(value) + "\"" : "of " + std::string(setting);
}

[[noreturn]] void refuse_file(const std::string& why, const std::string& hint) {
  throw vrm::error("F0000", "the master key file cannot be used")
      .detail("File " + named(master_key_file, "vrm.master_key_file") + " " + why + ".")
      .hint(superuser() ? hint : "Ask the administrator of the server.");
}

bool is_in_data_directory(const char* path) {
  const auto resolved = [](const char* name) {
    std::array<char, PATH_MAX> buffer{};
    return std::string(realpath(name, buffer.data()) == nullptr ? "" : buffer.data());
  };
  const std::string directory = resolved(DataDir) + "/";
  return directory != "/" && resolved(path).starts_with(directory);
}

/// The rules of PostgreSQL for TLS keys: the server's own and nobody else's, or root's and
/// readable by a group.
/// `status` is that of the open file, so no other can be put in its place between check and read.
void check_file(const struct stat& status) {
  const std::string path = master_key_file;
  if (!S_ISREG(status.st_mode)) {
    refuse_file("is not a regular file", "Name a file in vrm.master_key_file.");
  }
  if (is_in_data_directory(master_key_file)) {
    refuse_file("lies in the data directory, whose backups would hold key and data together",
                "Move it elsewhere, and: ALTER SYSTEM SET vrm.master_key_file = '/new/path';");
  }
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    refuse_file("belongs to another user", "chown " + std::to_string(geteuid()) + " " + path);
  }
  const mode_t forbidden = status.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
  if ((status.st_mode & forbidden) != 0 && status.st_uid == geteuid()) {
    refuse_file("may be read by others", "chmod 0600 " + path);
  }
  if ((status.st_mode & forbidden) != 0) {
    refuse_file("may be read by others", "chmod 0640 " + path);
  }
}

/// A command that makes a file with a new key; with set -C it leaves alone what is there.
std::string command_for_new_key(const std::string& path) {
  return "(umask 077; set -C; echo \"$(date +%F):$(openssl rand -base64 32)\" > " + path + ")";
}

/// What to do about a file that open() has refused.  Never anything that writes to a file that
/// may hold keys: whoever loses them loses every sealed value.
std::string remedy_for(int reason) {
  const std::string path = master_key_file;
  struct stat status{};
  if (reason == EACCES && stat(master_key_file, &status) == 0) {
    return "As root: chown " + std::to_string(geteuid()) + " " + path + " && chmod 0600 " + path;
  }
  if (reason == ENOENT) {
    return "Put back the file that was there.  If there has never been one, as the server's "
           "user: " +
           command_for_new_key(path);
  }
  return "namei -l " + path;
}

void read_file(secret_text& text) {
  // O_NONBLOCK: a FIFO of that name must not make the backend wait; check_file() refuses it.
  const descriptor file(open(master_key_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) {
    const int reason = errno;
    refuse_file("cannot be opened: " + std::generic_category().message(reason), remedy_for(reason));
  }
  check_file(status);
  for (;;) {
    const auto rest = text.rest();
    if (rest.empty()) refuse_file("is larger than 64 kB", "Name the right file.");
    const ssize_t size = read(file.get(), rest.data(), rest.size());
    if (size == 0) return;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) refuse_file("cannot be read", "ls -l " + std::string(master_key_file));
    text.grow(static_cast<std::size_t>(size));
  }
}

// --- the command --------------------------------------------------------------------------------

void run_master_key_command(secret_text& text) {
  try {
    text.grow(vrm::run_command(master_key_command, text.rest(), patience,
                               [] { pg::check_for_interrupts(); }));
  } catch (const std::runtime_error& e) {
    // A cancelled query is a pg::error, which is none of these and goes on.
    const auto* const ours = dynamic_cast<const vrm::error*>(&e);
    if (ours != nullptr) throw;
    throw vrm::error("F0000", "the master key command failed")
        .detail("Command " + named(master_key_command, "vrm.master_key_command") + " " + e.what() +
                ".")
        .hint(superuser() ? "Run it in a shell as the server's user; what it said on standard "
                            "error is in the server log."
                          : "Ask the administrator of the server.");
  }
}

}  // namespace

std::vector<vrm::master_key> keyring::master_keys() {
  secret_text text;
  if (*master_key_command != '\0') {
    run_master_key_command(text);
  } else if (*master_key_file != '\0') {
    read_file(text);
  } else {
    throw vrm::error("F0000", "no master key is configured")
        .detail("Sealed values need vrm.master_key_file or vrm.master_key_command.")
        .hint("As the server's user: " + command_for_new_key("~/vrm-master-key") +
              "; then: ALTER SYSTEM SET vrm.master_key_file = '/path/to/vrm-master-key'; SELECT "
              "pg_reload_conf();");
  }
  return vrm::read_master_keys(text.view());
}

void define_master_key_settings() {
  // Neither shown to others nor set by them: where keys are is worth knowing.
  constexpr pg::setting_rules secret = {.context = PGC_SUSET, .flags = GUC_SUPERUSER_ONLY};
  pg::define_setting("vrm.master_key_file",
                     "File with the master keys, one ID:BASE64 a line, the newest first.",
                     master_key_file, "", secret);
  pg::define_setting("vrm.master_key_command",
                     "Shell command that prints what vrm.master_key_file would hold.",
                     master_key_command, "", secret);
}

}  // namespace vrm::sql
