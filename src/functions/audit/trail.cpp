// The row trigger of the audit trail: writes the columns that have changed, and those only, below
// the executor.
#include <array>
#include <cstring>

#include "boundary/call/trigger.h"
#include "boundary/table/owner.h"
#include "boundary/table/partition_writer.h"
#include "boundary/value/fixed_text.h"
#include "boundary/value/jsonb_state.h"
#include "functions/platform/table.h"

extern "C" {
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
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

/// A value as it is written down: numbers and booleans stay what they are; the rest is text.
JsonbValue member_of(const FormData_pg_attribute& column, Datum value, pg::fixed_text& text) {
  JsonbValue member{};
  member.type = jbvString;
  switch (column.atttypid) {
    case BOOLOID:
      member.type = jbvBool;
      member.val.boolean = DatumGetBool(value);
      return member;
    case INT2OID:
    case INT4OID:
    case INT8OID:
      member.type = jbvNumeric;
      member.val.numeric = int64_to_numeric(column.atttypid == INT2OID   ? DatumGetInt16(value)
                                            : column.atttypid == INT4OID ? DatumGetInt32(value)
                                                                         : DatumGetInt64(value));
      return member;
    case JSONBOID: {
      Jsonb* const document = DatumGetJsonbP(value);
      // Stored as an array of one, out of which it is taken.
      if (JB_ROOT_IS_SCALAR(document)) {
        JsonbExtractScalar(&document->root, &member);
      } else {
        member.type = jbvBinary;
        member.val.binary.data = &document->root;
        member.val.binary.len = static_cast<int>(VARSIZE(document) - VARHDRSZ);
      }
      return member;
    }
    case TEXTOID:
    case VARCHAROID: {
      struct varlena* const packed = PG_DETOAST_DATUM_PACKED(value);
      member.val.string.val = VARDATA_ANY(packed);
      member.val.string.len = static_cast<int>(VARSIZE_ANY_EXHDR(packed));
      return member;
    }
    default:
      member.val.string.val = text.of(column.atttypid, value);
      member.val.string.len = static_cast<int>(std::strlen(member.val.string.val));
      return member;
  }
}

/// An object of columns: what a row was or is.
class members {
 public:
  explicit members(pg::fixed_text& written) : written_(&written) {}
  void begin() { state_.push(WJB_BEGIN_OBJECT, nullptr); }
  void add(const FormData_pg_attribute& column, Datum value, bool null, bool redacted) {
    JsonbValue name = text(NameStr(column.attname));
    state_.push(WJB_KEY, &name);
    JsonbValue member{};
    member.type = jbvNull;
    if (!null) member = redacted ? text("redacted") : member_of(column, value, *written_);
    state_.push(WJB_VALUE, &member);
  }
  Datum end() {
    state_.push(WJB_END_OBJECT, nullptr);
    return state_.finish();
  }

 private:
  static JsonbValue text(const char* string) {
    JsonbValue value{};
    value.type = jbvString;
    value.val.string.val = const_cast<char*>(string);
    value.val.string.len = static_cast<int>(std::strlen(string));
    return value;
  }

  pg::fixed_text* written_;
  pg::jsonb_state state_;
};

/// The columns of a row.
/// Static where it is used: 28 kB for two are much for the stack that a trigger finds.
struct content {
  std::array<Datum, MaxHeapAttributeNumber> values;
  std::array<bool, MaxHeapAttributeNumber> nulls;
};

/// Of PostgreSQL 18, by the letter, which older headers have no name for.
bool is_virtual(const FormData_pg_attribute& column) noexcept {
  return column.attgenerated == 'v' && !column.attisdropped;
}

bool has_virtual_columns(TupleDesc columns) noexcept {
  if (columns->constr == nullptr || columns->constr->num_defval == 0) return false;
  for (int number = 0; number < columns->natts; ++number) {
    if (is_virtual(*TupleDescAttr(columns, number))) return true;
  }
  return false;
}

/// The expression that a column is computed by, as SQL.
char* expression_of(Relation relation, const FormData_pg_attribute& column) {
  const TupleConstr& constraints = *RelationGetDescr(relation)->constr;
  for (int i = 0; i < constraints.num_defval; ++i) {
    if (constraints.defval[i].adnum == column.attnum) {
      return TextDatumGetCString(
          DirectFunctionCall2(pg_get_expr, CStringGetTextDatum(constraints.defval[i].adbin),
                              ObjectIdGetDatum(RelationGetRelid(relation))));
    }
  }
  elog(ERROR, "column \"%s\" has no expression", NameStr(column.attname));
}

/// A row that a trigger gets holds nothing of columns that are computed when they are read: asks
/// for them, as whoever writes would read them.
void compute_virtual_columns(Relation relation, HeapTuple row, content& into) {
  TupleDesc const columns = RelationGetDescr(relation);
  if (!has_virtual_columns(columns)) return;
  StringInfoData query;
  initStringInfo(&query);
  for (int number = 0; number < columns->natts; ++number) {
    const FormData_pg_attribute& column = *TupleDescAttr(columns, number);
    if (!is_virtual(column)) continue;
    appendStringInfo(&query, "%s (%s)", query.len == 0 ? "SELECT" : ",",
                     expression_of(relation, column));
  }
  appendStringInfoString(&query, " FROM (SELECT ($1).*) AS r");
  Oid type = RelationGetForm(relation)->reltype;
  Datum argument = heap_copy_tuple_as_datum(row, columns);
  // Inside of a guard without C++ objects: an ERROR takes the connection down with it.
  SPI_connect();
  SPI_execute_with_args(query.data, 1, &type, &argument, nullptr, true, 1);
  int at = 0;
  for (int number = 0; number < columns->natts; ++number) {
    const FormData_pg_attribute& column = *TupleDescAttr(columns, number);
    if (!is_virtual(column)) continue;
    const auto i = static_cast<std::size_t>(number);
    const Datum value =
        SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, ++at, &into.nulls[i]);
    if (!into.nulls[i]) into.values[i] = SPI_datumTransfer(value, column.attbyval, column.attlen);
  }
  SPI_finish();
}

