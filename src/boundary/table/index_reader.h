#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>

#include "boundary/table/known_table.h"
#include "boundary/value/datum.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "utils/rel.h"
}

namespace pg {

/// A column that the code knows by name; where it stands is looked for once, since a DBA may add
/// some and drop some.
class known_column {
 public:
  constexpr explicit known_column(const char* name) noexcept : name_(name) {}

  /// Its number, from 1; an ERROR 42703 when there is none.  Runs inside a guard.
  [[nodiscard]] AttrNumber number_in(Relation table) {
    TupleDesc columns = RelationGetDescr(table);
    if (last_ < 1 || last_ > columns->natts || !is_at(columns, last_)) look_for(table);
    return last_;
  }
  [[nodiscard]] const char* name() const noexcept { return name_; }

 private:
  [[nodiscard]] bool is_at(TupleDesc columns, AttrNumber number) const noexcept {
    const FormData_pg_attribute* column = TupleDescAttr(columns, number - 1);
    return !column->attisdropped && std::strcmp(NameStr(column->attname), name_) == 0;
  }
  void look_for(Relation table);

  const char* name_;
  AttrNumber last_ = 0;
};

/// A value that a column of an index is held against.
struct index_key {
  enum class comparison : std::uint8_t { equal, at_least };

  index_key(const vrm::uuid& value, comparison compared = comparison::equal)  // NOLINT
      : datum(PointerGetDatum(value.bytes.data())), type(UUIDOID), how(compared) {}
  index_key(std::int32_t value)  // NOLINT(google-explicit-constructor)
      : datum(Int32GetDatum(value)), type(INT4OID) {}

  Datum datum;
  Oid type;
  comparison how = comparison::equal;
};

/// Rows of a table by an index of it, in its order, as the active snapshot sees them: for keys
/// whose plan is known, whatever statistics say of the table.
class index_reader {
 public:
  /// The index is in the schema of the table; an ERROR 42704 with the remedy when there is none.
  index_reader(Relation table, const char* index, const char* remedy);

  /// Looks for the first columns of the index, from the first row on that has them.  What the keys
  /// refer to has to last as long as it is read.
  void seek(std::initializer_list<index_key> keys);

  /// The next row; false when there is none.
  [[nodiscard]] bool next();

  [[nodiscard]] bool find(std::initializer_list<index_key> keys) {
    seek(keys);
    return next();
  }

  void finish();

  /// The row found last.
  [[nodiscard]] TupleTableSlot* row() const noexcept { return slot_; }
  [[nodiscard]] Datum datum(known_column& column, bool& null) const {
    return guarded([&] { return slot_getattr(slot_, column.number_in(table_), &null); });
  }
  template <typename T>
  [[nodiscard]] std::optional<T> value(known_column& column) const {
    bool null = false;
    const Datum found = datum(column, null);
    if (null) return std::nullopt;
    return guarded([&] { return datum_traits<T>::from(found); });
  }

 private:
  static constexpr std::size_t most_keys = 3;

  Relation table_;
  Relation index_ = nullptr;
  IndexScanDesc scan_ = nullptr;
  std::size_t keys_ = 0;
  TupleTableSlot* slot_ = nullptr;
};

}  // namespace pg
