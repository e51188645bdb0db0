#include "functions/platform/installer.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "boundary/call/spi.h"
#include "boundary/error/guard.h"
#include "boundary/memory/memory.h"
#include "functions/platform/kinds.h"
#include "functions/platform/views.h"

extern "C" {
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/syscache.h"
}

namespace vrm::sql {
namespace {

/// The first line of a statement, without what precedes it.
std::string first_line(std::string_view statement) {
  for (;;) {
    const std::size_t start = statement.find_first_not_of(" \t\n");
    if (start == std::string_view::npos) return {};
    statement.remove_prefix(start);
    if (!statement.starts_with("--")) break;
    const std::size_t end = statement.find('\n');
    if (end == std::string_view::npos) return {};
    statement.remove_prefix(end);
  }
  return std::string(statement.substr(0, statement.find('\n')));
}

std::string_view text_of(const RawStmt* statement, std::string_view script) {
  const auto start = static_cast<std::size_t>(statement->stmt_location);
  // A length of 0 means up to the end of the script.
  const auto length = statement->stmt_len > 0 ? static_cast<std::size_t>(statement->stmt_len)
                                              : std::string_view::npos;
  return script.substr(start, length);
}

/// A comment that is there may be a DBA's, and is left alone.
bool has_comment(const CommentStmt* comment) {
  Relation relation = nullptr;
  const ObjectAddress address =
      get_object_address(comment->objtype, comment->object, &relation, AccessShareLock, true);
  if (relation != nullptr) relation_close(relation, AccessShareLock);
  return OidIsValid(address.objectId) &&
         GetComment(address.objectId, address.classId, address.objectSubId) != nullptr;
}

/// Only kinds that the platform grants on; the others are nobody's that was kept.
Oid granted_object(ObjectType kind, Node* object) {
  switch (kind) {
    case OBJECT_TABLE:
      return find_relation(castNode(RangeVar, object));
    case OBJECT_SCHEMA:
      return get_namespace_oid(strVal(object), true);
    case OBJECT_FUNCTION:
    case OBJECT_PROCEDURE:
    case OBJECT_ROUTINE:
      return LookupFuncWithArgs(kind, castNode(ObjectWithArgs, object), true);
    default:
      return InvalidOid;
  }
}

bool contains(const std::vector<Oid>& objects, Oid object) {
  return std::ranges::find(objects, object) != objects.end();
}

/// What the statement makes, if that is there.
Oid find(const kind* what, Node* statement) {
  return what == nullptr ? InvalidOid : pg::guarded([&] { return what->find(statement); });
}

std::vector<Oid> views_there(const List* statements) {
  std::vector<Oid> views;
  for (int i = 0; i < list_length(statements); ++i) {
    Node* const statement = list_nth_node(RawStmt, statements, i)->stmt;
    if (!IsA(statement, ViewStmt)) continue;
    const Oid view = find(kind_of(statement), statement);
    if (OidIsValid(view)) views.push_back(view);
  }
  return views;
}

/// Has the language of a function look at its body, as CREATE FUNCTION does unless
/// check_function_bodies is off; says nothing when the function is gone.
void check_body(Oid function) {
  const HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
  if (!HeapTupleIsValid(tuple)) return;
  const Oid language = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang;
  bool no_settings = false;
  const Datum value = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proconfig, &no_settings);
  ArrayType* settings = no_settings ? nullptr : DatumGetArrayTypePCopy(value);
  ReleaseSysCache(tuple);

  const HeapTuple language_tuple = SearchSysCache1(LANGOID, ObjectIdGetDatum(language));
  if (!HeapTupleIsValid(language_tuple)) elog(ERROR, "cache lookup failed for %u", language);
  const Oid validator = reinterpret_cast<Form_pg_language>(GETSTRUCT(language_tuple))->lanvalidator;
  ReleaseSysCache(language_tuple);
  if (!OidIsValid(validator)) return;

  // Under the settings of the function, as CREATE FUNCTION does: names in the body are looked up in
  // its search_path, not in the one of whoever installs.
  const int level = NewGUCNestLevel();
  set_config_option("check_function_bodies", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                    true, 0, false);
  if (settings != nullptr) ProcessGUCArray(settings, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE);
  OidFunctionCall1(validator, ObjectIdGetDatum(function));
  AtEOXact_GUC(true, level);
}

}  // namespace

struct platform_installer::state {
  std::vector<Oid> made;       ///< objects that carry privileges and were not there before
  std::vector<Oid> kept;       ///< those that were
  std::vector<Oid> functions;  ///< made or replaced, their bodies not looked at yet
  bool outer_creating_extension = creating_extension;
  int guc_level = 0;
};

platform_installer::platform_installer() : state_(std::make_unique<state>()) {
  pg::guarded([] {
    PreventCommandIfReadOnly("vrm.install()");
    const Oid extension = get_extension_oid("vrm", false);
    // Conflicts with itself and with DROP EXTENSION, and with nothing that uses the platform.
    LockDatabaseObject(ExtensionRelationId, extension, 0, ShareUpdateExclusiveLock);
  });
  state_->guc_level = NewGUCNestLevel();
  pg::guarded([] {
    const auto set = [](const char* name, const char* value) {
      set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    };
    set("search_path", "pg_catalog, pg_temp");
    set("client_min_messages", "warning");  // IF NOT EXISTS says so for every object
    set("check_function_bodies", "off");    // until check_functions()
  });
  // Else CREATE EXTENSION, which runs us, would take every table for a member, and pg_dump would
  // leave out its rows.
  creating_extension = false;
}

