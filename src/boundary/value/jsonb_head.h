#pragma once

/// Reads a few members of a jsonb object out of its first bytes.
///
/// jsonb keeps the names of an object, shorter ones first, before the values in the same order.
/// So the short members of a long document stand in front, and a value that is stored out of line
/// need not be fetched and unpacked as a whole.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "boundary/value/jsonb.h"

extern "C" {
#include "access/detoast.h"
#include "access/heaptoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/toast_compression.h"
}

namespace pg {

/// A jsonb argument of which only its head is looked at.
class jsonb_head {
 public:
  static constexpr int size = 512;  ///< bytes of the document, unpacked

  /// May raise an ERROR: call it where no C++ object is alive, or guarded.
  explicit jsonb_head(Datum datum)
      : datum_(datum),
        bytes_(PG_DETOAST_DATUM_SLICE(first_chunk(datum), 0, size)),
        whole_(toast_raw_datum_size(datum) - VARHDRSZ <= size) {}

  template <std::size_t Count>
  using values = std::array<std::optional<jsonb_value>, Count>;

  /// The members called `names`, which are in jsonb's order; nothing when the document is no
  /// object.
  template <std::size_t Count>
  [[nodiscard]] std::optional<values<Count>> find(
      const std::array<std::string_view, Count>& names) {
    values<Count> found{};
    auto result = search(names, found);
    if (result == outcome::not_within) {
      // Rare, and dear: from here on the whole document is in memory.
      bytes_ = guarded([this] { return PG_DETOAST_DATUM(datum_); });
      whole_ = true;
      result = search(names, found = {});
    }
    if (result == outcome::no_object) return std::nullopt;
    return found;
  }

 private:
  static constexpr int chunk = TOAST_MAX_CHUNK_SIZE;
  static_assert(chunk > 2 * size);
  /// `not_within`: what was fetched ends before the answer does.
  enum class outcome : std::uint8_t { searched, no_object, not_within };

  /// What is stored out of line, compressed with lz4: its first chunk, compressed as it is.
  /// PostgreSQL would fetch all of it, since it knows no bound of what a slice of lz4 takes.  That
  /// is less than two bytes for one of the slice, and one for each 255 that whatever the slice ends
  /// in the midst of is long: hence not of very large documents.
  static Datum first_chunk(Datum datum) {
    const auto* const value = reinterpret_cast<const struct varlena*>(DatumGetPointer(datum));
    if (!VARATT_IS_EXTERNAL_ONDISK(value)) return datum;
    struct varatt_external where{};
    VARATT_EXTERNAL_GET_POINTER(where, value);
    const auto stored = static_cast<int32>(VARATT_EXTERNAL_GET_EXTSIZE(where));
    if (VARATT_EXTERNAL_GET_COMPRESS_METHOD(where) != TOAST_LZ4_COMPRESSION_ID ||
        !VARATT_EXTERNAL_IS_COMPRESSED(where) || stored <= chunk ||
        where.va_rawsize > (chunk - 2 * size) * 255) {
      return datum;
    }
    auto* const first = static_cast<struct varlena*>(palloc(chunk + VARHDRSZ));
    // What lies out of line begins as any compressed value does: raw size and method first.
    SET_VARSIZE_COMPRESSED(first, chunk + VARHDRSZ);
    const Relation toast = table_open(where.va_toastrelid, AccessShareLock);
    table_relation_fetch_toast_slice(toast, where.va_valueid, stored, 0, chunk, first);
    table_close(toast, AccessShareLock);
    return PointerGetDatum(first);
  }

  [[nodiscard]] const JsonbContainer* container() const noexcept {
    return reinterpret_cast<const JsonbContainer*>(VARDATA(bytes_));
  }

  // search() reads no entry that is not within: a document that ends early is no danger.
  template <std::size_t Count>
  outcome search(const std::array<std::string_view, Count>& names, values<Count>& found) const {
    const JsonbContainer* const object = container();
    if ((object->header & JB_FOBJECT) == 0) return outcome::no_object;
    const std::size_t count = object->header & JB_CMASK;
    const char* const base = detail::jsonb_bytes(object, count * 2);
    const auto before = static_cast<std::size_t>(base - VARDATA(bytes_));
    const std::size_t all = VARSIZE_ANY_EXHDR(bytes_);
    // The entries themselves reach further than what was fetched.
    if (!whole_ && before > all) return outcome::not_within;
    const std::size_t available = all - before;

    const auto within = [&](std::size_t end) { return whole_ || end <= available; };
    std::uint32_t begin = 0;
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t end = end_of(object->children[i], begin);
      if (!within(end)) return outcome::not_within;
      const std::string_view name(base + begin, end - begin);
      // Names come in the same order on both sides: one that was passed is not in the document.
      while (wanted < Count && shorter(names[wanted], name)) ++wanted;
      if (wanted == Count) break;
      if (names[wanted] == name) {
        const auto entry = object->children[count + i];
        const std::uint32_t value = getJsonbOffset(object, static_cast<int>(count + i));
        const std::uint32_t value_end = end_of(entry, value);
        // Of a container only its header: whoever asks for these names takes no containers.
        if (!within(JBE_ISCONTAINER(entry) ? INTALIGN(value) + sizeof(JsonbContainer)
                                           : value_end)) {
          return outcome::not_within;
        }
        found[wanted++] = jsonb_value(base, value, value_end, entry);
      }
      begin = end;
    }
    return outcome::searched;
  }

  static std::uint32_t end_of(JEntry entry, std::uint32_t begin) noexcept {
    return JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : begin + JBE_OFFLENFLD(entry);
  }
  static bool shorter(std::string_view left, std::string_view right) noexcept {
    return left.size() != right.size() ? left.size() < right.size() : left < right;
  }

  Datum datum_;            ///< all of it, in case the head is not enough
  struct varlena* bytes_;  ///< what was fetched, unpacked
  bool whole_;             ///< which is the whole document
};

template <>
struct datum_traits<jsonb_head> {
  static constexpr Oid oid = JSONBOID;
  static jsonb_head from(Datum datum) { return jsonb_head(datum); }
};

}  // namespace pg
