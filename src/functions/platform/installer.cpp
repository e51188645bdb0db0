#include "functions/platform/installer.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "boundary/call/spi.h"
#include "boundary/error/guard.h"
#include "boundary/memory/memory.h"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "commands/policy.h"
#include "commands/trigger.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "parser/parse_type.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace vrm::sql {
namespace {

Oid relation_oid(const RangeVar* name) { return RangeVarGetRelid(name, NoLock, true); }

Oid type_oid(List* name) {
  return LookupTypeNameOid(nullptr, makeTypeNameFromNameList(name), true);
}

Oid function_oid(const CreateFunctionStmt* statement) {
  List* types = NIL;
  const ListCell* cell = nullptr;
  foreach (cell, statement->parameters) {
    const auto* parameter = lfirst_node(FunctionParameter, cell);
    if (parameter->mode == FUNC_PARAM_OUT || parameter->mode == FUNC_PARAM_TABLE) continue;
    types = lappend(types, parameter->argType);
  }
  ObjectWithArgs* function = makeNode(ObjectWithArgs);
  function->objname = statement->funcname;
  function->objargs = types;
  return LookupFuncWithArgs(statement->is_procedure ? OBJECT_PROCEDURE : OBJECT_FUNCTION, function,
                            true);
}

bool has_default(Oid relation, const char* column) {
  const HeapTuple tuple = SearchSysCacheAttName(relation, column);
  if (!HeapTupleIsValid(tuple)) return false;
  const bool has = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->atthasdef;
  ReleaseSysCache(tuple);
  return has;
}

bool has_row_security(Oid relation) {
  const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) return false;
  const bool has = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relrowsecurity;
  ReleaseSysCache(tuple);
  return has;
}

/// An index is in the schema of its table.
Oid index_oid(const IndexStmt* index) {
  const Oid table = relation_oid(index->relation);
  return OidIsValid(table) ? get_relname_relid(index->idxname, get_rel_namespace(table))
                           : InvalidOid;
}

/// What `statement` would make, when it is there already; else InvalidOid.
Oid existing_object(Node* statement) {
  switch (nodeTag(statement)) {
    case T_CreateSchemaStmt:
      return get_namespace_oid(castNode(CreateSchemaStmt, statement)->schemaname, true);
    case T_CreateStmt:
      return relation_oid(castNode(CreateStmt, statement)->relation);
    case T_ViewStmt:
      return relation_oid(castNode(ViewStmt, statement)->view);
    case T_IndexStmt:
      return index_oid(castNode(IndexStmt, statement));
    case T_CompositeTypeStmt:
      return relation_oid(castNode(CompositeTypeStmt, statement)->typevar);
    case T_CreateFunctionStmt:
      return function_oid(castNode(CreateFunctionStmt, statement));
    case T_CreateEnumStmt:
      return type_oid(castNode(CreateEnumStmt, statement)->typeName);
    case T_CreateDomainStmt:
      return type_oid(castNode(CreateDomainStmt, statement)->domainname);
    case T_CreatePolicyStmt: {
      const auto* policy = castNode(CreatePolicyStmt, statement);
      const Oid relation = relation_oid(policy->table);
      return OidIsValid(relation) ? get_relation_policy_oid(relation, policy->policy_name, true)
                                  : InvalidOid;
    }
    case T_CreateTrigStmt: {
      const auto* trigger = castNode(CreateTrigStmt, statement);
      const Oid relation = relation_oid(trigger->relation);
      return OidIsValid(relation) ? get_trigger_oid(relation, trigger->trigname, true) : InvalidOid;
    }
    case T_AlterDomainStmt: {
      const auto* domain = castNode(AlterDomainStmt, statement);
      if (domain->subtype != 'C') return InvalidOid;
      const char* constraint = castNode(Constraint, domain->def)->conname;
      return get_domain_constraint_oid(type_oid(domain->typeName), constraint, true);
    }
    case T_AlterTableStmt: {
      const auto* table = castNode(AlterTableStmt, statement);
      const auto* command = linitial_node(AlterTableCmd, table->cmds);
      const Oid relation = relation_oid(table->relation);
      if (!OidIsValid(relation)) return InvalidOid;
      if (command->subtype == AT_AddConstraint) {
        const char* constraint = castNode(Constraint, command->def)->conname;
        return get_relation_constraint_oid(relation, constraint, true);
      }
      if (command->subtype == AT_ColumnDefault && command->def != nullptr) {
        return has_default(relation, command->name) ? relation : InvalidOid;
      }
      if (command->subtype == AT_EnableRowSecurity) {
        return has_row_security(relation) ? relation : InvalidOid;
      }
      return InvalidOid;
    }
    default:
      return InvalidOid;
  }
}

