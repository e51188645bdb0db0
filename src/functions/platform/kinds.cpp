// The table of all kinds of statements that the platform is made of.
#include "functions/platform/kinds.h"

#include <algorithm>
#include <cstring>
#include <iterator>

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/policy.h"
#include "commands/trigger.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "parser/parse_type.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace vrm::sql {

// All of this runs inside a guard.

/// No lock: the installer's own keeps out other installers, and whatever else is dropped meanwhile
/// the statement notices by itself.
Oid find_relation(const RangeVar* name) { return RangeVarGetRelid(name, NoLock, true); }

namespace {

// --- finding what is there ----------------------------------------------------------------------

Oid find_schema(Node* node) {
  return get_namespace_oid(castNode(CreateSchemaStmt, node)->schemaname, true);
}

Oid find_table(Node* node) { return find_relation(castNode(CreateStmt, node)->relation); }

Oid find_view(Node* node) { return find_relation(castNode(ViewStmt, node)->view); }

/// An index is in the schema of its table.
Oid find_index(Node* node) {
  const auto* const index = castNode(IndexStmt, node);
  const Oid table = find_relation(index->relation);
  return OidIsValid(table) ? get_relname_relid(index->idxname, get_rel_namespace(table))
                           : InvalidOid;
}

Oid find_composite_type(Node* node) {
  return find_relation(castNode(CompositeTypeStmt, node)->typevar);
}

Oid type_oid(List* name) {
  return LookupTypeNameOid(nullptr, makeTypeNameFromNameList(name), true);
}

Oid find_enum(Node* node) { return type_oid(castNode(CreateEnumStmt, node)->typeName); }

Oid find_domain(Node* node) { return type_oid(castNode(CreateDomainStmt, node)->domainname); }

/// A function is what its name and the types of its input arguments say; OUT and TABLE are results.
Oid find_function(Node* node) {
  const auto* const statement = castNode(CreateFunctionStmt, node);
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

Oid find_policy(Node* node) {
  const auto* const policy = castNode(CreatePolicyStmt, node);
  const Oid table = find_relation(policy->table);
  return OidIsValid(table) ? get_relation_policy_oid(table, policy->policy_name, true) : InvalidOid;
}

Oid find_trigger(Node* node) {
  const auto* const trigger = castNode(CreateTrigStmt, node);
  const Oid table = find_relation(trigger->relation);
  return OidIsValid(table) ? get_trigger_oid(table, trigger->trigname, true) : InvalidOid;
}

Oid find_domain_constraint(Node* node) {
  const auto* const domain = castNode(AlterDomainStmt, node);
  const char* const constraint = castNode(Constraint, domain->def)->conname;
  return get_domain_constraint_oid(type_oid(domain->typeName), constraint, true);
}

bool adds_domain_constraint(const Node* node) {
  return reinterpret_cast<const AlterDomainStmt*>(node)->subtype == 'C';
}

/// Whatever default it is: one that a DBA has changed is not changed back.
bool has_default(Oid table, const char* column) {
  const HeapTuple tuple = SearchSysCacheAttName(table, column);
  if (!HeapTupleIsValid(tuple)) return false;
  const bool has = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->atthasdef;
  ReleaseSysCache(tuple);
  return has;
}

bool has_row_security(Oid table) {
  const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
  if (!HeapTupleIsValid(tuple)) return false;
  const bool has = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relrowsecurity;
  ReleaseSysCache(tuple);
  return has;
}

/// Whether somebody has chosen what the table's rows are known by.
bool has_replica_identity(Oid table) {
  const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
  if (!HeapTupleIsValid(tuple)) return false;
  const char identity = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relreplident;
  ReleaseSysCache(tuple);
  return identity != REPLICA_IDENTITY_DEFAULT;
}

bool fires_always(Oid table, const char* trigger) {
  const Oid found = get_trigger_oid(table, trigger, true);
  if (!OidIsValid(found)) return false;
  bool always = false;
  const Relation relation = table_open(table, AccessShareLock);
  const TriggerDesc* const triggers = relation->trigdesc;
  for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
    const Trigger& one = triggers->triggers[i];
    if (one.tgoid == found) always = one.tgenabled == TRIGGER_FIRES_ALWAYS;
  }
  table_close(relation, AccessShareLock);
  return always;
}

/// Whether the table has what `command` gives it.
bool has_been_given(Oid table, const AlterTableCmd* command) {
  switch (command->subtype) {
    case AT_AddConstraint:
      return OidIsValid(
          get_relation_constraint_oid(table, castNode(Constraint, command->def)->conname, true));
    case AT_ColumnDefault:
      return has_default(table, command->name);
    case AT_EnableRowSecurity:
      return has_row_security(table);
    case AT_ReplicaIdentity:
      return has_replica_identity(table);
    case AT_EnableAlwaysTrig:
      return fires_always(table, command->name);
    case AT_AddColumn:
      return get_attnum(table, castNode(ColumnDef, command->def)->colname) != InvalidAttrNumber;
    default:
      return false;
  }
}

/// Whether has_been_given() can tell.
bool can_be_told(const AlterTableCmd* command) {
  switch (command->subtype) {
    case AT_AddConstraint:
    case AT_EnableRowSecurity:
    case AT_ReplicaIdentity:
    case AT_EnableAlwaysTrig:
      return true;
    case AT_ColumnDefault:
      return command->def != nullptr;
    case AT_AddColumn:
      return command->missing_ok;
    default:
      return false;
  }
}

/// The table, once it has all that the statement gives it.
Oid find_altered_table(Node* node) {
  const auto* const statement = castNode(AlterTableStmt, node);
  const Oid table = find_relation(statement->relation);
  if (!OidIsValid(table)) return InvalidOid;
  const ListCell* cell = nullptr;
  foreach (cell, statement->cmds) {
    // One thing that is missing makes the statement run as a whole, and fail over the others: in
    // the platform's scripts a statement gives one thing.
    if (!has_been_given(table, lfirst_node(AlterTableCmd, cell))) return InvalidOid;
  }
  return table;
}

bool gives_to_table(const Node* node) {
  const ListCell* cell = nullptr;
  foreach (cell, reinterpret_cast<const AlterTableStmt*>(node)->cmds) {
    if (!can_be_told(lfirst_node(AlterTableCmd, cell))) return false;
  }
  return true;
}

// --- the table ----------------------------------------------------------------------------------

constexpr Oid relations = RelationRelationId;
constexpr Oid functions = ProcedureRelationId;
constexpr Oid types = TypeRelationId;

constexpr kind kinds[] = {
    {.tag = T_CreateSchemaStmt, .find = find_schema, .repeats = true, .carries_privileges = true},
    {.tag = T_CreateStmt,
     .find = find_table,
     .catalog = relations,
     .repeats = true,
     .carries_privileges = true},
    {.tag = T_ViewStmt, .find = find_view, .catalog = relations, .carries_privileges = true},
    {.tag = T_CreateFunctionStmt,
     .find = find_function,
     .catalog = functions,
     .repeats = true,
     .carries_privileges = true},
    {.tag = T_CompositeTypeStmt, .find = find_composite_type, .catalog = relations},
    {.tag = T_CreateEnumStmt, .find = find_enum, .catalog = types},
    {.tag = T_CreateDomainStmt, .find = find_domain, .catalog = types},
    {.tag = T_IndexStmt, .find = find_index},
    {.tag = T_CreatePolicyStmt, .find = find_policy},
    {.tag = T_CreateTrigStmt, .find = find_trigger},
    {.tag = T_AlterDomainStmt, .find = find_domain_constraint, .makes = adds_domain_constraint},
    {.tag = T_AlterTableStmt, .find = find_altered_table, .makes = gives_to_table},
};

/// Read from the catalog's cache, because the three have no function in common that tells.
Oid owner_of(Oid catalog, Oid object) {
  const auto cache = catalog == relations ? RELOID : catalog == functions ? PROCOID : TYPEOID;
  const HeapTuple tuple = SearchSysCache1(cache, ObjectIdGetDatum(object));
  if (!HeapTupleIsValid(tuple)) return InvalidOid;
  const void* form = GETSTRUCT(tuple);
  const Oid owner = catalog == relations   ? static_cast<const FormData_pg_class*>(form)->relowner
                    : catalog == functions ? static_cast<const FormData_pg_proc*>(form)->proowner
                                           : static_cast<const FormData_pg_type*>(form)->typowner;
  ReleaseSysCache(tuple);
  return owner;
}

}  // namespace