struct difference {
  Datum before;
  Datum after;
};

void take_apart(Relation relation, HeapTuple row, content& into) {
  heap_deform_tuple(row, RelationGetDescr(relation), into.values.data(), into.nulls.data());
  compute_virtual_columns(relation, row, into);
}

/// Runs inside a guard.  Unchanged columns of an UPDATE are left out; false when nothing is left.
bool compare(Relation relation, HeapTuple before, HeapTuple after, const instructions& told,
             difference& found) {
  TupleDesc const columns = RelationGetDescr(relation);
  static content old_row;
  static content new_row;
  if (before != nullptr) take_apart(relation, before, old_row);
  if (after != nullptr) take_apart(relation, after, new_row);
  pg::fixed_text written;
  members left(written);
  members right(written);
  bool any = false;
  if (before != nullptr) left.begin();
  if (after != nullptr) right.begin();
  for (int number = 0; number < columns->natts; ++number) {
    const FormData_pg_attribute& column = *TupleDescAttr(columns, number);
    const auto i = static_cast<std::size_t>(number);
    if (column.attisdropped) continue;
    // By their stored bytes: an UPDATE hands on what it leaves alone as it lies, out of line, too.
    if (before != nullptr && after != nullptr && old_row.nulls[i] == new_row.nulls[i] &&
        (old_row.nulls[i] ||
         datumIsEqual(old_row.values[i], new_row.values[i], column.attbyval, column.attlen))) {
      continue;
    }
    const char* const name = NameStr(column.attname);
    if (has(told.excluded, name)) continue;
    any = true;
    const bool redacted = has(told.redacted, name);
    if (before != nullptr) left.add(column, old_row.values[i], old_row.nulls[i], redacted);
    if (after != nullptr) right.add(column, new_row.values[i], new_row.nulls[i], redacted);
  }
  written.end();
  if (!any) return false;
  found.before = before == nullptr ? Datum{0} : left.end();
  found.after = after == nullptr ? Datum{0} : right.end();
  return true;
}

constexpr std::array columns_of_entry = {"class", "action", "relation", "old", "new"};

/// The way through the executor, for partitions that somebody has put triggers or the like on.
/// Planned once for the backend; PostgreSQL plans it anew when the table has changed.
void insert_by_statement(std::array<Datum, 5> values, const std::array<bool, 5>& nulls) {
  static SPIPlanPtr plan = nullptr;
  SPI_connect();
  if (plan == nullptr) {
    std::array<Oid, 5> types = {TEXTOID, TEXTOID, TEXTOID, JSONBOID, JSONBOID};
    plan = SPI_prepare(
        "INSERT INTO vrm.audit_log (class, action, relation, old, new) VALUES ($1, $2, $3, $4, $5)",
        static_cast<int>(types.size()), types.data());
    SPI_keepplan(plan);
  }
  std::array<char, 5> marks{};
  for (std::size_t i = 0; i < marks.size(); ++i) marks[i] = nulls[i] ? 'n' : ' ';
  SPI_execute_plan(plan, values.data(), marks.data(), false, 0);
  SPI_finish();
}

/// Runs inside a guard.  Name of the table, made once for a statement, the same for every session.
Datum name_of(const pg::trigger_call& call) {
  FmgrInfo& function = call.function();
  if (function.fn_extra == nullptr) {
    const MemoryContext outer = MemoryContextSwitchTo(function.fn_mcxt);
    pg::fixed_text written;
    function.fn_extra = cstring_to_text(written.name(RelationGetNamespace(call.relation()),
                                                     RelationGetRelationName(call.relation())));
    written.end();
    MemoryContextSwitchTo(outer);
  }
  return PointerGetDatum(function.fn_extra);
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
  std::array<Datum, 5> values{};
  const std::array<bool, 5> nulls = {false, false, false, before == nullptr, after == nullptr};
  const bool changed = pg::guarded([&] {
    difference found{};
    if (!compare(relation, before, after, told, found)) return false;
    const char* const action = updates ? "UPDATE" : after != nullptr ? "INSERT" : "DELETE";
    values = {CStringGetTextDatum("data"), CStringGetTextDatum(action), name_of(call), found.before,
              found.after};
    return true;
  });
  static constexpr pg::known_table audit_log = platform_table("vrm", "audit_log");
  // Lasts as long as the process: the writer keeps a plan from row to row.
  static constinit pg::partition_writer trail(audit_log, columns_of_entry);
  if (changed && !trail.put(values, nulls)) {
    const pg::owner_scope owner(audit_log);
    pg::guarded([&] { insert_by_statement(values, nulls); });
  }
  return call.row();
}

}  // namespace vrm::sql

PG_EXPORT(vrm_audit_row, vrm::sql::audit_row);