/// Whether the statement copes by itself with its object being there.
bool repeats_by_itself(Node* statement) {
  return IsA(statement, CreateSchemaStmt) || IsA(statement, CreateStmt) ||
         IsA(statement, CreateFunctionStmt);
}

/// Whether existing_object() knows what the statement makes.
bool makes_something(Node* statement) {
  switch (nodeTag(statement)) {
    case T_CreateSchemaStmt:
    case T_CreateStmt:
    case T_ViewStmt:
    case T_IndexStmt:
    case T_CompositeTypeStmt:
    case T_CreateFunctionStmt:
    case T_CreateEnumStmt:
    case T_CreateDomainStmt:
    case T_CreatePolicyStmt:
    case T_CreateTrigStmt:
      return true;
    case T_AlterDomainStmt:
      return castNode(AlterDomainStmt, statement)->subtype == 'C';
    case T_AlterTableStmt: {
      const auto* table = castNode(AlterTableStmt, statement);
      const auto* command = linitial_node(AlterTableCmd, table->cmds);
      return command->subtype == AT_AddConstraint || command->subtype == AT_EnableRowSecurity ||
             (command->subtype == AT_ColumnDefault && command->def != nullptr);
    }
    default:
      return false;
  }
}

/// The first line of a statement, without what stands before it.
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
  const auto length = statement->stmt_len > 0 ? static_cast<std::size_t>(statement->stmt_len)
                                              : std::string_view::npos;
  return script.substr(start, length);
}

bool carries_privileges(Node* statement) {
  return repeats_by_itself(statement) || IsA(statement, ViewStmt);
}

/// Catalog of what the statement makes, when it has an owner of its own; else InvalidOid.
Oid owned_class(Node* statement) {
  switch (nodeTag(statement)) {
    case T_CreateStmt:
    case T_ViewStmt:
    case T_CompositeTypeStmt:
      return RelationRelationId;
    case T_CreateFunctionStmt:
      return ProcedureRelationId;
    case T_CreateEnumStmt:
    case T_CreateDomainStmt:
      return TypeRelationId;
    default:
      return InvalidOid;
  }
}

Oid owner_of(Oid catalog, Oid object) {
  const int cache = catalog == RelationRelationId    ? RELOID
                    : catalog == ProcedureRelationId ? PROCOID
                                                     : TYPEOID;
  const HeapTuple tuple = SearchSysCache1(cache, ObjectIdGetDatum(object));
  if (!HeapTupleIsValid(tuple)) return InvalidOid;
  const void* form = GETSTRUCT(tuple);
  const Oid owner =
      catalog == RelationRelationId    ? static_cast<const FormData_pg_class*>(form)->relowner
      : catalog == ProcedureRelationId ? static_cast<const FormData_pg_proc*>(form)->proowner
                                       : static_cast<const FormData_pg_type*>(form)->typowner;
  ReleaseSysCache(tuple);
  return owner;
}

/// Functions of the platform run as superuser.  An ordinary user who owns a function could replace
/// it, one who owns a table could put a trigger on it: both would run as superuser, too.
void require_trusted_owner(Node* statement, Oid existing) {
  const Oid catalog = owned_class(statement);
  if (!OidIsValid(catalog)) return;
  const Oid owner = owner_of(catalog, existing);
  if (!OidIsValid(owner) || owner == GetUserId() || superuser_arg(owner)) return;
  const ObjectAddress address = {catalog, existing, 0};
  const char* kind = getObjectTypeDescription(&address, false);
  const char* identity = getObjectIdentity(&address, false);
  ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
          errmsg("%s %s belongs to an ordinary user", kind, identity),
          errdetail("Its owner \"%s\" could have it run anything as superuser.",
                    GetUserNameFromId(owner, false)),
          errhint("Look at it; then drop it, or: ALTER %s %s OWNER TO %s;",
                  asc_toupper(kind, strlen(kind)), identity,
                  quote_identifier(GetUserNameFromId(GetUserId(), false))));
}

