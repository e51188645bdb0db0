#pragma once

#include <cstddef>

#include "boundary/backend.h"
#include "boundary/table/known_table.h"

namespace pg {

/// Inserts a row that belongs to no transaction: everybody sees it at once, and ROLLBACK, a lost
/// connection or a crash take it back no more than a committed one.
///
/// It is written frozen, as COPY (FREEZE) writes rows, so for reading, DELETE, VACUUM, dumps and
/// standbys the table is an ordinary one.  It must be a heap without indexes, because an index
/// would have no entry for a row that a crash or an error came right after; SQLSTATE 55000
/// otherwise, and when it has fewer columns.  Columns beyond `count` become null.
///
/// No privileges, constraints, defaults or triggers are looked at: the caller gives each value.
void insert_frozen(const known_table& table, const Datum* values, const bool* nulls,
                   std::size_t count);

/// Afterwards: WAL of the row is on disk on return, or within moments.  COMMIT would flush it,
/// ROLLBACK and a lost connection would not, and it has to outlast all of them.
void flush_frozen(bool at_once);

}  // namespace pg
