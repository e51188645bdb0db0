#pragma once

// Foreign tables whose rows are in a table that Citus spreads over nodes.
//
// They read and write it with statements of this transaction, which Citus routes: what is planned,
// checked and fired around them knows one table, and what they wrote commits with the rest or not
// at all.  No callback keeps anything that needs destroying: an ERROR jumps over it.

#include "boundary/backend.h"

extern "C" {
#include "executor/spi.h"
#include "foreign/fdwapi.h"
#include "utils/rel.h"
}

namespace pg::nodes {

/// The table behind a foreign one, as its options name it; an ERROR 42P01 when it is missing.
[[nodiscard]] Oid source_of(Oid foreign_table);

/// Its name as it is written in a statement.
[[nodiscard]] const char* name_of(Oid source);

/// The columns of its primary key by the names that both tables know, one after another; an ERROR
/// 0A000 without a key.
struct key_columns {
  int count;
  const char* names[INDEX_MAX_KEYS];
};
[[nodiscard]] key_columns key_of(Oid source);

/// Who acted, and with which settings, before act_as().
struct outer_session {
  Oid user;
  int context;
  int settings;
};

[[nodiscard]] outer_session act_as(Oid owner);
void act_again_as(const outer_session& before);

/// Statements run as the owner of the foreign table, whoever reads it, with one connection a node.
template <typename Statements>
void as_owner(Oid owner, const Statements& run) {
  const outer_session before = act_as(owner);
  SPI_connect();
  run();
  SPI_finish();
  act_again_as(before);
}

/// The callbacks: planning in node_plan.cpp, reading in node_scan.cpp, writing in node_write.cpp.
void add_planning(FdwRoutine& routine);
void add_reading(FdwRoutine& routine);
void add_writing(FdwRoutine& routine);

/// All of them.
[[nodiscard]] FdwRoutine* routine();

}  // namespace pg::nodes