bool has_comment(const CommentStmt* comment) {
  Relation relation = nullptr;
  const ObjectAddress address =
      get_object_address(comment->objtype, comment->object, &relation, AccessShareLock, true);
  if (relation != nullptr) relation_close(relation, AccessShareLock);
  return OidIsValid(address.objectId) &&
         GetComment(address.objectId, address.classId, address.objectSubId) != nullptr;
}

Oid granted_object(ObjectType kind, Node* object) {
  switch (kind) {
    case OBJECT_TABLE:
      return relation_oid(castNode(RangeVar, object));
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

  const int level = NewGUCNestLevel();
  set_config_option("check_function_bodies", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                    true, 0, false);
  if (settings != nullptr) ProcessGUCArray(settings, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE);
  OidFunctionCall1(validator, ObjectIdGetDatum(function));
  AtEOXact_GUC(true, level);
}

}  // namespace

struct platform_installer::state {
  std::vector<Oid> kept;       ///< objects that were there before
  std::vector<Oid> functions;  ///< made or replaced, their bodies not looked at yet
  bool outer_creating_extension = creating_extension;
  int guc_level = 0;
};

platform_installer::platform_installer() : state_(std::make_unique<state>()) {
  pg::guarded([] {
    PreventCommandIfReadOnly("vrm.install()");
    const Oid extension = get_extension_oid("vrm", false);
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
  creating_extension = false;
}

platform_installer::~platform_installer() {
  creating_extension = state_->outer_creating_extension;
  AtEOXact_GUC(true, state_->guc_level);
}

bool platform_installer::is_kept(Oid object) const {
  return std::ranges::find(state_->kept, object) != state_->kept.end();
}

bool platform_installer::is_needed(Node* statement, comments existing_comments) {
  if (IsA(statement, CommentStmt))
    return existing_comments == comments::replace || !has_comment(castNode(CommentStmt, statement));
  if (IsA(statement, AlterTableStmt)) {
    const auto* table = castNode(AlterTableStmt, statement);
    const auto* command = linitial_node(AlterTableCmd, table->cmds);
    if (command->subtype == AT_SetStorage) return !is_kept(relation_oid(table->relation));
  }
  const Oid existing = existing_object(statement);
  if (!OidIsValid(existing)) return true;
  require_trusted_owner(statement, existing);
  if (carries_privileges(statement)) state_->kept.push_back(existing);
  return repeats_by_itself(statement);
}

/// Privileges on what was there before are the DBA's business.
void platform_installer::grant(Node* statement) {
  auto* grant = castNode(GrantStmt, statement);
  ListCell* cell = nullptr;
  foreach (cell, grant->objects) {
    if (grant->targtype != ACL_TARGET_OBJECT) break;
    auto* object = static_cast<Node*>(lfirst(cell));
    if (is_kept(granted_object(grant->objtype, object)))
      grant->objects = foreach_delete_current(grant->objects, cell);
  }
  if (grant->objects != NIL) ExecuteGrantStmt(grant);
}

void platform_installer::run(const std::string& script, comments existing_comments) {
  const pg::spi_session spi;
  spi.execute("SELECT vrm.set_aside_default_privileges()");
  const std::string restoration = spi.column<std::string>(0, 1).value_or("");
  const List* statements = pg::guarded([&] { return pg_parse_query(script.c_str()); });
  for (int i = 0; i < list_length(statements); ++i) {
    const auto* raw = list_nth_node(RawStmt, statements, i);
    if (IsA(raw->stmt, GrantStmt)) {
      pg::guarded([&] { grant(raw->stmt); });
    } else if (pg::guarded([&] { return is_needed(raw->stmt, existing_comments); })) {
      spi.execute(std::string(text_of(raw, script)).c_str());
    }
    pg::guarded([] { CommandCounterIncrement(); });
    if (IsA(raw->stmt, CreateFunctionStmt)) {
      state_->functions.push_back(
          pg::guarded([&] { return function_oid(castNode(CreateFunctionStmt, raw->stmt)); }));
    }
  }
  spi.execute(restoration.c_str());
}

void platform_installer::check_functions() {
  const MemoryContext context = pg::guarded([] {
    return AllocSetContextCreate(CurrentMemoryContext, "vrm function body", ALLOCSET_DEFAULT_SIZES);
  });
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
    if (!makes_something(raw->stmt)) continue;
    if (OidIsValid(pg::guarded([&] { return existing_object(raw->stmt); }))) continue;
    missing.push_back(first_line(text_of(raw, script)));
  }
  return missing;
}

}  // namespace vrm::sql
