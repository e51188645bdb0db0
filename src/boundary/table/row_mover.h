#pragma once

#include <array>
#include <initializer_list>
#include <span>

#include "boundary/table/relation.h"
#include "boundary/table/target_table.h"
#include "boundary/value/tuple.h"

namespace pg {

/// A column that the moved rows get, or have replaced.
/// `value` has to be of the column's type and to live as long as the mover.
struct given_value {
  const char* name;
  Datum value;
};

/// Takes rows out of one table and puts them into another, below the executor: exactly the version
/// that a query has seen is removed, and what others have locked or changed stays where it is.
/// Or copies all of them into a table that is going to take the other's place.
///
/// Columns go by name; those of the target that neither the source nor `given` has are null.
/// Indexes, NOT NULL, CHECK and partition constraints are looked after; privileges, row level
/// security, triggers, hence foreign keys, and defaults are the caller's business.  Both tables
/// stay locked until the transaction ends, which also clears up after an error.
class row_mover {
 public:
  row_mover(relation_id source, relation_id target, std::initializer_list<given_value> given);
  ~row_mover() = default;
  row_mover(const row_mover&) = delete;
  row_mover& operator=(const row_mover&) = delete;

  /// Removes the row at `place` as the active snapshot sees it, and gives its values to values()
  /// and nulls(); false when somebody else has it, or it is not to be seen.
  bool take(ItemPointerData place);

  /// Gives the next row that the active snapshot sees to values() and nulls(), and leaves it where
  /// it is; false when there are no more.  What is put is seen by everybody at once, whatever
  /// snapshot they have, as it is written frozen: the target has to be a table that this
  /// transaction has made, 55000 otherwise.
  bool copy_next();

  /// Gives the row that was taken another value in one column; it has to live until put().
  void set(std::size_t column, Datum value) noexcept {
    values_[column] = value;
    nulls_[column] = false;
  }
  void set_null(std::size_t column) noexcept { nulls_[column] = true; }

  /// Memory for whoever looks at the row, until put().
  [[nodiscard]] MemoryContext scratch() const noexcept { return scratch_; }

  /// Puts what was taken into the target, with others at once.
  /// NOT NULL and CHECK are asked at once, indexes when the row is written: flush() or finish().
  void put();

  /// Puts what is left and closes both tables.
  /// Not called after an error: the transaction's end closes and unlocks them.
  void finish();

  /// The row as the target is going to have it; good until put().  Nothing is out of line.
  [[nodiscard]] std::span<const Datum> values() const noexcept { return {values_, columns()}; }
  [[nodiscard]] std::span<const bool> nulls() const noexcept { return {nulls_, columns()}; }
  [[nodiscard]] TupleDesc descriptor() const noexcept { return target_.descriptor(); }

  /// Number of a column of the target by its name, from 0; throws vrm::error 42703.
  [[nodiscard]] int column(std::string_view name) const;

 private:
  /// COPY gathers as many before it writes; bytes count what rows take in memory, not in values.
  static constexpr std::size_t most_slots = 1000;
  static constexpr Size most_bytes = 256 << 10;

  [[nodiscard]] std::size_t columns() const noexcept {
    return static_cast<std::size_t>(descriptor()->natts);
  }
  void map_columns(std::initializer_list<given_value> given);
  void spread();
  void begin_copying();
  void flush();

  Relation source_ = nullptr;
  target_table target_;
  TupleTableSlot* found_ = nullptr;
  TableScanDesc scan_ = nullptr;  ///< while rows are copied
  MemoryContext rows_ = nullptr;  ///< what waits for flush()
  MemoryContext scratch_ = nullptr;
  std::array<TupleTableSlot*, most_slots> slots_{};
  std::size_t made_ = 0;     ///< slots made so far; later batches use them again
  std::size_t waiting_ = 0;  ///< rows in the first so many slots, not written yet
  Size waiting_bytes_ = 0;
  int* from_ = nullptr;  ///< number of the source's column, from 0, for each of the target's; or -1
  Datum* values_ = nullptr;  ///< for each of the target's columns; given ones stay from row to row
  bool* nulls_ = nullptr;
};

/// Number of a column by its name, from 0; throws vrm::error 42703.
[[nodiscard]] int column_number(TupleDesc columns, std::string_view name);

}  // namespace pg
