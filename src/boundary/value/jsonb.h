#pragma once

/// Reads jsonb where it lies: no text, no copies, nothing allocated.
///
/// PostgreSQL's JsonbIterator pallocs a level for each container and may raise an ERROR; the
/// stored form (utils/jsonb.h) is part of the on-disk format and the same since 9.4, so we walk
/// it ourselves.  Views are good as long as the jsonb they look into.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "boundary/error/guard.h"
#include "boundary/value/datum.h"

extern "C" {
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
}

namespace pg {

enum class jsonb_kind : std::uint8_t { null, boolean, number, string, array, object };

class jsonb_array;
class jsonb_object;

/// One value inside a jsonb: where it lies, not a copy.  Each accessor is for the kinds that it
/// names; of another kind it reads bytes as what they are not.
class jsonb_value {
 public:
  explicit jsonb_value(const JsonbContainer* container) noexcept
      : kind_((container->header & JB_FOBJECT) != 0 ? jsonb_kind::object : jsonb_kind::array),
        data_(reinterpret_cast<const char*>(container)) {}

  /// The value of `entry` whose bytes are `base[begin, end)`.
  jsonb_value(const char* base, std::uint32_t begin, std::uint32_t end, JEntry entry) noexcept {
    if (JBE_ISSTRING(entry)) {
      kind_ = jsonb_kind::string;
      data_ = base + begin;
      size_ = end - begin;
    } else if (JBE_ISCONTAINER(entry)) {
      // Padding before what has to be aligned counts to the entry's own bytes.
      *this = jsonb_value(reinterpret_cast<const JsonbContainer*>(base + INTALIGN(begin)));
      size_ = end - INTALIGN(begin);
    } else if (JBE_ISNUMERIC(entry)) {
      kind_ = jsonb_kind::number;
      data_ = base + INTALIGN(begin);
    } else if (JBE_ISBOOL(entry)) {
      kind_ = jsonb_kind::boolean;
      size_ = JBE_ISBOOL_TRUE(entry) ? 1 : 0;
    }
  }

  [[nodiscard]] jsonb_kind kind() const noexcept { return kind_; }

  [[nodiscard]] bool is_true() const noexcept { return kind_ == jsonb_kind::boolean && size_ == 1; }

  /// Of a string, in the database's encoding.
  [[nodiscard]] std::string_view text() const noexcept { return {data_, size_}; }

  /// Of a number: as PostgreSQL writes it, in the current memory context.
  [[nodiscard]] std::string_view number_text() const {
    return guarded([this] {
      const Datum text = DirectFunctionCall1(numeric_out, PointerGetDatum(data_));
      return std::string_view(DatumGetCString(text));
    });
  }

  /// Of a number: what it is when it is whole and fits.
  [[nodiscard]] std::optional<std::int64_t> whole_number() const {
    if (const auto small = small_number()) return small;
    return guarded([this]() -> std::optional<std::int64_t> {
      const Datum number = PointerGetDatum(data_);
      const auto compare = [&](Datum other) {
        return DatumGetInt32(DirectFunctionCall2(numeric_cmp, number, other));
      };
      const Datum whole = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
      if (compare(whole) != 0 || compare(NumericGetDatum(int64_to_numeric(PG_INT64_MAX))) > 0 ||
          compare(NumericGetDatum(int64_to_numeric(PG_INT64_MIN))) < 0) {
        return std::nullopt;
      }
      return DatumGetInt64(DirectFunctionCall1(numeric_int8, whole));
    });
  }

  /// Whether it has all that `other` has, as operator @> says; both are objects.
  /// The iterators are allocated in the current memory context.
  [[nodiscard]] bool contains(const jsonb_value& other) const {
    return guarded([&] {
      const auto walk = [](const jsonb_value& value) {
        return JsonbIteratorInit(const_cast<JsonbContainer*>(value.container()));
      };
      JsonbIterator* whole = walk(*this);
      JsonbIterator* part = walk(other);
      return JsonbDeepContains(&whole, &part);
    });
  }

  /// Of a number, infinite when it is too large.
  [[nodiscard]] double approximate() const {
    return guarded([this] {
      return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, number()));
    });
  }

  /// Of a number, as numeric.
  [[nodiscard]] Datum number() const noexcept { return PointerGetDatum(data_); }

  /// As the backend's own functions take it.
  [[nodiscard]] JsonbValue for_backend() const noexcept {
    JsonbValue value{};
    switch (kind_) {
      case jsonb_kind::null:
        value.type = jbvNull;
        break;
      case jsonb_kind::boolean:
        value.type = jbvBool;
        value.val.boolean = is_true();
        break;
      case jsonb_kind::number:
        value.type = jbvNumeric;
        value.val.numeric = DatumGetNumeric(number());
        break;
      case jsonb_kind::string:
        value.type = jbvString;
        value.val.string.val = const_cast<char*>(data_);
        value.val.string.len = static_cast<int>(size_);
        break;
      case jsonb_kind::array:
      case jsonb_kind::object:
        value.type = jbvBinary;
        value.val.binary.data = const_cast<JsonbContainer*>(container());
        value.val.binary.len = static_cast<int>(size_);  // 0 for a whole document
        break;
    }
    return value;
  }

  [[nodiscard]] jsonb_array elements() const noexcept;  ///< of an array
  [[nodiscard]] jsonb_object members() const noexcept;  ///< of an object

 private:
  friend class jsonb_array;
  friend class jsonb_object;

  [[nodiscard]] const JsonbContainer* container() const noexcept {
    return reinterpret_cast<const JsonbContainer*>(data_);
  }

  /// Whole numbers of up to twelve digits, nearly all there are, without a call.  The short form of
  /// numeric (numeric.c) is part of the on-disk format, too: a header of 16 bits, then digits of
  /// base 10,000, highest first, without zeros at their end.
  [[nodiscard]] std::optional<std::int64_t> small_number() const noexcept {
    // Inside jsonb a numeric always has a header of four bytes: it is never packed.
    const auto* const bytes = reinterpret_cast<const struct varlena*>(data_);
    const auto* const words = reinterpret_cast<const std::uint16_t*>(VARDATA(bytes));
    const std::size_t digits = ((VARSIZE(bytes) - VARHDRSZ) / sizeof(std::uint16_t)) - 1;
    const unsigned header = words[0];
    const bool is_short = (header & 0xC000U) == 0x8000U;
    const unsigned weight = header & 0x7FU;  // exponent of the first digit; its sign is the top bit
    // A negative weight has bit 6 set and so looks large; digits beyond the weight are decimals.
    if (!is_short || weight > 2 || digits > weight + 1) return std::nullopt;
    std::int64_t number = 0;
    for (std::size_t i = 0; i <= weight; ++i) {
      number = (number * 10'000) + (i < digits ? words[1 + i] : 0);
    }
    return (header & 0x2000U) != 0 ? -number : number;
  }

  jsonb_kind kind_ = jsonb_kind::null;  ///< null unless something else is found
  const char* data_ = nullptr;          ///< chars, a numeric or a container; else nullptr
  std::size_t size_ = 0;                ///< bytes of a string or a container within one; 1 for true
};

