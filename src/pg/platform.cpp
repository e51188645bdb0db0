#include "pg/platform.h"

#include <algorithm>
#include <vector>

#include "pg/guard.h"
#include "pg/spi.h"

extern "C" {
#include "access/genam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "commands/policy.h"
#include "commands/trigger.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "parser/parse_type.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace pg {
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

/// What `statement` would make, when it is there already; else InvalidOid.
Oid existing_object(Node* statement) {
  switch (nodeTag(statement)) {
    case T_CreateSchemaStmt:
      return get_namespace_oid(castNode(CreateSchemaStmt, statement)->schemaname, true);
    case T_CreateStmt:
      return relation_oid(castNode(CreateStmt, statement)->relation);
    case T_ViewStmt:
      return relation_oid(castNode(ViewStmt, statement)->view);
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

bool carries_privileges(Node* statement) {
  return repeats_by_itself(statement) || IsA(statement, ViewStmt);
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

}  // namespace

void notice(const char* message, const char* hint) {
  guarded([&] {
    // CREATE EXTENSION raises client_min_messages to warning while its script runs.
    const int level = NewGUCNestLevel();
    set_config_option("client_min_messages", "notice", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                      true, 0, false);
    if (hint == nullptr) {
      ereport(NOTICE, errmsg_internal("%s", message));
    } else {
      ereport(NOTICE, errmsg_internal("%s", message), errhint("%s", hint));
    }
    AtEOXact_GUC(true, level);
  });
}

struct platform_installer::state {
  std::vector<Oid> kept;  ///< objects that were there before
  bool outer_creating_extension = creating_extension;
  int guc_level = 0;
};

platform_installer::platform_installer() : state_(std::make_unique<state>()) {
  state_->guc_level = NewGUCNestLevel();
  guarded([] {
    const auto set = [](const char* name, const char* value) {
      set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    };
    set("search_path", "pg_catalog, pg_temp");
    set("client_min_messages", "warning");  // IF NOT EXISTS says so for every object
    set("check_function_bodies", "on");
  });
  creating_extension = false;
}

platform_installer::~platform_installer() {
  creating_extension = state_->outer_creating_extension;
  AtEOXact_GUC(true, state_->guc_level);
}

bool platform_installer::is_needed(Node* statement) {
  return guarded([&] {
    if (IsA(statement, GrantStmt)) {
      const auto* grant = castNode(GrantStmt, statement);
      if (grant->targtype != ACL_TARGET_OBJECT) return true;
      const ListCell* cell = nullptr;
      foreach (cell, grant->objects) {
        const Oid object = granted_object(grant->objtype, static_cast<Node*>(lfirst(cell)));
        if (std::ranges::find(state_->kept, object) == state_->kept.end()) return true;
      }
      return false;
    }
    const Oid existing = existing_object(statement);
    if (!OidIsValid(existing)) return true;
    if (carries_privileges(statement)) state_->kept.push_back(existing);
    return repeats_by_itself(statement);
  });
}

void platform_installer::run(const std::string& script) {
  const spi_session spi;
  const List* statements = guarded([&] { return pg_parse_query(script.c_str()); });
  for (int i = 0; i < list_length(statements); ++i) {
    const auto* raw = list_nth_node(RawStmt, statements, i);
    if (!is_needed(raw->stmt)) continue;
    const auto start = static_cast<std::size_t>(raw->stmt_location);
    const auto length =
        raw->stmt_len > 0 ? static_cast<std::size_t>(raw->stmt_len) : std::string::npos;
    spi.execute(script.substr(start, length).c_str());
    guarded([] { CommandCounterIncrement(); });
  }
}

}  // namespace pg
