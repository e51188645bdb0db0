#pragma once

#include "boundary/table/relation.h"

extern "C" {
#include "access/tableam.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
}

namespace pg {

/// A table that rows are written to below the executor, and what of the executor that takes: its
/// indexes and constraints.  It stays locked until the transaction ends, which also clears up after
/// an error.  Calls run inside a guard.
class target_table {
 public:
  /// The lock of a writer, RowExclusiveLock, on the table and its indexes.
  void open(relation_id table);
  /// Not called after an error: the end of the transaction closes what is open.
  void close();

  [[nodiscard]] Relation relation() const noexcept { return relation_; }
  [[nodiscard]] TupleDesc descriptor() const noexcept { return RelationGetDescr(relation_); }

  /// NOT NULL and CHECK.
  /// An ERROR 23502 or 23514 of a row that breaks one.
  void check_constraints(TupleTableSlot* slot) const;
  /// An ERROR 23514 when the row is not one of this partition.
  void check_partition(TupleTableSlot* slot) const;

  /// Index entries for a row that is new.
  /// The slot has to know the place of the row and the table's OID; unique indexes may refuse it.
  void add_index_entries(TupleTableSlot* slot) const;

  /// Replaces the version at `place` by the row in `slot`, unless it has a newer version, is
  /// locked, or is being changed.
  [[nodiscard]] bool update(ItemPointerData place, TupleTableSlot* slot) const;

  /// Frees what checks and indexes have computed.
  void forget_row() const { ResetPerTupleExprContext(state_); }

 private:
  [[nodiscard]] bool is_taken(ItemPointerData place) const;

  Relation relation_ = nullptr;
  EState* state_ = nullptr;
  ResultRelInfo* result_ = nullptr;  ///< indexes and constraints, as the executor keeps them
};

}  // namespace pg