platform_installer::~platform_installer() {
  creating_extension = state_->outer_creating_extension;
  AtEOXact_GUC(true, state_->guc_level);
}

bool platform_installer::is_kept(Oid object) const { return contains(state_->kept, object); }

bool platform_installer::is_needed(Node* statement, Oid existing) const {
  if (IsA(statement, CommentStmt)) return !has_comment(castNode(CommentStmt, statement));
  if (IsA(statement, AlterTableStmt)) {
    const auto* table = castNode(AlterTableStmt, statement);
    const auto* command = linitial_node(AlterTableCmd, table->cmds);
    if (command->subtype == AT_SetStorage) return !is_kept(find_relation(table->relation));
  }
  return !OidIsValid(existing) || kind_of(statement)->repeats;
}

/// Privileges on what was there before are the DBA's business.
void platform_installer::grant(Node* statement) const {
  auto* grant = castNode(GrantStmt, statement);
  ListCell* cell = nullptr;
  foreach (cell, grant->objects) {
    // All objects of a schema, or default privileges: no single one could be left out.
    if (grant->targtype != ACL_TARGET_OBJECT) break;
    auto* object = static_cast<Node*>(lfirst(cell));
    if (is_kept(granted_object(grant->objtype, object)))
      grant->objects = foreach_delete_current(grant->objects, cell);
  }
  if (grant->objects != NIL) ExecuteGrantStmt(grant);
}

void platform_installer::execute(const std::string& script, manner how) {
  const pg::spi_session spi;
  // What a DBA has set by ALTER DEFAULT PRIVILEGES would be granted on new objects besides what the
  // script grants.
  spi.execute("SELECT vrm.set_aside_default_privileges()");
  const std::string restoration = spi.column<std::string>(0, 1).value_or("");
  const List* statements = pg::guarded([&] { return pg_parse_query(script.c_str()); });
  view_replacement replacement(views_there(statements));
  for (int i = 0; i < list_length(statements); ++i) {
    const auto* raw = list_nth_node(RawStmt, statements, i);
    const kind* const what = kind_of(raw->stmt);
    const Oid existing = find(what, raw->stmt);
    const bool carries_privileges = what != nullptr && what->carries_privileges;
    if (OidIsValid(existing)) {
      pg::guarded([&] { require_trusted_owner(*what, existing); });
      if (carries_privileges && !contains(state_->made, existing)) state_->kept.push_back(existing);
    }
    const bool as_it_stands = how == manner::as_it_stands;
    if (!as_it_stands && IsA(raw->stmt, GrantStmt)) {
      pg::guarded([&] { grant(raw->stmt); });
    } else if (how == manner::views_anew && IsA(raw->stmt, ViewStmt) && OidIsValid(existing)) {
      replacement.replace(raw, script.c_str(), existing);
    } else if (as_it_stands || pg::guarded([&] { return is_needed(raw->stmt, existing); })) {
      spi.execute(std::string(text_of(raw, script)).c_str());
    }
    pg::guarded([] { CommandCounterIncrement(); });
    // Whatever was not there before this statement is this run's, so its privileges are the
    // script's.
    const Oid now = find(what, raw->stmt);
    if (carries_privileges && now != existing) {
      (replacement.restore(now) ? state_->kept : state_->made).push_back(now);
    }
    // Replaced functions as well: the body may be new.
    if (IsA(raw->stmt, CreateFunctionStmt)) state_->functions.push_back(now);
  }
  spi.execute(restoration.c_str());
}

void platform_installer::run_step(const std::string& script) {
  execute(script, manner::as_it_stands);
}

void platform_installer::run(const std::string& script, views existing_views) {
  execute(script, existing_views == views::replace ? manner::views_anew : manner::what_is_missing);
}

void platform_installer::check_functions() {
  const MemoryContext context = pg::guarded([] {
    return AllocSetContextCreate(CurrentMemoryContext, "vrm function body", ALLOCSET_DEFAULT_SIZES);
  });
  // Parse trees and plans of one body are freed before the next.
  const pg::context_scope inside(context);
  for (const Oid function : state_->functions) {
    pg::guarded([&] { check_body(function); });
    pg::guarded([&] { MemoryContextReset(context); });
  }
  state_->functions.clear();
}

std::vector<std::string> missing_objects(const std::string& script) {
  std::vector<std::string> missing;
  const List* statements = pg::guarded([&] { return pg_parse_query(script.c_str()); });
  for (int i = 0; i < list_length(statements); ++i) {
    const auto* raw = list_nth_node(RawStmt, statements, i);
    const kind* const what = kind_of(raw->stmt);
    if (what == nullptr || OidIsValid(find(what, raw->stmt))) continue;
    missing.push_back(first_line(text_of(raw, script)));
  }
  return missing;
}

}  // namespace vrm::sql
