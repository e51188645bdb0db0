#include "boundary/foreign/node_table.h"

#include <cstring>

extern "C" {
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
}

namespace pg::nodes {
namespace {

constexpr const char* one_connection = "citus.multi_shard_modify_mode";

const char* option(const ForeignTable& table, const char* name) {
  ListCell* cell = nullptr;
  foreach (cell, table.options) {
    auto* const given = lfirst_node(DefElem, cell);
    if (std::strcmp(given->defname, name) == 0) return defGetString(given);
  }
  ereport(ERROR, errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
          errmsg("foreign table \"%s\" has no option \"%s\"", get_rel_name(table.relid), name));
  pg_unreachable();
}

}  // namespace

Oid source_of(Oid foreign_table) {
  const ForeignTable* const table = GetForeignTable(foreign_table);
  const char* const schema = option(*table, "schema_name");
  const char* const name = option(*table, "table_name");
  const Oid found = get_relname_relid(name, get_namespace_oid(schema, true));
  if (!OidIsValid(found)) {
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
            errmsg("relation \"%s.%s\" does not exist", schema, name),
            errdetail("Foreign table \"%s\" has its rows there.", get_rel_name(foreign_table)));
  }
  return found;
}

const char* name_of(Oid source) {
  return quote_qualified_identifier(get_namespace_name(get_rel_namespace(source)),
                                    get_rel_name(source));
}

key_columns key_of(Oid source) {
  key_columns key{};
  const Relation table = table_open(source, AccessShareLock);
  RelationGetIndexList(table);  // looks for the key
  const Oid found = table->rd_pkindex;
  if (!OidIsValid(found)) {
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
            errmsg("relation \"%s\" has no primary key", RelationGetRelationName(table)),
            errdetail("Its rows are changed on the nodes by that."));
  }
  const Relation index = relation_open(found, AccessShareLock);
  key.count = IndexRelationGetNumberOfKeyAttributes(index);
  for (int i = 0; i < key.count; ++i) {
    key.names[i] = get_attname(source, index->rd_index->indkey.values[i], false);
  }
  relation_close(index, AccessShareLock);
  table_close(table, AccessShareLock);
  return key;
}

outer_session act_as(Oid owner) {
  outer_session before{};
  GetUserIdAndSecContext(&before.user, &before.context);
  before.settings = NewGUCNestLevel();
  // Else Citus refuses to drop in the same transaction what was read by many connections.
  if (GetConfigOption(one_connection, true, false) != nullptr) {
    set_config_option(one_connection, "sequential", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                      true, 0, false);
  }
  SetUserIdAndSecContext(owner, before.context | SECURITY_LOCAL_USERID_CHANGE);
  return before;
}

void act_again_as(const outer_session& before) {
  SetUserIdAndSecContext(before.user, before.context);
  AtEOXact_GUC(true, before.settings);
}

FdwRoutine* routine() {
  FdwRoutine* const made = makeNode(FdwRoutine);
  add_planning(*made);
  add_reading(*made);
  add_writing(*made);
  return made;
}

}  // namespace pg::nodes
