// Entries on pages: found again through splits, swept, folded, never lost.
#include "core/accounts/lockout_page.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "core/platform/error.h"

namespace {

using namespace vrm::lockout;  // NOLINT(google-build-using-namespace): these are its tests

constexpr moment now = 1'000'000'000'000;
constexpr std::size_t page_size = 8168;

/// Pages in memory, used as the store uses them on disk.
class memory_store {
 public:
  memory_store() {
    for (block_number i = 0; i < root_pages; ++i) add().format(root_level);
  }

  page at(block_number block) { return page(*pages_[block]); }

  block_number home_of(const key& id) {
    block_number block = root_of(id);
    while (const auto next = at(block).next(id)) block = *next;
    return block;
  }

  void put(const entry& given) {
    while (at(home_of(given.id)).find(given.id) == nullptr && at(home_of(given.id)).wants_split()) {
      const block_number full = home_of(given.id);
      page sibling = add();
      at(full).split(sibling, static_cast<block_number>(pages_.size() - 1));
    }
    at(home_of(given.id)).put(given, now);
  }

  [[nodiscard]] std::size_t size() const { return pages_.size(); }

 private:
  page add() {
    pages_.push_back(std::make_unique<std::vector<std::byte>>(page_size));
    return page(*pages_.back());
  }

  std::vector<std::unique_ptr<std::vector<std::byte>>> pages_;
};

key random_key(std::mt19937_64& random) {
  key made{};
  const std::array<std::uint64_t, 2> bits = {random(), random()};
  std::memcpy(made.data(), bits.data(), made.size());
  return made;
}

TEST(LockoutPage, FindsEveryEntryThroughSplits) {
  std::mt19937_64 random(7);
  memory_store store;
  std::vector<key> ids;
  for (int i = 0; i < 20000; ++i) {
    ids.push_back(random_key(random));
    store.put({.id = ids.back(), .last = now, .value = i});
  }
  EXPECT_GT(store.size(), 500U);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const entry* const found = store.at(store.home_of(ids[i])).find(ids[i]);
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->value, static_cast<std::int64_t>(i));
  }
  for (block_number block = 0; block < store.size(); ++block) {
    EXPECT_EQ(store.at(block).problem(), nullptr);
    EXPECT_LE(store.at(block).entries().size(), split_at);
  }
}

TEST(LockoutPage, OverwritesAnEntryOfTheSameId) {
  memory_store store;
  store.put({.id = {}, .failures = 1});
  store.put({.id = {}, .failures = 2});
  ASSERT_EQ(store.at(0).entries().size(), 1U);
  EXPECT_EQ(store.at(0).entries()[0].failures, 2);
}

TEST(LockoutPage, SweepsOnlyWhatHasExpired) {
  std::mt19937_64 random(7);
  memory_store store;
  page subject = store.at(0);
  for (int i = 0; i < 10; ++i) {
    subject.put({.id = random_key(random), .last = i < 5 ? now : moment{0}}, now);
  }
  subject.put({.id = random_key(random), .locked_until = forever, .last = 0}, now);
  subject.sweep(now);
  EXPECT_EQ(subject.entries().size(), 6U);
}

/// A page that can split no more.
struct FullPage : testing::Test {
  std::vector<std::byte> memory = std::vector<std::byte>(page_size);
  page subject{memory};
  std::mt19937_64 random{7};

  void fill(const entry& like) {
    subject.format(deepest_level);
    while (subject.entries().size() < subject.capacity()) {
      entry made = like;
      made.id = random_key(random);
      subject.put(made, now);
    }
  }
};

TEST_F(FullPage, ForgetsTheOldestAmongEquals) {
  fill({.last = now, .failures = 1});
  entry oldest = subject.entries()[40];
  oldest.last = now - 1;
  subject.put(oldest, now);
  const key newcomer = random_key(random);
  subject.put({.id = newcomer, .last = now}, now);
  EXPECT_EQ(subject.entries().size(), subject.capacity());
  EXPECT_NE(subject.find(newcomer), nullptr);
  EXPECT_EQ(subject.find(oldest.id), nullptr);
}

TEST_F(FullPage, ForgetsFailuresBeforeLocks) {
  fill({.locked_until = now + 5, .last = now});
  entry failed = subject.entries()[7];
  failed.locked_until = now;
  failed.failures = 4;
  subject.put(failed, now);
  subject.put({.id = random_key(random), .last = now}, now);
  EXPECT_EQ(subject.find(failed.id), nullptr);
}

TEST_F(FullPage, KeepsLocksThatDoNotEnd) {
  fill({.locked_until = now + 5, .last = now});
  entry for_good = subject.entries()[7];
  for_good.locked_until = forever;
  subject.put(for_good, now);
  for (int i = 0; i < 10000; ++i)
    subject.put({.id = random_key(random), .locked_until = now + 5 + i, .last = now}, now);
  EXPECT_NE(subject.find(for_good.id), nullptr);
}

TEST_F(FullPage, TakesWhatComesHoweverMuchIsThere) {
  fill({.locked_until = forever, .last = now, .value = 1});
  const key newcomer = random_key(random);
  subject.put({.id = newcomer, .last = now}, now);
  EXPECT_NE(subject.find(newcomer), nullptr);
}

TEST(LockoutPage, SplitsNoFurtherThanItsTreeMay) {
  std::vector<std::byte> memory(page_size);
  page subject{memory};
  subject.format(root_level);
  std::mt19937_64 random(7);
  for (std::size_t i = 0; i < split_at; ++i)
    subject.put({.id = random_key(random), .last = now}, now);
  EXPECT_TRUE(subject.wants_split());
  EXPECT_TRUE(subject.wants_split(root_level + 1));
  EXPECT_FALSE(subject.wants_split(root_level));
}

TEST_F(FullPage, NoticesDamage) {
  EXPECT_NE(subject.problem(), nullptr);
  subject.format(root_level);
  EXPECT_EQ(subject.problem(), nullptr);
  subject.put({.id = {}}, now);
  page_header header = subject.header();
  header.count = 2;
  std::memcpy(memory.data(), &header, sizeof header);
  EXPECT_NE(subject.problem(), nullptr);  // the same entry twice
}

}  // namespace
