#include "core/retention/shared_phrases.h"

#include <algorithm>
#include <functional>
#include <ranges>

namespace vrm {
namespace {

/// Shorter ones save nothing.
constexpr std::size_t shortest = 4;

/// Words that may be about somebody: numbers of all kinds, addresses.
bool may_identify(std::string_view word) {
  return word.find_first_of("0123456789@") != std::string_view::npos;
}

}  // namespace

void shared_phrases::next_tenant() { ++tenant_; }

void shared_phrases::add(std::string_view message) {
  std::vector<std::string_view> words;
  std::size_t start = 0;
  while (start < message.size()) {
    const std::size_t end = std::min(message.find(' ', start), message.size());
    const std::string_view word = message.substr(start, end - start);
    if (word.empty() || may_identify(word)) {
      count_runs(message, words);
      words.clear();
    } else {
      words.push_back(word);
    }
    start = end + 1;
  }
  count_runs(message, words);
}

/// All phrases of words that follow each other, one space between two.
void shared_phrases::count_runs(std::string_view message,
                                const std::vector<std::string_view>& words) {
  for (std::size_t first = 0; first < words.size(); ++first) {
    const auto begin = static_cast<std::size_t>(words[first].data() - message.data());
    for (std::size_t last = first; last < std::min(first + most_words, words.size()); ++last) {
      const std::string_view word = words[last];
      const auto end = static_cast<std::size_t>(word.data() - message.data()) + word.size();
      if (end - begin >= shortest) count(message.substr(begin, end - begin));
    }
  }
}

void shared_phrases::count(std::string_view phrase) {
  auto found = phrases_.find(phrase);
  if (found == phrases_.end()) {
    if (phrases_.size() >= most_phrases) {
      std::erase_if(phrases_, [](const auto& one) { return one.second.tenants == 1; });
    }
    if (phrases_.size() >= most_phrases) return;
    found = phrases_.emplace(std::string(phrase), usage{}).first;
  }
  usage& used = found->second;
  ++used.uses;
  if (used.last_tenant == tenant_) return;
  used.last_tenant = tenant_;
  ++used.tenants;
}

std::vector<shared_phrases::candidate> shared_phrases::candidates(std::uint32_t tenants) const {
  std::vector<candidate> found;
  for (const auto& [phrase, used] : phrases_) {
    if (used.tenants >= tenants) found.push_back({phrase, used.uses * phrase.size()});
  }
  // The phrase itself decides between two, so that the same calls give the same dictionary.
  std::ranges::sort(found, [](const candidate& a, const candidate& b) {
    return a.saves != b.saves ? a.saves > b.saves : a.phrase < b.phrase;
  });
  return found;
}

std::string shared_phrases::content(std::uint32_t tenants, std::size_t most_bytes) const {
  std::string taken;
  std::vector<std::string_view> order;
  for (const candidate& one : candidates(tenants)) {
    if (taken.size() + one.phrase.size() + 1 > most_bytes) break;
    // Part of a longer phrase that is there already.
    if (taken.find(one.phrase) != std::string::npos) continue;
    taken.append(one.phrase).push_back('\n');
    order.push_back(one.phrase);
  }
  std::string content;
  content.reserve(taken.size());
  for (const std::string_view phrase : order | std::views::reverse) {
    content.append(phrase).push_back('\n');
  }
  return content;
}

}  // namespace vrm
