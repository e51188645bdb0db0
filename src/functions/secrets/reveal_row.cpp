// vrm.reveal_row(): what the sealed column of one row holds.
//
// A row as an argument proves nothing: row(...)::some_table makes one of whatever somebody has got
// hold of.  So it only names a row, which has to be in the table as the caller may see it and hold
// the same sealed value; what opens is what the table has.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/call/kept_plans.h"
#include "boundary/table/relation.h"
#include "boundary/value/tuple.h"
#include "core/platform/error.h"
#include "core/platform/on_first_use.h"
#include "core/secrets/record_text.h"
#include "functions/platform/grants.h"
#include "functions/secrets/sealed_column.h"
#include "functions/secrets/secret.h"

extern "C" {
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace vrm::sql {
namespace {

vrm::on_first_use<pg::kept_plans> lookups;

using key_values = std::array<Datum, most_key_columns>;

/// Finds the row as the caller, so that privileges and policies hold: sealed value first, then the
/// primary key.
bool find_row(const pg::relation_scope& relation, const sealed_column& column,
              const key_values& key) {
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
    query.append(", ").append(name);
    condition.append(i == 0 ? " WHERE " : " AND ").append(name);
    condition.append(" OPERATOR(pg_catalog.=) $").append(std::to_string(i + 1));
  }
  query.append(" FROM ").append(relation.quoted_name()).append(condition);
  // By a plan that is made for the caller: policies and privileges are theirs.
  return lookups->query(query, std::span(column.key_types).first(column.key_count),
                        std::span(key).first(column.key_count)) > 0;
}

/// What the row with this primary key holds, if it is `expected`, where that is known.
std::optional<pg::text_result> revealed_in(const pg::relation_scope& relation,
                                           const sealed_column& column, const key_values& key,
                                           std::optional<byte_view> expected) {
  const MemoryContext result_context = CurrentMemoryContext;
  const pg::spi_session spi;
  if (!find_row(relation, column, key)) return std::nullopt;
  row_binding bound(column);
  for (std::size_t i = 0; i < column.key_count; ++i) {
    bound.add(column, i, spi.datum(0, static_cast<int>(i) + 2).value_or(Datum{0}));
  }
  const auto envelope = spi.column<byte_view>(0, 1);
  if (!envelope) return std::nullopt;
  // An earlier value of the row, or one from elsewhere, proves nothing: it is not answered.
  if (expected && !std::ranges::equal(*envelope, *expected)) return std::nullopt;
  const pg::context_scope outlives_spi(result_context);
  return revealed(bound.binding(column), *envelope);
}

/// The table whose rows are of this type.
pg::relation_id table_of(HeapTupleHeader row) {
  const Oid table = pg::guarded([&] { return get_typ_typrelid(HeapTupleHeaderGetTypeId(row)); });
  if (!OidIsValid(table)) {
    throw vrm::error("42809", "row is not of a table")
        .detail("Its columns do not tell which table it is of.")
        .hint("SELECT vrm.reveal_row(k, 'key') FROM vrm.api_keys AS k;");
  }
  return {table};
}

}  // namespace

/// What the sealed column of this row holds; null where the table, as the caller may see it, has no
/// such row.
std::optional<pg::text_result> reveal_row(pg::any_row row, pg::name_view column_name) {
  const pg::relation_scope relation(table_of(row.row));
  const sealed_column column = require_sealed(relation, column_name);
  const TupleDesc descriptor = RelationGetDescr(relation.get());
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(row.row);
  ItemPointerSetInvalid(&tuple.t_self);
  tuple.t_data = row.row;

  const auto envelope = envelope_in(column, descriptor, &tuple);
  if (!envelope) return std::nullopt;
  key_values key{};
  for (std::size_t i = 0; i < column.key_count; ++i) {
    bool null = false;
    key[i] = heap_getattr(&tuple, column.key[i], descriptor, &null);
    if (null) return std::nullopt;
  }
  return revealed_in(relation, column, key, envelope);
}

/// The same of the row whose primary key reads so; of several columns it reads like a row,
/// (first,second).
std::optional<pg::text_result> reveal_row_by_key(pg::relation_id table, pg::name_view column_name,
                                                 std::string_view key_text) {
  const pg::relation_scope relation(table);
  const sealed_column column = require_sealed(relation, column_name);
  const std::vector<std::string> texts = vrm::split_record(key_text, column.key_count);
  if (texts.size() != column.key_count) {
    throw vrm::error("22023", "the primary key does not have that many columns")
        .detail("It has " + std::to_string(column.key_count) + ".")
        .hint("Several values read '(first,second)'.");
  }
  key_values key{};
  for (std::size_t i = 0; i < column.key_count; ++i) {
    key[i] = pg::guarded([&] {
      Oid input = InvalidOid;
      Oid element = InvalidOid;
      getTypeInputInfo(column.key_types[i], &input, &element);
      return OidInputFunctionCall(input, const_cast<char*>(texts[i].c_str()), element, -1);
    });
  }
  return revealed_in(relation, column, key, std::nullopt);
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_reveal_row, vrm::sql::require_grant, vrm::sql::reveal_row_by_key);
PG_EXPORT_CHECKED(vrm_reveal_row_itself, vrm::sql::require_grant, vrm::sql::reveal_row);
