// The row trigger of the audit trail: writes the columns that have changed, and those only, with
// one statement that is planned once.
#include <array>
#include <cstring>

#include "pg/owner.h"
#include "pg/trigger.h"

extern "C" {
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
}

namespace vrm::sql {
namespace {

/// What a trigger is told: columns to leave out, and columns of which only the name is kept.
struct instructions {
  const char* excluded;
  const char* redacted;
};

/// Whether `list`, names separated and surrounded by newlines, has `name`.
bool has(const char* list, const char* name) {
  const std::size_t size = std::strlen(name);
  for (const char* at = std::strstr(list, name); at != nullptr; at = std::strstr(at + 1, name)) {
    if (at > list && at[-1] == '\n' && at[size] == '\n') return true;
  }
  return false;
}

/// Appends "name": value.  Numbers and booleans stay what they are; the rest is text.
void append_member(StringInfo object, Form_pg_attribute column, Datum value, bool null,
                   bool redacted) {
  if (object->len > 1) appendStringInfoChar(object, ',');
  escape_json(object, NameStr(column->attname));
  appendStringInfoChar(object, ':');
  if (null) {
    appendStringInfoString(object, "null");
    return;
  }
  if (redacted) {
    appendStringInfoString(object, "\"redacted\"");
    return;
  }
  Oid output = InvalidOid;
  bool is_varlena = false;
  getTypeOutputInfo(column->atttypid, &output, &is_varlena);
  const char* const text = OidOutputFunctionCall(output, value);
  switch (column->atttypid) {
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case JSONBOID:
      appendStringInfoString(object, text);
      break;
    case BOOLOID:
      appendStringInfoString(object, *text == 't' ? "true" : "false");
      break;
    default:
      escape_json(object, text);
  }
}

struct difference {
  StringInfoData before;
  StringInfoData after;
};

/// Runs inside a guard.  Unchanged columns of an UPDATE are left out; false when nothing is left.
bool compare(TupleDesc columns, HeapTuple before, HeapTuple after, const instructions& told,
             difference& found) {
  initStringInfo(&found.before);
  initStringInfo(&found.after);
  appendStringInfoChar(&found.before, '{');
  appendStringInfoChar(&found.after, '{');
  for (int i = 0; i < columns->natts; ++i) {
    const Form_pg_attribute column = TupleDescAttr(columns, i);
    const char* const name = NameStr(column->attname);
    if (column->attisdropped || has(told.excluded, name)) continue;
    Datum old_value = 0;
    Datum new_value = 0;
    bool old_null = true;
    bool new_null = true;
    if (before != nullptr) old_value = heap_getattr(before, i + 1, columns, &old_null);
    if (after != nullptr) new_value = heap_getattr(after, i + 1, columns, &new_null);
    if (before != nullptr && after != nullptr && old_null == new_null &&
        (old_null || datumIsEqual(old_value, new_value, column->attbyval, column->attlen)))
      continue;
    const bool redacted = has(told.redacted, name);
    if (before != nullptr) append_member(&found.before, column, old_value, old_null, redacted);
    if (after != nullptr) append_member(&found.after, column, new_value, new_null, redacted);
  }
  appendStringInfoChar(&found.before, '}');
  appendStringInfoChar(&found.after, '}');
  return found.before.len > 2 || found.after.len > 2;
}

/// Planned once for the backend; PostgreSQL plans it anew when the table has changed.
SPIPlanPtr insertion() {
  static SPIPlanPtr plan = nullptr;
  if (plan == nullptr) {
    std::array<Oid, 4> types = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};
    plan = SPI_prepare(
        "INSERT INTO vrm.audit_log (class, action, relation, old, new)"
        " VALUES ('data', $1, $2, $3::pg_catalog.jsonb, $4::pg_catalog.jsonb)",
        static_cast<int>(types.size()), types.data());
    SPI_keepplan(plan);
  }
  return plan;
}

}  // namespace

HeapTuple audit_row(const pg::trigger_call& call) {
  const bool updates = call.old_row() != nullptr;
  HeapTuple const before = updates ? call.old_row() : call.is_delete() ? call.row() : nullptr;
  HeapTuple const after = call.is_delete() ? nullptr : call.row();
  const Relation relation = call.relation();
  const Trigger& trigger = call.trigger();
  const instructions told = {.excluded = trigger.tgnargs > 0 ? trigger.tgargs[0] : "",
                             .redacted = trigger.tgnargs > 1 ? trigger.tgargs[1] : ""};
  const pg::owner_scope owner("vrm", "audit_log");
  pg::guarded([&] {
    difference found{};
    if (!compare(RelationGetDescr(relation), before, after, told, found)) return;
    SPI_connect();
    const char* const action = updates ? "UPDATE" : after != nullptr ? "INSERT" : "DELETE";
    const char* const name = quote_qualified_identifier(
        get_namespace_name(RelationGetNamespace(relation)), RelationGetRelationName(relation));
    std::array<Datum, 4> values = {CStringGetTextDatum(action), CStringGetTextDatum(name),
                                   CStringGetTextDatum(found.before.data),
                                   CStringGetTextDatum(found.after.data)};
    const std::array<char, 4> nulls = {' ', ' ', before == nullptr ? 'n' : ' ',
                                       after == nullptr ? 'n' : ' '};
    SPI_execute_plan(insertion(), values.data(), nulls.data(), false, 0);
    SPI_finish();
  });
  return call.row();
}

}  // namespace vrm::sql

VRM_EXPORT_TRIGGER(vrm_audit_row, vrm::sql::audit_row);
