#pragma once

#include "boundary/call/statement.h"
#include "boundary/call/trigger.h"
#include "boundary/error/guard.h"
#include "boundary/table/index_reader.h"

namespace pg {

/// A column of a row that a trigger is called for, the new one or the old one.
/// By-reference values stay in the row.
inline argument column_of(const trigger_call& event, HeapTuple row, known_column& column) {
  return guarded([&] {
    argument found;
    found.value = heap_getattr(row, column.number_in(event.relation()),
                               RelationGetDescr(event.relation()), &found.null);
    return found;
  });
}

}  // namespace pg
