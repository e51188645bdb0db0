// What of a query the nodes are asked: the columns that it needs, and comparisons of a column with
// something that is known before.
#include "boundary/foreign/node_table.h"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_collation_d.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_proc_d.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace pg::nodes {
namespace {

// As postgres_fdw has them: a statement to another node, and a row from there.
constexpr double statement_cost = 100.0;
constexpr double row_cost = 0.01;
// Nobody has counted the rows of a foreign table: many, since it is a month of calls.
constexpr double unknown_rows = 100'000.0;

/// "column OPERATOR value", or with ANY (value) or ALL (value).
struct comparison {
  Var* column;
  Oid op;
  Oid collation;
  Expr* value;
  const char* before;
  const char* after;
};

Var* column_of(Node* side, Index relation) {
  if (IsA(side, RelabelType)) side = reinterpret_cast<Node*>(castNode(RelabelType, side)->arg);
  if (!IsA(side, Var)) return nullptr;
  Var* const found = castNode(Var, side);
  const bool is_ours = found->varno == static_cast<int>(relation) && found->varlevelsup == 0;
  return is_ours && found->varattno > 0 ? found : nullptr;
}

bool read_operator(OpExpr* clause, Index relation, comparison* into) {
  if (list_length(clause->args) != 2) return false;
  auto* const left = static_cast<Node*>(linitial(clause->args));
  auto* const right = static_cast<Node*>(lsecond(clause->args));
  into->column = column_of(left, relation);
  into->op = clause->opno;
  Node* value = right;
  if (into->column == nullptr) {
    into->column = column_of(right, relation);
    into->op = get_commutator(clause->opno);
    value = left;
  }
  into->collation = clause->inputcollid;
  into->value = reinterpret_cast<Expr*>(value);
  into->before = "";
  into->after = "";
  return into->column != nullptr && OidIsValid(into->op);
}

bool read_comparison(Expr* clause, Index relation, comparison* into) {
  if (IsA(clause, OpExpr)) return read_operator(castNode(OpExpr, clause), relation, into);
  if (!IsA(clause, ScalarArrayOpExpr)) return false;
  auto* const array = castNode(ScalarArrayOpExpr, clause);
  into->column = column_of(static_cast<Node*>(linitial(array->args)), relation);
  into->op = array->opno;
  into->collation = array->inputcollid;
  into->value = static_cast<Expr*>(lsecond(array->args));
  into->before = array->useOr ? "ANY (" : "ALL (";
  into->after = ")";
  return into->column != nullptr;
}

/// Order depends on the collations of a node, equality does not.
bool means_the_same_elsewhere(const comparison& what) {
  if (what.op >= FirstGenbkiObjectId || op_volatile(what.op) != PROVOLATILE_IMMUTABLE) return false;
  if (!OidIsValid(what.collation)) return true;
  const char* const name = get_opname(what.op);
  return what.collation == DEFAULT_COLLATION_OID && name != nullptr && name[0] == '=' &&
         name[1] == '\0';
}

bool can_be_asked(PlannerInfo* root, RelOptInfo* table, RestrictInfo* condition, comparison* into) {
  // row level security comes first
  if (!restriction_is_securely_promotable(condition, table)) return false;
  if (!read_comparison(condition->clause, table->relid, into)) return false;
  auto* const value = reinterpret_cast<Node*>(into->value);
  return means_the_same_elsewhere(*into) && bms_is_empty(pull_varnos(root, value)) &&
         !contain_volatile_functions(value) && !contain_subplans(value);
}

/// Numbers of the columns that are needed, by those of the foreign table.
List* needed_columns(RelOptInfo* table, Oid foreign_table, List* checked_here) {
  Bitmapset* used = nullptr;
  pull_varattnos(reinterpret_cast<Node*>(table->reltarget->exprs), table->relid, &used);
  pull_varattnos(reinterpret_cast<Node*>(checked_here), table->relid, &used);
  const bool whole = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
  List* columns = NIL;
  const Relation relation = table_open(foreign_table, NoLock);
  for (int i = 0; i < RelationGetNumberOfAttributes(relation); ++i) {
    const Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), i);
    if (column->attisdropped) continue;
    if (whole || bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, used)) {
      columns = lappend_int(columns, column->attnum);
    }
  }
  table_close(relation, NoLock);
  return columns;
}

void write_columns(StringInfo text, Oid foreign_table, List* columns) {
  appendStringInfoString(text, "SELECT ");
  ListCell* cell = nullptr;
  foreach (cell, columns) {
    if (foreach_current_index(cell) > 0) appendStringInfoString(text, ", ");
    appendStringInfoString(
        text, quote_identifier(
                  get_attname(foreign_table, static_cast<AttrNumber>(lfirst_int(cell)), false)));
  }
  if (columns == NIL) appendStringInfoString(text, "NULL");
}

void estimate(PlannerInfo* root, RelOptInfo* table, Oid /*foreign_table*/) {
  if (table->tuples <= 0) table->tuples = unknown_rows;
  table->rows = clamp_row_est(table->tuples * clauselist_selectivity(root, table->baserestrictinfo,
                                                                     0, JOIN_INNER, nullptr));
  table->reltarget->width = Max(table->reltarget->width, 8);
}

void add_path_to(PlannerInfo* root, RelOptInfo* table, Oid /*foreign_table*/) {
  const Cost total = statement_cost + table->rows * (row_cost + cpu_tuple_cost);
  add_path(table, reinterpret_cast<Path*>(create_foreignscan_path(root, table, nullptr, table->rows,
#if PG_VERSION_NUM >= 180000
                                                                  0,
#endif
                                                                  statement_cost, total, NIL,
                                                                  nullptr, nullptr,
#if PG_VERSION_NUM >= 170000
                                                                  NIL,
#endif
                                                                  NIL)));
}

ForeignScan* plan(PlannerInfo* root, RelOptInfo* table, Oid foreign_table, ForeignPath* /*best*/,
                  List* targets, List* conditions, Plan* outer) {
  List* asked = NIL;
  List* here = NIL;
  List* values = NIL;
  StringInfoData where;
  initStringInfo(&where);
  ListCell* cell = nullptr;
  foreach (cell, conditions) {
    auto* const condition = lfirst_node(RestrictInfo, cell);
    if (condition->pseudoconstant) continue;
    comparison what{};
    if (!can_be_asked(root, table, condition, &what)) {
      here = lappend(here, condition->clause);
      continue;
    }
    asked = lappend(asked, condition->clause);
    values = lappend(values, what.value);
    appendStringInfo(&where, "%s (%s OPERATOR(pg_catalog.%s) %s$%d%s)",
                     where.len == 0 ? " WHERE" : " AND",
                     quote_identifier(get_attname(foreign_table, what.column->varattno, false)),
                     get_opname(what.op), what.before, list_length(values), what.after);
  }
  List* const columns = needed_columns(table, foreign_table, here);
  StringInfoData text;
  initStringInfo(&text);
  write_columns(&text, foreign_table, columns);
  appendStringInfo(&text, " FROM %s%s", name_of(source_of(foreign_table)), where.data);
  return make_foreignscan(targets, here, table->relid, values,
                          list_make2(makeString(text.data), columns), NIL, asked, outer);
}

}  // namespace

void add_planning(FdwRoutine& routine) {
  routine.GetForeignRelSize = estimate;
  routine.GetForeignPaths = add_path_to;
  routine.GetForeignPlan = plan;
}

}  // namespace pg::nodes
