// Writes rows of a foreign table: one statement of the nodes a row, by its primary key.
#include "boundary/foreign/node_table.h"

extern "C" {
#include "access/htup_details.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
}

namespace pg::nodes {
namespace {

/// A statement for each row: parameters first for columns of the new row, then for the key.
struct writer {
  const char* text;
  Oid owner;
  MemoryContext scratch;
  int columns;
  AttrNumber* numbers;  ///< of the columns in the foreign table
  int keys;
  AttrNumber places[INDEX_MAX_KEYS];  ///< of the key in what the plan has found
  Oid* types;
  Datum* values;
  char* nulls;
};

Var* key_column(Index range, Relation table, const char* name) {
  const AttrNumber number = get_attnum(RelationGetRelid(table), name);
  if (number == InvalidAttrNumber) {
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
            errmsg("column \"%s\" of relation \"%s\" does not exist", name,
                   RelationGetRelationName(table)));
  }
  const Form_pg_attribute column = TupleDescAttr(RelationGetDescr(table), number - 1);
  return makeVar(static_cast<int>(range), number, column->atttypid, column->atttypmod,
                 column->attcollation, 0);
}

void add_key(PlannerInfo* root, Index range, RangeTblEntry* /*entry*/, Relation table) {
  const key_columns key = key_of(source_of(RelationGetRelid(table)));
  for (int i = 0; i < key.count; ++i) {
    add_row_identity_var(root, key_column(range, table, key.names[i]), range, key.names[i]);
  }
}

/// With one node written to, Citus would commit there before this transaction does.  A copy of no
/// rows makes it prepare first.
void commit_with_the_rest(const writer& with, const char* source) {
  as_owner(with.owner, [&] {
    SPI_execute(psprintf("INSERT INTO %s SELECT (r).* FROM pg_catalog.unnest('{}'::%s[]) AS r",
                         source, source),
                false, 0);
  });
}

void add_column(writer* to, Form_pg_attribute column) {
  to->numbers[to->columns] = column->attnum;
  to->types[to->columns] = column->atttypid;
  ++to->columns;
}

writer* make_writer(ResultRelInfo* relation) {
  const Relation table = relation->ri_RelationDesc;
  const auto most = static_cast<std::size_t>(RelationGetNumberOfAttributes(table)) + INDEX_MAX_KEYS;
  auto* const made = static_cast<writer*>(palloc0(sizeof(writer)));
  made->owner = table->rd_rel->relowner;
  made->scratch =
      AllocSetContextCreate(CurrentMemoryContext, "a row for nodes", ALLOCSET_DEFAULT_SIZES);
  made->numbers = static_cast<AttrNumber*>(palloc0(sizeof(AttrNumber) * most));
  made->types = static_cast<Oid*>(palloc0(sizeof(Oid) * most));
  made->values = static_cast<Datum*>(palloc0(sizeof(Datum) * most));
  made->nulls = static_cast<char*>(palloc0(most));
  relation->ri_FdwState = made;
  return made;
}

/// " WHERE key = $n AND ..."
void write_key(StringInfo text, writer* to, Oid source, List* targets) {
  const key_columns key = key_of(source);
  to->keys = key.count;
  for (int i = 0; i < key.count; ++i) {
    to->places[i] = ExecFindJunkAttributeInTlist(targets, key.names[i]);
    if (!AttributeNumberIsValid(to->places[i])) elog(ERROR, "no column \"%s\"", key.names[i]);
    to->types[to->columns + i] = get_atttype(source, get_attnum(source, key.names[i]));
    appendStringInfo(text, "%s %s OPERATOR(pg_catalog.=) $%d", i == 0 ? " WHERE" : " AND",
                     quote_identifier(key.names[i]), to->columns + i + 1);
  }
}

/// "a, b, c"; with all columns of a row that are stored, or those that are updated
void write_columns(StringInfo text, TupleDesc row, const char* after, writer* to,
                   const Bitmapset* updated) {
  bool first = true;
  for (int i = 0; i < row->natts; ++i) {
    const Form_pg_attribute column = TupleDescAttr(row, i);
    if (column->attisdropped || column->attgenerated != '\0') continue;
    if (updated != nullptr &&
        !bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, updated)) {
      continue;
    }
    if (to != nullptr) add_column(to, column);
    appendStringInfo(text, "%s%s", first ? "" : ", ", quote_identifier(NameStr(column->attname)));
    if (after != nullptr) appendStringInfo(text, after, to == nullptr ? 0 : to->columns);
    first = false;
  }
}

void begin_insert(ModifyTableState* /*state*/, ResultRelInfo* relation) {
  writer* const made = make_writer(relation);
  const Relation table = relation->ri_RelationDesc;
  const char* const source = name_of(source_of(RelationGetRelid(table)));
  StringInfoData text;
  initStringInfo(&text);
  appendStringInfo(&text, "INSERT INTO %s (", source);
  write_columns(&text, RelationGetDescr(table), nullptr, made, nullptr);
  appendStringInfoString(&text, ") OVERRIDING SYSTEM VALUE VALUES (");
  for (int i = 1; i <= made->columns; ++i) appendStringInfo(&text, i == 1 ? "$%d" : ", $%d", i);
  appendStringInfoChar(&text, ')');
  made->text = text.data;
  commit_with_the_rest(*made, source);
}

