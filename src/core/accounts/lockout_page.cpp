#include "core/accounts/lockout_page.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <tuple>

namespace vrm::lockout {
namespace {

/// In the machine's byte order: pages, like all of a data directory, are not carried to another.
std::uint32_t bits_of(const key& id) noexcept {
  std::uint32_t bits = 0;
  std::memcpy(&bits, id.data(), sizeof bits);
  return bits;
}

bool has_bit(const key& id, unsigned level) noexcept { return ((bits_of(id) >> level) & 1U) != 0; }

}  // namespace

// Keys are keyed hashes, so their bits are as good as random: pages fill evenly, and who does not
// know the secret of the database cannot choose a page to fill.
block_number root_of(const key& id) noexcept { return bits_of(id) & (root_pages - 1); }

// `content` is aligned to 8 bytes, and so are entries behind a header of 72.
page::page(std::span<std::byte> content) noexcept
    : header_(reinterpret_cast<page_header*>(content.data())),
      entries_(reinterpret_cast<entry*>(content.data() + sizeof(page_header))),
      capacity_((content.size() - sizeof(page_header)) / sizeof(entry)) {}

void page::format(unsigned level) noexcept {
  *header_ = {.magic = page_header::magic_number,
              .level = static_cast<std::uint8_t>(level),
              .next_level = static_cast<std::uint8_t>(level),
              .count = 0,
              .unused = {},
              .links = {}};
}

// One page has a link for each split that it went through.  Bits are tried in the order of the
// splits: the first that is set names the sibling that took the key away.
std::optional<block_number> page::next(const key& id) const noexcept {
  for (unsigned level = header_->level; level < header_->next_level; ++level) {
    if (has_bit(id, level)) return header_->links[level - root_level];
  }
  return std::nullopt;
}

// In no order, hence one by one: a page has few entries, and is split before it has many.
const entry* page::find(const key& id) const noexcept {
  const auto all = entries();
  const auto found = std::ranges::find(all, id, &entry::id);
  return found == all.end() ? nullptr : std::to_address(found);
}

// The last entry fills the gap: order means nothing, and Generic WAL logs only what differs.
void page::remove(entry& gone) noexcept { gone = entries_[--header_->count]; }

void page::sweep(moment now) noexcept {
  // From the end, because remove() puts the last entry in the place of the one that goes.
  for (std::size_t i = header_->count; i-- > 0;) {
    if (is_expired(entries_[i], now)) remove(entries_[i]);
  }
}

// The caller has followed next() to the end, so that the key belongs here.
void page::put(const entry& changed, moment now) noexcept {
  if (const entry* const there = find(changed.id)) {
    entries_[there - entries_] = changed;
    return;
  }
  if (header_->count == capacity_) forget_one(now);
  entries_[header_->count++] = changed;
}

/// Locks outlast failures, the longest most of all; of equals the oldest goes.
void page::forget_one(moment now) noexcept {
  const auto weight = [now](const entry& e) {
    return std::tuple(e.locked_until > now ? e.locked_until : never, e.failures + e.pending,
                      e.last);
  };
  const auto all = std::span(entries_, header_->count);
  remove(*std::ranges::min_element(all, {}, weight));
}

void page::split(page& sibling, block_number block) noexcept {
  const unsigned level = header_->next_level;
  // Each key ends up on exactly one of the two pages: bit `level` decides, here and in next().  The
  // link is set last; both pages are one WAL record, so no crash leaves a link to a page without
  // its keys.
  sibling.format(level + 1);
  // From the end again, for remove(); the sibling has room for all, being of the same size.
  for (std::size_t i = header_->count; i-- > 0;) {
    if (!has_bit(entries_[i].id, level)) continue;
    sibling.entries_[sibling.header_->count++] = entries_[i];
    remove(entries_[i]);
  }
  header_->links[level - root_level] = block;
  header_->next_level = static_cast<std::uint8_t>(level + 1);
}

const char* page::problem() const noexcept {
  if (!is_formatted()) return "has no valid header";
  const page_header& h = *header_;
  // In the order of trust: levels before links are followed, the count before entries are read.
  if (h.level < root_level || h.level > h.next_level || h.next_level > deepest_level)
    return "has impossible levels";
  if (h.count > capacity_) return "claims more entries than fit";
  // Entries twice: every pair is compared, which only a check of the whole store has to pay.
  for (const entry& one : entries()) {
    if (next(one.id)) return "holds an entry that belongs to another page";
    if (std::ranges::count(entries(), one.id, &entry::id) > 1) return "holds an entry twice";
  }
  return nullptr;
}

}  // namespace vrm::lockout
