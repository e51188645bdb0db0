// Runs a libFuzzer target where the compiler has no libFuzzer: same entry point, same flags, the
// same inputs every time.  Inputs that reach new code are kept and mutated further, which is all
// that libFuzzer does at heart; it does it better, and `cmake --preset fuzz` uses it.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

extern "C" {
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
void __sanitizer_set_death_callback(  // NOLINT(bugprone-reserved-identifier)
    void (*callback)());
}

namespace {

using input = std::vector<std::uint8_t>;

input current;  ///< what the target is looking at

/// For the sanitizers, and for targets that call abort().
void save_current() {
  std::ofstream("crash-input", std::ios::binary)
      .write(reinterpret_cast<const char*>(current.data()),
             static_cast<std::streamsize>(current.size()));
  static_cast<void>(std::fputs("The input is in file crash-input.\n", stderr));
}

// --- coverage: the steps from one piece of code to the next that were ever taken ----------------

std::array<bool, 1U << 16> taken{};
bool is_new = false;
std::uintptr_t previous = 0;

}  // namespace

/// The compiler calls this wherever code branches (-fsanitize-coverage=trace-pc).
extern "C" void __sanitizer_cov_trace_pc() {  // NOLINT(bugprone-reserved-identifier)
  // Counted from a function of the program, for it is loaded elsewhere each time.
  const auto origin = reinterpret_cast<std::uintptr_t>(&LLVMFuzzerTestOneInput);
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)) - origin;
  bool& step = taken[(place ^ previous) % taken.size()];
  is_new |= !step;
  step = true;
  previous = place >> 1;
}

namespace {

// --- mutation -----------------------------------------------------------------------------------

class mutator {
 public:
  explicit mutator(std::size_t longest) : longest_(longest) {}

  /// One of `corpus`, changed in a few places.
  input changed(const std::vector<input>& corpus) {
    input result = corpus[below(corpus.size())];
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      change(result, corpus[below(corpus.size())]);
    }
    result.resize(std::min(result.size(), longest_));
    return result;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  void change(input& bytes, const input& other) {
    const std::size_t at = below(bytes.size() + 1);
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    if (at == bytes.size() || below(8) == 0) {
      bytes.insert(place, 1 + below(8), byte());
      return;
    }
    const auto end = place + static_cast<std::ptrdiff_t>(1 + below(bytes.size() - at));
    switch (below(5)) {
      case 0:
        *place = static_cast<std::uint8_t>(*place ^ (1U << below(8)));
        break;
      case 1:
        *place = byte();
        break;
      case 2:
        bytes.erase(place, end);
        break;
      case 3: {
        const input copy(place, end);
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size())), copy.begin(),
                     copy.end());
        break;
      }
      default: {  // a piece of another input
        const std::size_t from = below(other.size() + 1);
        bytes.insert(
            place, other.begin() + static_cast<std::ptrdiff_t>(from),
            other.begin() + static_cast<std::ptrdiff_t>(from + below(other.size() - from + 1)));
      }
    }
  }

  /// Any byte, more often one that parsers and sizes are sensitive to.
  std::uint8_t byte() {
    static constexpr std::string_view edges = "\1\x7f\x80\xff\n\"\\{}[]:,.-09aZ";
    return below(2) == 0 ? static_cast<std::uint8_t>(edges[below(edges.size())])
                         : static_cast<std::uint8_t>(below(256));
  }

  std::size_t longest_;
  std::mt19937_64 random_;  // seeded alike every time
};

/// Whether the target went where no input has led it before.
bool leads_on(const input& bytes) {
  current = bytes;
  is_new = false;
  previous = 0;
  LLVMFuzzerTestOneInput(current.data(), current.size());
  return is_new;
}

}  // namespace

/// usage: fuzz_TARGET [-runs=N] [-max_len=N] [FILE|DIRECTORY]...
int main(int argc, char** argv) {
  __sanitizer_set_death_callback(save_current);
  static_cast<void>(std::signal(SIGABRT, [](int) { save_current(); }));
  std::size_t runs = 100'000;
  std::size_t longest = 4096;
  std::vector<input> corpus;
  const auto add_file = [&](const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    leads_on(corpus.back());
  };

  corpus.emplace_back();
  leads_on(corpus.back());
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("-runs=")) {
      runs = std::strtoull(argv[i] + 6, nullptr, 10);
    } else if (argument.starts_with("-max_len=")) {
      longest = std::strtoull(argv[i] + 9, nullptr, 10);
    } else if (std::filesystem::is_directory(argument)) {
      std::vector<std::filesystem::path> files(std::filesystem::directory_iterator(argument), {});
      std::ranges::sort(files);
      std::ranges::for_each(files, add_file);
    } else {
      add_file(argument);
    }
  }

  const std::size_t seeds = corpus.size();
  mutator mutate(longest);
  for (std::size_t i = 0; i < runs; ++i) {
    input next = mutate.changed(corpus);
    if (leads_on(next)) corpus.push_back(std::move(next));
  }
  std::printf("%zu runs, %zu inputs kept beyond %zu given\n", runs, corpus.size() - seeds, seeds);
}