void begin(ModifyTableState* state, ResultRelInfo* relation, List* /*private_list*/,
           int /*subplan*/, int flags) {
  if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0) return;
  if (state->operation == CMD_INSERT) {
    begin_insert(state, relation);
    return;
  }
  writer* const made = make_writer(relation);
  const Relation table = relation->ri_RelationDesc;
  const Oid from = source_of(RelationGetRelid(table));
  const char* const source = name_of(from);
  List* const targets = outerPlanState(state)->plan->targetlist;
  StringInfoData text;
  initStringInfo(&text);
  if (state->operation == CMD_UPDATE) {
    appendStringInfo(&text, "UPDATE %s SET ", source);
    write_columns(&text, RelationGetDescr(table), " = $%d", made,
                  ExecGetUpdatedCols(relation, state->ps.state));
    write_key(&text, made, from, targets);
  } else {
    appendStringInfo(&text, "DELETE FROM %s", source);
    write_key(&text, made, from, targets);
    appendStringInfoString(&text, " RETURNING ");
    write_columns(&text, RelationGetDescr(table), nullptr, nullptr, nullptr);
  }
  made->text = text.data;
  commit_with_the_rest(*made, source);
}

void set_row(writer* with, TupleTableSlot* row) {
  for (int i = 0; i < with->columns; ++i) {
    bool null = false;
    with->values[i] = slot_getattr(row, with->numbers[i], &null);
    with->nulls[i] = null ? 'n' : ' ';
  }
}

void set_key(writer* with, TupleTableSlot* found) {
  for (int i = 0; i < with->keys; ++i) {
    bool null = false;
    with->values[with->columns + i] = ExecGetJunkAttribute(found, with->places[i], &null);
    with->nulls[with->columns + i] = null ? 'n' : ' ';
  }
}

/// Calls `use` while the result is there; whether a row was written.
template <typename Use>
bool write(writer* with, const Use& use) {
  MemoryContextReset(with->scratch);
  const MemoryContext outer = MemoryContextSwitchTo(with->scratch);
  bool written = false;
  as_owner(with->owner, [&] {
    SPI_execute_with_args(with->text, with->columns + with->keys, with->types, with->values,
                          with->nulls, false, 0);
    written = SPI_processed > 0;
    if (written) use();
  });
  MemoryContextSwitchTo(outer);
  return written;
}

writer* writer_of(ResultRelInfo* relation) { return static_cast<writer*>(relation->ri_FdwState); }

TupleTableSlot* insert(EState* /*state*/, ResultRelInfo* relation, TupleTableSlot* row,
                       TupleTableSlot* /*plan_row*/) {
  writer* const with = writer_of(relation);
  set_row(with, row);
  return write(with, [] {}) ? row : nullptr;
}

TupleTableSlot* update(EState* /*state*/, ResultRelInfo* relation, TupleTableSlot* row,
                       TupleTableSlot* found) {
  writer* const with = writer_of(relation);
  set_row(with, row);
  set_key(with, found);
  return write(with, [] {}) ? row : nullptr;
}

/// The row that has gone, for RETURNING.
void store_deleted(TupleTableSlot* into) {
  ExecClearTuple(into);
  const TupleDesc from = SPI_tuptable->tupdesc;
  int place = 0;
  for (int i = 0; i < into->tts_tupleDescriptor->natts; ++i) {
    const Form_pg_attribute column = TupleDescAttr(into->tts_tupleDescriptor, i);
    into->tts_isnull[i] = true;
    if (column->attisdropped || column->attgenerated != '\0') continue;
    into->tts_values[i] = SPI_getbinval(SPI_tuptable->vals[0], from, ++place, &into->tts_isnull[i]);
  }
  ExecStoreVirtualTuple(into);
  ExecMaterializeSlot(into);
}

TupleTableSlot* remove(EState* /*state*/, ResultRelInfo* relation, TupleTableSlot* into,
                       TupleTableSlot* found) {
  writer* const with = writer_of(relation);
  set_key(with, found);
  return write(with, [into] { store_deleted(into); }) ? into : nullptr;
}

void empty(List* tables, DropBehavior /*behavior*/, bool /*restarts_sequences*/) {
  ListCell* cell = nullptr;
  foreach (cell, tables) {
    auto* const table = static_cast<Relation>(lfirst(cell));
    as_owner(table->rd_rel->relowner, [&] {
      SPI_execute(psprintf("TRUNCATE %s", name_of(source_of(RelationGetRelid(table)))), false, 0);
    });
  }
}

}  // namespace

void add_writing(FdwRoutine& routine) {
  routine.AddForeignUpdateTargets = add_key;
  routine.BeginForeignModify = begin;
  routine.BeginForeignInsert = begin_insert;
  routine.ExecForeignInsert = insert;
  routine.ExecForeignUpdate = update;
  routine.ExecForeignDelete = remove;
  routine.ExecForeignTruncate = empty;
}

}  // namespace pg::nodes
