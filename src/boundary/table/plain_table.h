#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "boundary/table/index_reader.h"
#include "boundary/table/scan.h"
#include "boundary/table/target_table.h"

extern "C" {
#include "utils/reltrigger.h"
}

namespace pg {

/// A table by its name, open and locked as for INSERT, UPDATE and DELETE until the transaction
/// ends; an ERROR 42P01 with the remedy when it is missing, 0A000 when its rows are not on this
/// node.
[[nodiscard]] Relation open_for_writing(const known_table& table);
/// The same for SELECT.
[[nodiscard]] Relation open_for_reading(const known_table& table);

enum class write : std::uint8_t { insert, update, remove };

/// What the caller answers for, so that nobody else has to be asked.
struct plain_rules {
  bool (*knows)(const Trigger& trigger) = [](const Trigger& /*trigger*/) { return false; };
  // NOLINTBEGIN(readability-redundant-member-init): gcc warns
  std::span<const char* const> checks = {};     ///< CHECK constraints that hold, by name
  std::span<known_column* const> columns = {};  ///< that get values
  // NOLINTEND(readability-redundant-member-init)
  int keys = 0;  ///< foreign keys that nobody has to ask
};

/// Whether a write would do no more than put the row down, make its index entries and what the
/// rules name, as the table is defined.  An update is of columns that are in no key.
[[nodiscard]] bool is_plain(Relation table, write how, const plain_rules& rules);

/// What is_plain() has said of tables, as long as the backend hears no news of any.  Asked when
/// they are open: their locks keep others from changing them, and what was changed before has been
/// heard of with the locks.
class kept_answer {
 public:
  template <typename Ask>
  [[nodiscard]] bool of(Ask&& ask) {
    const std::uint64_t news = watched_table::news();
    if (asked_ != news) {
      asked_.reset();
      answer_ = ask();
      asked_ = news;  // as of before: the answer may be older than what came meanwhile
    }
    return answer_;
  }

 private:
  std::optional<std::uint64_t> asked_;
  bool answer_ = false;
};

/// Whether no policy holds for the current user, and triggers are called as they are defined.
[[nodiscard]] bool is_open_to_user(Relation table);

struct new_value {
  known_column* column;
  Datum value;
};

/// Rows that are written below the executor, with their index entries, where is_plain() has said
/// that this is all.
class plain_table {
 public:
  explicit plain_table(const known_table& table);

  [[nodiscard]] Relation relation() const noexcept { return target_.relation(); }

  /// Puts a row down; columns that are not named are null.
  void insert(std::span<const new_value> values);
  void insert(std::initializer_list<new_value> values) {
    insert(std::span(values.begin(), values.size()));
  }

  /// Replaces values of a row as it was read; false when somebody else has it.
  [[nodiscard]] bool replace(TupleTableSlot* row, std::initializer_list<new_value> values);

  void finish();

 private:
  target_table target_;
  TupleTableSlot* written_ = nullptr;
  MemoryContext scratch_ = nullptr;
};

/// Whether somebody was changing or deleting a row when the snapshot was taken that it was read
/// with: cheaper to ask than to try.
[[nodiscard]] bool is_being_changed(TupleTableSlot* row);

/// Deletes a row as it was read; false when somebody else has it.
[[nodiscard]] bool remove_row(Relation table, TupleTableSlot* row);

}  // namespace pg