namespace detail {

/// Goes along the entries of a container; each tells where its own bytes end.
class jsonb_cursor {
 public:
  jsonb_cursor(const JEntry* entry, const char* base, std::uint32_t begin) noexcept
      : entry_(entry), base_(base), begin_(begin) {}

  [[nodiscard]] jsonb_value value() const noexcept { return {base_, begin_, end(), *entry_}; }
  void advance() noexcept {
    begin_ = end();
    ++entry_;
  }

 private:
  [[nodiscard]] std::uint32_t end() const noexcept {
    // One entry in 32 has the place of its end instead of its length, so that searches may jump.
    return JBE_HAS_OFF(*entry_) ? JBE_OFFLENFLD(*entry_) : begin_ + JBE_OFFLENFLD(*entry_);
  }

  const JEntry* entry_;
  const char* base_;
  std::uint32_t begin_;  ///< of the entry's bytes, counted from base_
};

/// Where the bytes of a container with so many entries begin.
inline const char* jsonb_bytes(const JsonbContainer* container, std::size_t entries) noexcept {
  return reinterpret_cast<const char*>(container->children + entries);
}

}  // namespace detail

/// The elements in their order.
class jsonb_array {
 public:
  class iterator {
   public:
    explicit iterator(const JsonbContainer* array) noexcept
        : left_(array->header & JB_CMASK),
          cursor_(array->children, detail::jsonb_bytes(array, left_), 0) {}
    jsonb_value operator*() const noexcept { return cursor_.value(); }
    iterator& operator++() noexcept {
      cursor_.advance();
      --left_;
      return *this;
    }
    bool operator==(std::default_sentinel_t /*end*/) const noexcept { return left_ == 0; }

   private:
    std::size_t left_;
    detail::jsonb_cursor cursor_;
  };

  explicit jsonb_array(const JsonbContainer* array) noexcept : array_(array) {}
  [[nodiscard]] iterator begin() const noexcept { return iterator(array_); }
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

 private:
  const JsonbContainer* array_;
};

struct jsonb_member {
  std::string_view name;
  jsonb_value value;
};

/// The members in jsonb's order: shorter names first, names of one length by their bytes.
class jsonb_object {
 public:
  class iterator {
   public:
    explicit iterator(const JsonbContainer* object) noexcept
        : left_(object->header & JB_CMASK),
          name_(object->children, detail::jsonb_bytes(object, left_ * 2), 0),
          // the names' bytes come first, then the values'
          value_(object->children + left_, detail::jsonb_bytes(object, left_ * 2),
                 getJsonbOffset(object, static_cast<int>(left_))) {}
    jsonb_member operator*() const noexcept {
      return {.name = name_.value().text(), .value = value_.value()};
    }
    iterator& operator++() noexcept {
      name_.advance();
      value_.advance();
      --left_;
      return *this;
    }
    bool operator==(std::default_sentinel_t /*end*/) const noexcept { return left_ == 0; }

   private:
    std::size_t left_;
    detail::jsonb_cursor name_;
    detail::jsonb_cursor value_;
  };

  explicit jsonb_object(const JsonbContainer* object) noexcept : object_(object) {}
  [[nodiscard]] iterator begin() const noexcept { return iterator(object_); }
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

 private:
  const JsonbContainer* object_;
};

inline jsonb_array jsonb_value::elements() const noexcept { return jsonb_array(container()); }
inline jsonb_object jsonb_value::members() const noexcept { return jsonb_object(container()); }

/// A jsonb argument.
struct jsonb {
  const JsonbContainer* container;

  [[nodiscard]] jsonb_value root() const noexcept {
    const jsonb_value outermost(container);
    // a document that is a mere scalar is stored as an array of one
    if ((container->header & JB_FSCALAR) != 0) return *outermost.elements().begin();
    return outermost;
  }
};

template <>
struct datum_traits<jsonb> {
  static constexpr Oid oid = JSONBOID;
  // May raise an ERROR while detoasting; a copy made for that is in the current memory context.
  static jsonb from(Datum datum) { return {&DatumGetJsonbP(datum)->root}; }
  static Datum to(jsonb document) noexcept {
    return PointerGetDatum(reinterpret_cast<const char*>(document.container) -
                           offsetof(Jsonb, root));
  }
};

}  // namespace pg
