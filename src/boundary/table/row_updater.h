#pragma once

#include "boundary/table/target_table.h"

namespace pg {

/// Puts new values into one column of a table, below the executor: exactly the version that a query
/// has seen is replaced, and what others have locked or changed stays as it is.
///
/// Indexes, constraints, out-of-line values and logical replication are looked after.  Where an
/// UPDATE would do more, suits() says so.
class row_updater {
 public:
  /// Whether an UPDATE of the column by the current user would do nothing that this does not but
  /// call triggers with function `own`, and be allowed.
  [[nodiscard]] static bool suits(Relation table, AttrNumber column, Oid own);

  /// An ERROR 55000 when the table is published for updates and has no replica identity.
  explicit row_updater(relation_id table);
  ~row_updater() = default;
  row_updater(const row_updater&) = delete;
  row_updater& operator=(const row_updater&) = delete;

  /// The row at `place` as the active snapshot sees it, until the next call; nullptr when it is not
  /// to be seen, or is of this transaction, whose deferred checks are about this version.
  [[nodiscard]] HeapTuple find(ItemPointerData place);

  /// Memory for whoever looks at the row, until the next find().
  [[nodiscard]] MemoryContext scratch() const noexcept { return scratch_; }

  /// Replaces the row found but for one column, counted from 1; false when somebody else has it.
  [[nodiscard]] bool replace(AttrNumber column, Datum value);

  /// Closes the table.
  void finish();

  [[nodiscard]] TupleDesc descriptor() const noexcept { return target_.descriptor(); }

 private:
  target_table target_;
  TupleTableSlot* found_ = nullptr;
  TupleTableSlot* changed_ = nullptr;
  MemoryContext scratch_ = nullptr;
};

}  // namespace pg
