#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/accounts/lockout.h"

/// Entries on pages: a hash trie whose pages never move.
///
/// A tree has a budget of pages.  Once they are full, the entry that matters least makes room for a
/// new one: who fills a tree makes it forget, and throws out nobody that it has never heard of.
///
/// The first `root_pages` pages share the keys out among them by the lowest bits of the key.  A
/// page that has become too full splits: it links to a new page, which takes the keys whose next
/// bit is set.  A search starts at the key's root and follows links; pages are never given back and
/// links never change, so it may let go of one page before it takes hold of the next.
namespace vrm::lockout {

using block_number = std::uint32_t;

/// 64 roots, so that those who write at once seldom want the same page.
inline constexpr unsigned root_level = 6;
inline constexpr block_number root_pages = 1U << root_level;
inline constexpr unsigned deepest_level = 16;  ///< 65536 pages, 512 MB

/// Storing a change compares the used part of a page with what it was, so pages are kept sparse:
/// one entry costs a few microseconds, a full page several times that.
inline constexpr std::size_t split_at = 24;

/// In front of a page's entries, on disk as it lies here.
struct page_header {
  /// "vrm1"; a change of what is stored needs another.
  static constexpr std::uint32_t magic_number = 0x76726D31;
  std::uint32_t magic = 0;
  std::uint8_t level = 0;       ///< of the page when it was made
  std::uint8_t next_level = 0;  ///< how many bits of the key its own keys share
  std::uint16_t count = 0;      ///< entries that follow
  /// What 1.0.0 held against all who had no entry, once entries had made room: not read any more.
  std::array<std::byte, 24> unused{};
  /// A page is linked to when it exists, and never again unlinked; 0, a root, is linked to by none.
  std::array<block_number, deepest_level - root_level> links{};  ///< by level; 0 for none
};
static_assert(sizeof(page_header) == 72);

/// The part of a page that belongs to us, in memory of somebody else's.
///
/// Nothing here locks, logs or marks dirty: that is up to whoever has the buffer.
class page {
 public:
  /// Reads nothing: whether the page is formatted, and whole, is for the caller to ask.
  explicit page(std::span<std::byte> content) noexcept;

  /// Makes an empty page that has its keys' lowest `level` bits in common.
  void format(unsigned level) noexcept;

  [[nodiscard]] bool is_formatted() const noexcept {
    return header_->magic == page_header::magic_number;
  }
  [[nodiscard]] const page_header& header() const noexcept { return *header_; }
  [[nodiscard]] std::span<const entry> entries() const noexcept {
    return {entries_, header_->count};
  }
  /// Bytes of the content that are in use.
  [[nodiscard]] std::size_t used() const noexcept {
    return sizeof(page_header) + (header_->count * sizeof(entry));
  }
  /// How many entries a page has room for; split_at is far less.
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Where to go on looking for `id`; nothing when it belongs here.
  [[nodiscard]] std::optional<block_number> next(const key& id) const noexcept;

  /// The entry of `id`, or nothing.
  [[nodiscard]] const entry* find(const key& id) const noexcept;

  /// Whether it has become too full, in a tree of that depth.
  /// A page at `deepest` grows no further: there put() has to forget.
  [[nodiscard]] bool wants_split(unsigned deepest = deepest_level) const noexcept {
    return header_->count >= split_at && header_->next_level < deepest;
  }

  /// Drops what has expired.
  void sweep(moment now) noexcept;

  /// Stores `changed` over the entry of the same id, or as a new one.  When there is no room, the
  /// entry that matters least is forgotten.
  void put(const entry& changed, moment now) noexcept;

  /// Hands the entries whose next bit is set to `sibling`, an unformatted page at `block`.
  void split(page& sibling, block_number block) noexcept;

  /// What is wrong with the page itself, in words that follow "page 7"; nullptr when nothing is.
  [[nodiscard]] const char* problem() const noexcept;

 private:
  void forget_one(moment now) noexcept;
  /// `gone` is another entry afterwards, or lies beyond the last one.
  void remove(entry& gone) noexcept;

  page_header* header_;
  entry* entries_;
  std::size_t capacity_;
};

/// The page where a search begins.
[[nodiscard]] block_number root_of(const key& id) noexcept;

}  // namespace vrm::lockout
