// What rotation does to rows: seals their values anew, and asks beforehand whether they open.
#include <optional>

#include "boundary/call/function.h"
#include "boundary/table/relation.h"
#include "boundary/table/row_at.h"
#include "boundary/table/row_updater.h"
#include "boundary/value/tuple.h"
#include "core/secrets/envelope.h"
#include "functions/platform/grants.h"
#include "functions/secrets/passing_plaintext.h"
#include "functions/secrets/sealed_column.h"
#include "functions/secrets/stored_value.h"

namespace vrm::sql {
namespace {

/// The value of the row under the active key; nothing when it is under `key_id`, null, or when
/// nobody can open it.
std::optional<Datum> resealed(const sealed_column& column, TupleDesc descriptor, HeapTuple row,
                              std::int64_t key_id) {
  const auto value = value_in(column, descriptor, row);
  if (!value || !value->header || value->header->key_id == key_id) return std::nullopt;
  passing_plaintext plaintext(value->envelope);
  // What nobody can open stays as it is, for a key that may come back.
  if (!value->opens(column, plaintext)) return std::nullopt;
  return plaintext.sealed(value->row.binding(column));
}

}  // namespace

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

PG_EXPORT_CHECKED(vrm_opens_at, vrm::sql::require_grant, vrm::sql::opens_at);
PG_EXPORT_CHECKED(vrm_reseal_rows, vrm::sql::require_grant, vrm::sql::reseal_rows);
