// Secrets in transit: masked for everybody but the process that masked them.
#include "core/secrets/transit.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace vrm {
namespace {

using bytes = std::vector<std::byte>;

bytes mask(const std::string& text) {
  bytes masked(text.size() + transit_overhead);
  mask_secret(std::as_bytes(std::span(text)), masked);
  return masked;
}

std::string unmask(const bytes& masked) {
  if (masked.size() < transit_overhead) return "refused";
  std::string text(masked.size() - transit_overhead, '\0');
  if (!unmask_secret(masked, std::as_writable_bytes(std::span(text)))) return "refused";
  return text;
}

TEST(transit, gives_back_what_was_masked) {
  for (const std::size_t size : {0U, 1U, 16U, 17U, 511U, 512U, 513U, 100000U}) {
    const std::string text(size, 's');
    EXPECT_EQ(unmask(mask(text)), text);
  }
}

TEST(transit, hides_the_text_and_never_alike) {
  const bytes first = mask("a secret that repeats");
  const bytes second = mask("a secret that repeats");
  EXPECT_NE(first, second);
  const std::string view(reinterpret_cast<const char*>(first.data()), first.size());
  EXPECT_EQ(view.find("secret"), std::string::npos);
}

TEST(transit, refuses_what_another_process_masked) {
  const bytes masked = mask("a secret");
  const pid_t child = fork();
  if (child == 0) _exit(unmask(masked) == "refused" ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(transit, refuses_what_is_too_short) {
  std::vector<std::byte> nothing;
  EXPECT_FALSE(unmask_secret(bytes(transit_overhead - 1), nothing));
}

}  // namespace
}  // namespace vrm
