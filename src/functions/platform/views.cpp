#include "functions/platform/views.h"

#include <algorithm>
#include <utility>

#include "boundary/call/spi.h"
#include "boundary/call/subtransaction.h"
#include "boundary/error/guard.h"
#include "boundary/table/relation.h"
#include "core/platform/error.h"

extern "C" {
#include "access/xact.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace vrm::sql {
namespace {

/// CREATE OR REPLACE, whether the script says so or not.  Runs inside a guard.
void create_or_replace(const RawStmt* statement, const char* script) {
  auto* const view = static_cast<ViewStmt*>(copyObjectImpl(statement->stmt));
  view->replace = true;
  PlannedStmt* const command = makeNode(PlannedStmt);
  command->commandType = CMD_UTILITY;
  command->utilityStmt = reinterpret_cast<Node*>(view);
  command->stmt_location = statement->stmt_location;
  command->stmt_len = statement->stmt_len;
  PushActiveSnapshot(GetTransactionSnapshot());
  ProcessUtility(command, script, false, PROCESS_UTILITY_QUERY, nullptr, nullptr, None_Receiver,
                 nullptr);
  PopActiveSnapshot();
}

std::string name_of(const pg::spi_session& spi, Oid view) {
  spi.execute("SELECT $1::text", pg::relation_id{view});
  return spi.column<std::string>(0, 1).value_or("");
}

/// Statements that give a view what it has but for its definition, and the column that they are of.
constexpr const char* possessions =
    "SELECT statement, attname::text FROM pg_class c,"
    " LATERAL (SELECT c.oid::regclass AS me, quote_ident(pg_get_userbyid(c.relowner)) AS owner) v,"
    " LATERAL ("
    "  SELECT 1, format('ALTER VIEW %s OWNER TO %s', me, owner), NULL::name"
    "  UNION ALL SELECT 2, format('REVOKE ALL ON %s FROM %s', me, owner), NULL"
    "   WHERE c.relacl IS NOT NULL"
    "  UNION ALL SELECT 3, format('GRANT %s ON %s TO %s%s', a.privilege_type, me,"
    "    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,"
    "    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), NULL"
    "   FROM aclexplode(c.relacl) a"
    "  UNION ALL SELECT 4, format('GRANT %s (%I) ON %s TO %s%s', a.privilege_type, t.attname, me,"
    "    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,"
    "    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), t.attname"
    "   FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = c.oid"
    "  UNION ALL SELECT 5, format('COMMENT ON VIEW %s IS %L', me, d.description), NULL"
    "   FROM pg_description d WHERE d.objoid = c.oid AND d.classoid = 'pg_class'::regclass"
    "    AND d.objsubid = 0"
    "  UNION ALL SELECT 5, format('COMMENT ON COLUMN %s.%I IS %L', me, t.attname, d.description),"
    "    t.attname"
    "   FROM pg_description d JOIN pg_attribute t ON t.attrelid = d.objoid AND t.attnum = "
    "d.objsubid"
    "   WHERE d.objoid = c.oid AND d.classoid = 'pg_class'::regclass"
    "  UNION ALL SELECT 6, pg_get_triggerdef(g.oid), NULL FROM pg_trigger g"
    "   WHERE g.tgrelid = c.oid AND NOT g.tgisinternal"
    "  UNION ALL SELECT 6, pg_get_ruledef(r.oid), NULL FROM pg_rewrite r"
    "   WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'"
    " ) p(place, statement, attname)"
    " WHERE c.oid = $1 ORDER BY place, statement";

constexpr const char* dependent_views =
    "SELECT DISTINCT r.ev_class FROM pg_depend d"
    " JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> d.refobjid"
    " WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass"
    " AND d.refobjid = $1";

}  // namespace

void view_replacement::replace(const RawStmt* statement, const char* script, Oid existing) {
  try {
    // PostgreSQL alone can tell whether it will take the new columns, so it is asked.  The failed
    // try has to be undone as a whole before anything else can be done.
    pg::in_subtransaction([&] { pg::guarded([&] { create_or_replace(statement, script); }); });
    return;
  } catch (const pg::error& e) {
    // What CREATE OR REPLACE VIEW says of columns that would go, move or change their type.
    if (e.sqlerrcode() != ERRCODE_INVALID_TABLE_DEFINITION) throw;
  }
  drop(existing);
  pg::guarded([&] {
    CommandCounterIncrement();
    create_or_replace(statement, script);
  });
}

void view_replacement::drop(Oid view) {
  const pg::spi_session spi;
  std::vector<Oid> dependents;
  const std::uint64_t count = spi.execute(dependent_views, pg::relation_id{view});
  for (std::uint64_t i = 0; i < count; ++i) {
    const Oid dependent = DatumGetObjectId(spi.datum(i, 1).value_or(Datum{0}));
    // Only views of the script come again; others are a DBA's, and are named by the error below.
    if (std::ranges::find(views_, dependent) != views_.end()) dependents.push_back(dependent);
  }
  for (const Oid dependent : dependents) drop(dependent);

  const std::string name = name_of(spi, view);
  const std::uint64_t statements = spi.execute(possessions, pg::relation_id{view});
  // By name: the view that comes in its place has another OID.
  std::vector<possession>& kept = dropped_[name];
  for (std::uint64_t i = 0; i < statements; ++i) {
    kept.push_back({.statement = spi.column<std::string>(i, 1).value_or(""),
                    .column = spi.column<std::string>(i, 2)});
  }
  // RESTRICT: CASCADE would take views of the DBA's along without a word.
  try {
    spi.execute(("DROP VIEW " + name).c_str());
  } catch (const pg::error& e) {
    if (e.sqlerrcode() != ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST) throw;
    throw vrm::error("2BP01",
                     "view " + name + " cannot be replaced because other objects depend on it")
        .detail("Its columns have changed.\n" + std::string(e.detail()))
        .hint("Drop what DETAIL names, then: SELECT vrm.upgrade();");
  }
}

bool view_replacement::restore(Oid view) {
  if (dropped_.empty()) return false;
  const pg::spi_session spi;
  const auto found = dropped_.find(name_of(spi, view));
  if (found == dropped_.end()) return false;
  for (const possession& had : found->second) {
    if (had.column &&
        !pg::guarded([&] { return get_attnum(view, had.column->c_str()) != InvalidAttrNumber; }))
      continue;
    spi.execute(had.statement.c_str());
  }
  dropped_.erase(found);
  return true;
}

}  // namespace vrm::sql
