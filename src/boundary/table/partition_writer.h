#pragma once

#include <span>

#include "boundary/backend.h"
#include "boundary/table/known_table.h"

namespace pg {

/// Inserts rows into a partitioned table one at a time, below the executor: what INSERT finds out
/// anew for each statement is kept until the transaction ends or a relation is altered.
///
/// Acts as the table's owner, so privileges and row level security are the caller's business.
/// Defaults, NOT NULL, CHECK, partition constraints and indexes are those of INSERT, and so are
/// their errors.  One object serves one backend, for as long as the process lives.
class partition_writer {
 public:
  /// Rows are given `columns`, in this order; the others get their defaults.
  constexpr partition_writer(const known_table& table,
                             std::span<const char* const> columns) noexcept
      : table_(table), columns_(columns) {}

  /// False, and nothing done, when the row has to go through the executor, because the table or the
  /// partition has triggers or generated columns, the table has rules, or the partition has indexes
  /// other than btrees, is no ordinary table, or is being altered.
  [[nodiscard]] bool put(std::span<const Datum> values, std::span<const bool> nulls);

 private:
  struct plan;

  [[nodiscard]] plan* prepared(std::span<const Datum> values, std::span<const bool> nulls);

  known_table table_;
  std::span<const char* const> columns_;
  plan* plan_ = nullptr;  ///< goes with the transaction
};

}  // namespace pg
