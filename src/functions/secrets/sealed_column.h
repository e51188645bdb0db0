#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "boundary/table/relation.h"
#include "boundary/value/tuple.h"
#include "core/platform/uuid.h"
#include "functions/secrets/keyring.h"

extern "C" {
#include "commands/trigger.h"
}

/// A column whose values open only in their own row, and what binds them there.
///
/// The trigger is the registration that counts.  Its argument is the column's id, its column list
/// names the sealed column first; PostgreSQL keeps the list right when columns are renamed or a
/// dump is restored.  A value's context is the column's id, then for each column of the primary key
/// a byte for its type and its value (doc/secrets/secrets.md).
namespace vrm::sql {

/// Columns of the primary key that bind a value; those beyond them do not.
inline constexpr std::size_t most_key_columns = 8;

/// As trivially destructible as a guard wants it.
struct sealed_column {
  vrm::uuid id;
  AttrNumber attribute;
  bool per_subject;  ///< the first column of the primary key is the subject
  std::size_t key_count;
  std::array<AttrNumber, most_key_columns> key;
  std::array<Oid, most_key_columns> key_types;
};

/// Reads of `relation` and its trigger what binds the column.  Runs inside a guard.
[[nodiscard]] sealed_column describe(Relation relation, const Trigger& trigger);

/// The column's trigger among those of the table.
[[nodiscard]] std::optional<sealed_column> find_column(Relation relation, AttrNumber attribute);

/// The sealed column of this name; throws vrm::error 55000 when it is none.
[[nodiscard]] sealed_column require_sealed(const pg::relation_scope& relation,
                                           pg::name_view column_name);

/// An ERROR when the library's own function is missing: the extension is gone then.
[[nodiscard]] Oid bind_trigger_function();

/// What the column holds in this row; nothing when it is null.
[[nodiscard]] std::optional<byte_view> envelope_in(const sealed_column& column,
                                                   TupleDesc descriptor, HeapTuple row);

/// The context of one row, and whose it is.
class row_binding {
 public:
  explicit row_binding(const sealed_column& column);

  /// Appends one column of the primary key.
  void add(const sealed_column& column, std::size_t position, Datum value);

  /// Looks into this object.
  [[nodiscard]] keyring::binding_of binding(const sealed_column& column) const noexcept {
    return {.bound = vrm::binding::row,
            .context = context_,
            .subject = column.per_subject && subject_ ? &*subject_ : nullptr};
  }

  friend bool operator==(const row_binding&, const row_binding&) = default;

 private:
  void append(const void* data, std::size_t size);
  void append_number(std::uint64_t number, std::size_t size);

  /// What the value is authenticated with, besides the envelope's header.
  std::vector<std::byte> context_;
  std::optional<vrm::uuid> subject_;  ///< the first column of the key, when that is a uuid
};

/// What binds the column's value in this row; throws vrm::error 23502 when its key is incomplete.
[[nodiscard]] row_binding bind(const sealed_column& column, HeapTuple row, TupleDesc descriptor);

}  // namespace vrm::sql
