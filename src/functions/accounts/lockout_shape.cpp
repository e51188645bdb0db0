// Keeps the columns of lockout stores as they are: a dump of a changed one could not be restored.
// ALTER TABLE asks no access method whether it may add or drop a column, so this listens where the
// catalog is written, which no setting turns off.
#include "functions/accounts/lockout_store.h"
#include "functions/platform/settings.h"

extern "C" {
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "utils/relcache.h"
}

namespace vrm::sql {
namespace {

object_access_hook_type earlier_hook = nullptr;

void refuse_other_columns(Oid table) {
  // ALTER TABLE holds its lock by now.
  const Relation relation = RelationIdGetRelation(table);
  if (!RelationIsValid(relation)) return;
  const bool is_store = relation->rd_tableam == lockout_store::table_routine();
  RelationClose(relation);
  if (!is_store) return;
  ereport(
      ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
      errmsg("ALTER TABLE ADD or DROP COLUMN is not possible on a lockout store"),
      errdetail("Its pages hold what it was made for, and nothing else."),
      errhint("CREATE TABLE another (key uuid PRIMARY KEY, ...); for what belongs to an entry."));
}

/// A column has a number; the table itself, number 0, may come and go.
void watch_columns(ObjectAccessType access, Oid catalog, Oid object, int column, void* argument) {
  if (earlier_hook != nullptr) earlier_hook(access, catalog, object, column, argument);
  if (catalog != RelationRelationId || column <= 0) return;
  if (access == OAT_POST_CREATE || access == OAT_DROP) refuse_other_columns(object);
}

}  // namespace

void watch_lockout_columns() {
  earlier_hook = object_access_hook;
  object_access_hook = watch_columns;
}

}  // namespace vrm::sql