const kind* kind_of(const Node* statement) noexcept {
  const auto* const found = std::ranges::find(kinds, nodeTag(statement), &kind::tag);
  if (found == std::end(kinds)) return nullptr;
  return found->makes == nullptr || found->makes(statement) ? found : nullptr;
}

void require_trusted_owner(const kind& kind, Oid existing) {
  // Of kinds without an owner of their own it is the table's that counts.
  if (!OidIsValid(kind.catalog)) return;
  const Oid owner = owner_of(kind.catalog, existing);
  if (!OidIsValid(owner) || owner == GetUserId() || superuser_arg(owner)) return;
  // The HINT names the object as SQL does, whatever kind it is, so that it can be run.
  const ObjectAddress address = {kind.catalog, existing, 0};
  const char* type = getObjectTypeDescription(&address, false);
  const char* identity = getObjectIdentity(&address, false);
  ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
          errmsg("%s %s belongs to an ordinary user", type, identity),
          errdetail("Its owner \"%s\" could have it run anything as superuser.",
                    GetUserNameFromId(owner, false)),
          errhint("Look at it; then drop it, or: ALTER %s %s OWNER TO %s;",
                  asc_toupper(type, strlen(type)), identity,
                  quote_identifier(GetUserNameFromId(GetUserId(), false))));
}

}  // namespace vrm::sql
