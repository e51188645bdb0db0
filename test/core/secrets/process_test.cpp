// Commands that behave, fail, babble and hang.
#include "core/secrets/process.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace vrm {
namespace {

using std::chrono::milliseconds;

void nothing() {}

std::string run(const std::string& command, milliseconds patience = milliseconds(20000)) {
  std::vector<char> output(100);
  const std::size_t size = run_command(command, output, patience, nothing);
  return {output.data(), size};
}

std::string failure(const std::string& command, milliseconds patience = milliseconds(20000)) {
  try {
    return "printed " + run(command, patience);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
}

TEST(run_command, returns_what_the_command_prints) {
  EXPECT_EQ(run("printf 'a:b\\n'; echo c"), "a:b\nc\n");
  EXPECT_EQ(run("true"), "");
  EXPECT_EQ(run("cat"), "") << "standard input is empty";
}

TEST(run_command, tells_how_a_command_failed) {
  EXPECT_EQ(failure("echo secret; exit 3"), "ended with status 3");
  EXPECT_EQ(failure("kill -9 $$"), "was ended by signal 9");
  EXPECT_EQ(failure("/nonexistent/command 2>/dev/null"), "ended with status 127");
  EXPECT_EQ(failure("yes"), "printed more than expected");
}

TEST(run_command, kills_a_command_that_hangs_with_its_children) {
  const std::string file = testing::TempDir() + "/hanging";
  EXPECT_EQ(failure("sleep 1000 & echo $! > " + file + "; wait", milliseconds(1000)),
            "took longer than 1 seconds");
  pid_t child = 0;
  std::ifstream(file) >> child;
  ASSERT_GT(child, 0);
  std::string state;
  for (int i = 0; i < 200 && kill(child, 0) == 0 && state != "Z"; ++i) {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string skipped;
    stat >> skipped >> skipped >> state;
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(kill(child, 0) != 0 || state == "Z") << "still " << state;
}

TEST(run_command, stops_when_asked_meanwhile) {
  std::vector<char> output(100);
  EXPECT_THROW(run_command("sleep 1000", output, milliseconds(20000),
                           [] { throw std::logic_error("cancelled"); }),
               std::logic_error);
}

}  // namespace
}  // namespace vrm
