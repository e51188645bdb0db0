// Columns whose values open only in their own row: the trigger that binds what is written,
// vrm.reveal_row(), and what rotation does to rows.
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/call/spi.h"
#include "boundary/call/trigger.h"
#include "boundary/table/relation.h"
#include "boundary/table/row_at.h"
#include "boundary/table/row_updater.h"
#include "boundary/value/tuple.h"
#include "boundary/value/varlena.h"
#include "core/secrets/envelope.h"
#include "core/secrets/record_text.h"
#include "functions/secrets/keyring.h"
#include "functions/secrets/sealed_column.h"
#include "functions/secrets/secret.h"

extern "C" {
#include "access/relation.h"
#include "catalog/namespace.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace vrm::sql {
namespace {

using vrm::byte_view;

/// Whether the column held the same bytes before.
bool is_unchanged(const sealed_column& column, byte_view envelope, TupleDesc descriptor,
                  HeapTuple old_row) {
  const auto before = envelope_in(column, descriptor, old_row);
  return before && std::ranges::equal(*before, envelope);
}

/// The value to store in place of `envelope` in `new_row`; nothing when it is right as it is.
std::optional<Datum> bound_value(const sealed_column& column, byte_view envelope,
                                 TupleDesc descriptor, HeapTuple new_row, HeapTuple old_row) {
  const auto header = vrm::read_envelope_header(envelope, envelope.size());
  if (!header) return std::nullopt;  // the column's CHECK refuses it
  const row_binding row = bind(column, new_row, descriptor);
  const keyring::binding_of here = row.binding(column);
  passing_plaintext plaintext(envelope);

  if (header->bound == vrm::binding::none) {
    if (!plaintext.opened({}, envelope)) keyring::throw_cannot_be_opened();
    return plaintext.sealed(here);
  }
  if (plaintext.opened(here, envelope)) {
    const bool is_current = header->key_id == keyring::active_key_id() &&
                            header->per_subject == (here.subject != nullptr);
    return is_current ? std::nullopt : std::optional(plaintext.sealed(here));
  }
  // It comes from somewhere else, the row's primary key changes, or nobody can open it.
  if (old_row == nullptr) keyring::throw_cannot_be_opened();
  const row_binding before = bind(column, old_row, descriptor);
  if (before == row && is_unchanged(column, envelope, descriptor, old_row)) return std::nullopt;
  if (!plaintext.opened(before.binding(column), envelope)) keyring::throw_cannot_be_opened();
  return plaintext.sealed(here);
}

/// The value of the row under the active key; nothing when it is under `key_id`, null, or when
/// nobody can open it.
std::optional<Datum> resealed(const sealed_column& column, TupleDesc descriptor, HeapTuple row,
                              std::int64_t key_id) {
  const auto value = value_in(column, descriptor, row);
  if (!value || !value->header || value->header->key_id == key_id) return std::nullopt;
  passing_plaintext plaintext(value->envelope);
  if (!value->opens(column, plaintext)) return std::nullopt;
  return plaintext.sealed(value->row.binding(column));
}

/// What binds the column of this trigger, read once for a statement.
const sealed_column& described(const pg::trigger_call& call) {
  FmgrInfo& function = call.function();
  if (function.fn_extra == nullptr) {
    const auto column = pg::guarded([&] { return describe(call.relation(), call.trigger()); });
    function.fn_extra = pg::construct_in<sealed_column>(function.fn_mcxt, column);
  }
  return *static_cast<const sealed_column*>(function.fn_extra);
}

/// Runs the query that finds the row as the caller, so that privileges and policies hold: sealed
/// value first, then the primary key.
bool find_row(const pg::spi_session& spi, const pg::relation_scope& relation,
              const sealed_column& column, const std::vector<std::string>& values) {
  const auto quoted = [&](AttrNumber attribute) {
    return pg::guarded([&] {
      return quote_identifier(
          NameStr(TupleDescAttr(relation.get()->rd_att, attribute - 1)->attname));
    });
  };
  std::string query = std::string("SELECT ") + quoted(column.attribute);
  std::string condition;
  for (std::size_t i = 0; i < column.key_count; ++i) {
    const std::string name = quoted(column.key[i]);
    const char* const type = pg::guarded([&] { return format_type_be(column.key_types[i]); });
    const char* const literal = pg::guarded([&] { return quote_literal_cstr(values[i].c_str()); });
    query.append(", ").append(name);
    condition.append(i == 0 ? " WHERE " : " AND ").append(name);
    condition.append(" OPERATOR(pg_catalog.=) ").append(literal).append("::").append(type);
  }
  query.append(" FROM ").append(relation.quoted_name()).append(condition);
  return spi.query(query.c_str()) > 0;
}

}  // namespace

/// BEFORE INSERT OR UPDATE trigger: what is written is bound to its row, and sealed with the active
/// key.  What belongs to another row is refused; what nobody can open stays in its own.
HeapTuple bind_sealed(const pg::trigger_call& call) {
  const sealed_column& column = described(call);
  const TupleDesc descriptor = RelationGetDescr(call.relation());
  const auto envelope = envelope_in(column, descriptor, call.row());
  if (!envelope) return call.row();
  const auto changed = bound_value(column, *envelope, descriptor, call.row(), call.old_row());
  return changed ? call.row_with(column.attribute, *changed) : call.row();
}

/// What the sealed column of one row holds, for a caller who may read the row; null when there is
/// none.  `key` is the primary key as text, of several columns like a row: (first,second).
std::optional<pg::text_result> reveal_row(pg::relation_id table, pg::name_view column_name,
                                          std::string_view key) {
  const pg::relation_scope relation(table);
  const sealed_column column = require_column(relation, table, column_name);
  const std::vector<std::string> values = vrm::split_record(key, column.key_count);
  if (values.size() != column.key_count) {
    throw vrm::error("22023", "the primary key does not have that many columns")
        .detail("It has " + std::to_string(column.key_count) + ".")
        .hint("Several values read '(first,second)'.");
  }

  const MemoryContext result_context = CurrentMemoryContext;
  const pg::spi_session spi;
  if (!find_row(spi, relation, column, values)) return std::nullopt;
  row_binding bound;
  bound.start(column);
  for (std::size_t i = 0; i < column.key_count; ++i) {
    bound.add(column, i, spi.datum(0, static_cast<int>(i) + 2).value_or(Datum{0}));
  }
  const auto envelope = spi.column<std::span<const std::byte>>(0, 1);
  if (!envelope) return std::nullopt;
  const pg::context_scope outlives_spi(result_context);
  return revealed(bound.binding(column), *envelope);
}

/// Seals the column anew in the rows at `places` as the query sees them, unless it is under this
/// key already; how many it was.  What others have locked or changed, and what nobody can open,
/// stays.  Null, and nothing is done, where only an UPDATE does all that is to be done.
std::optional<std::int64_t> reseal_rows(pg::relation_id table, pg::name_view column_name,
                                        std::int64_t key_id, pg::tuple_addresses rows) {
  sealed_column column{};
  {
    const pg::relation_scope relation(table);
    const AttrNumber number = pg::guarded([&] { return get_attnum(table.oid, column_name.text); });
    const auto found = find_column(relation.get(), number);
    const bool suits =
        found && pg::row_updater::suits(relation.get(), number, bind_trigger_function());
    if (!suits) return std::nullopt;
    column = *found;
  }
  pg::row_updater updater(table);
  std::int64_t count = 0;
  for (const Datum place : rows.places) {
    pg::check_for_interrupts();
    const HeapTuple row = updater.find(pg::tuple_addresses::at(place));
    if (row == nullptr) continue;
    const pg::context_scope temporary(updater.scratch());
    const auto value = resealed(column, updater.descriptor(), row, key_id);
    if (value && updater.replace(column.attribute, *value)) ++count;
  }
  updater.finish();
  return count;
}

/// Whether the value opens that the column holds at `address`, as the query sees it.  Of a row that
/// it does not see, because somebody has changed it meanwhile, the trigger will find out; an UPDATE
/// that has waited for it does not say either which partition that is in.
bool opens_at(pg::relation_id table, pg::name_view column_name, pg::tuple_address address) {
  if (!OidIsValid(table.oid)) return true;
  const pg::relation_scope relation(table);
  const AttrNumber attribute = pg::guarded([&] { return get_attnum(table.oid, column_name.text); });
  const auto column = find_column(relation.get(), attribute);
  if (!column) return false;
  const HeapTuple row = pg::row_at(relation.get(), address.place);
  if (row == nullptr) return true;
  const auto value = value_in(*column, RelationGetDescr(relation.get()), row);
  if (!value) return true;
  if (!value->header) return false;
  passing_plaintext plaintext(value->envelope);
  return value->opens(*column, plaintext);
}

}  // namespace vrm::sql

PG_EXPORT(vrm_opens_at, vrm::sql::opens_at);
PG_EXPORT(vrm_reseal_rows, vrm::sql::reseal_rows);
PG_EXPORT(vrm_bind_sealed, vrm::sql::bind_sealed);
PG_EXPORT(vrm_reveal_row, vrm::sql::reveal_row);
