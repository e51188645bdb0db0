// What a regular expression is going to cost, before anybody compiles it.
#include "core/testing/pattern.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace vrm {
namespace {

constexpr std::size_t most = 1'000'000;

std::size_t bounded_sum(std::size_t a, std::size_t b) noexcept { return std::min(a + b, most); }
std::size_t bounded_product(std::size_t a, std::size_t b) noexcept {
  return a == 0 || b <= most / a ? a * b : most;
}

/// Of a part of a pattern: what may be left out when it is written out, and what that costs.
struct weight {
  std::size_t pieces = 0;
  std::size_t cost = 0;

  void add(const weight& other) noexcept {
    pieces = bounded_sum(pieces, other.pieces);
    cost = bounded_sum(cost, other.cost);
  }
};

struct bounds {
  std::size_t least = 1;
  std::size_t most = 1;
};

weight repeated(const weight& part, const bounds& times) noexcept {
  const std::size_t more = times.most - times.least;
  weight all;
  all.pieces =
      bounded_sum(bounded_product(part.pieces, std::max<std::size_t>(times.most, 1)), more);
  all.cost = part.pieces == 0 ? std::min<std::size_t>(more, 1) : all.pieces;
  return all;
}

class reader {
 public:
  explicit reader(std::string_view pattern) : pattern_(pattern) {}

  std::size_t read() {
    groups_.emplace_back();
    while (at_ < pattern_.size()) step();
    while (groups_.size() > 1) close();
    groups_.back().end_branch();
    return groups_.back().all.cost;
  }

 private:
  /// A parenthesis that is open.
  struct group {
    weight all;
    weight last;  ///< that a quantifier would be about
    bool is_branch_empty = true;

    void end_atom() noexcept {
      all.add(last);
      last = {};
    }
    void begin_atom() noexcept {
      end_atom();
      is_branch_empty = false;
    }
    /// A branch without anything may be taken instead of the others.
    void end_branch() noexcept {
      end_atom();
      if (is_branch_empty) all.add({.pieces = 1, .cost = 1});
      is_branch_empty = true;
    }
  };

  void step() {
    const char c = pattern_[at_++];
    group& now = groups_.back();
    switch (c) {
      case '\\':
        now.begin_atom();
        ++at_;
        break;
      case '[':
        now.begin_atom();
        skip_bracket();
        break;
      case '(':
        open();
        break;
      case ')':
        if (groups_.size() > 1) close();
        break;
      case '|':
        now.end_branch();
        break;
      case '*':
      case '?':
        now.last = repeated(now.last, {.least = 0, .most = 1});
        break;
      case '+':
        break;
      case '{':
        if (const auto times = read_bounds()) {
          now.last = repeated(now.last, *times);
        } else {
          now.begin_atom();
        }
        break;
      default:
        now.begin_atom();
    }
  }

  void open() {
    if (pattern_.substr(at_).starts_with("?#")) {  // a comment
      at_ = std::min(pattern_.find(')', at_), pattern_.size() - 1) + 1;
      return;
    }
    groups_.back().begin_atom();
    groups_.emplace_back();
    if (pattern_.substr(at_).starts_with('?')) at_ += 2;
  }

  void close() {
    groups_.back().end_branch();
    const weight inner = groups_.back().all;
    groups_.pop_back();
    groups_.back().last = inner;
  }

  void skip_bracket() {
    if (at_ < pattern_.size() && pattern_[at_] == '^') ++at_;
    if (at_ < pattern_.size() && pattern_[at_] == ']') ++at_;
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_++];
      if (c == ']') return;
      if (c == '\\') ++at_;
      if (c == '[' && at_ < pattern_.size()) skip_class(pattern_[at_]);
    }
  }

  /// [:alpha:], [=a=], [.a.]
  void skip_class(char kind) {
    if (kind != ':' && kind != '=' && kind != '.') return;
    const std::array<char, 2> end = {kind, ']'};
    const std::size_t found = pattern_.find(std::string_view(end.data(), end.size()), at_ + 1);
    at_ = found == std::string_view::npos ? pattern_.size() : found + 2;
  }

  std::optional<std::size_t> read_number() {
    std::optional<std::size_t> number;
    while (at_ < pattern_.size() && pattern_[at_] >= '0' && pattern_[at_] <= '9') {
      const auto digit = static_cast<std::size_t>(pattern_[at_++] - '0');
      number = std::min((number.value_or(0) * 10) + digit, most);
    }
    return number;
  }

  /// {m}, {m,} or {m,n}; a brace without a number stands for itself.
  std::optional<bounds> read_bounds() {
    const std::size_t begin = at_;
    const auto least = read_number();
    if (!least) {
      at_ = begin;
      return std::nullopt;
    }
    bounds read = {.least = *least, .most = *least};
    if (at_ < pattern_.size() && pattern_[at_] == ',') {
      ++at_;
      read.most = std::max(read_number().value_or(*least + 1), *least);
    }
    if (at_ < pattern_.size() && pattern_[at_] == '}') ++at_;
    return read;
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  std::vector<group> groups_;
};

}  // namespace

std::size_t optional_parts(std::string_view pattern) { return reader(pattern).read(); }

bool has_other_syntax(std::string_view pattern) noexcept {
  if (pattern.starts_with("***")) return true;
  if (!pattern.starts_with("(?")) return false;
  const std::string_view options = pattern.substr(2, pattern.find(')') - 2);
  const bool are_options =
      std::ranges::all_of(options, [](char c) { return c >= 'a' && c <= 'z'; });
  return are_options && options.find_first_of("xebq") != std::string_view::npos;
}

}  // namespace vrm
