// Reads the rows of a foreign table with a cursor, some at a time.
#include "boundary/foreign/node_table.h"

#include <cstdint>

extern "C" {
#include "access/htup_details.h"
#include "commands/explain.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
#include "executor/executor.h"
#include "executor/spi.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"
#include "utils/portal.h"
}

namespace pg::nodes {
namespace {

constexpr long rows_at_once = 200;

struct scan {
  const char* text;
  List* columns;  ///< numbers in the foreign table, in the order of the query
  List* values;   ///< what the parameters are, to be computed
  Oid owner;
  const char* cursor;  ///< its name; nullptr before the first row
  MemoryContext batch;
  HeapTuple* rows;
  std::uint64_t count;
  std::uint64_t next;
  bool ended;
  TupleDesc descriptor;
  Datum* fields;
  bool* nulls;
};

scan* state_of(ForeignScanState* node) { return static_cast<scan*>(node->fdw_state); }

const char* text_of(const ForeignScanState* node) {
  return strVal(linitial(castNode(ForeignScan, node->ss.ps.plan)->fdw_private));
}

void begin(ForeignScanState* node, int flags) {
  if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0) return;
  auto* const plan = castNode(ForeignScan, node->ss.ps.plan);
  auto* const made = static_cast<scan*>(palloc0(sizeof(scan)));
  made->text = text_of(node);
  made->columns = static_cast<List*>(lsecond(plan->fdw_private));
  made->values = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);
  made->owner = node->ss.ss_currentRelation->rd_rel->relowner;
  made->batch = AllocSetContextCreate(node->ss.ps.state->es_query_cxt, "rows from nodes",
                                      ALLOCSET_DEFAULT_SIZES);
  const auto width = static_cast<std::size_t>(Max(list_length(made->columns), 1));
  made->fields = static_cast<Datum*>(palloc(sizeof(Datum) * width));
  made->nulls = static_cast<bool*>(palloc(sizeof(bool) * width));
  node->fdw_state = made;
}

void open(ForeignScanState* node, scan* state) {
  const int count = list_length(state->values);
  const auto room = static_cast<std::size_t>(count) + 1;
  auto* const types = static_cast<Oid*>(palloc0(sizeof(Oid) * room));
  auto* const values = static_cast<Datum*>(palloc0(sizeof(Datum) * room));
  auto* const nulls = static_cast<char*>(palloc0(room));
  ExprContext* const context = node->ss.ps.ps_ExprContext;
  const MemoryContext outer = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
  ListCell* cell = nullptr;
  foreach (cell, state->values) {
    const int i = foreach_current_index(cell);
    auto* const value = static_cast<ExprState*>(lfirst(cell));
    bool null = false;
    types[i] = exprType(reinterpret_cast<Node*>(value->expr));
    values[i] = ExecEvalExpr(value, context, &null);
    nulls[i] = null ? 'n' : ' ';
  }
  MemoryContextSwitchTo(outer);
  const Portal portal = SPI_cursor_open_with_args(nullptr, state->text, count, types, values, nulls,
                                                  true, CURSOR_OPT_NO_SCROLL);
  state->cursor = MemoryContextStrdup(node->ss.ps.state->es_query_cxt, portal->name);
}

void close(scan* state) {
  const Portal portal = state->cursor == nullptr ? nullptr : SPI_cursor_find(state->cursor);
  if (PortalIsValid(portal)) SPI_cursor_close(portal);
  state->cursor = nullptr;
}

void take_rows(ForeignScanState* node, scan* state) {
  MemoryContextReset(state->batch);
  const MemoryContext outer = MemoryContextSwitchTo(state->batch);
  state->next = 0;
  state->count = SPI_processed;
  state->ended = SPI_processed < rows_at_once;
  state->rows = static_cast<HeapTuple*>(palloc(sizeof(HeapTuple) * (state->count + 1)));
  for (std::uint64_t i = 0; i < state->count; ++i) {
    state->rows[i] = heap_copytuple(SPI_tuptable->vals[i]);
  }
  MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
  if (state->descriptor == nullptr) {
    state->descriptor = CreateTupleDescCopy(SPI_tuptable->tupdesc);
  }
  MemoryContextSwitchTo(outer);
}

void fetch(ForeignScanState* node, scan* state) {
  as_owner(state->owner, [&] {
    if (state->cursor == nullptr) open(node, state);
    const Portal portal = SPI_cursor_find(state->cursor);
    if (!PortalIsValid(portal)) {
      ereport(ERROR, errcode(ERRCODE_INVALID_CURSOR_STATE),
              errmsg("the transaction of the query has ended"));
    }
    SPI_cursor_fetch(portal, true, rows_at_once);
    take_rows(node, state);
  });
}

TupleTableSlot* next(ForeignScanState* node) {
  scan* const state = state_of(node);
  TupleTableSlot* const slot = ExecClearTuple(node->ss.ss_ScanTupleSlot);
  if (state->next == state->count) {
    if (state->ended) return slot;
    fetch(node, state);
    if (state->count == 0) return slot;
  }
  heap_deform_tuple(state->rows[state->next++], state->descriptor, state->fields, state->nulls);
  for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) slot->tts_isnull[i] = true;
  ListCell* cell = nullptr;
  foreach (cell, state->columns) {
    const int i = foreach_current_index(cell);
    slot->tts_values[lfirst_int(cell) - 1] = state->fields[i];
    slot->tts_isnull[lfirst_int(cell) - 1] = state->nulls[i];
  }
  return ExecStoreVirtualTuple(slot);
}

void end(ForeignScanState* node) {
  if (scan* const state = state_of(node); state != nullptr) close(state);
}

void begin_again(ForeignScanState* node) {
  scan* const state = state_of(node);
  close(state);
  state->next = 0;
  state->count = 0;
  state->ended = false;
}

void explain(ForeignScanState* node, ExplainState* to) {
  if (to->verbose) ExplainPropertyText("Nodes Query", text_of(node), to);
}

}  // namespace

void add_reading(FdwRoutine& routine) {
  routine.BeginForeignScan = begin;
  routine.IterateForeignScan = next;
  routine.ReScanForeignScan = begin_again;
  routine.EndForeignScan = end;
  routine.ExplainForeignScan = explain;
}

}  // namespace pg::nodes
