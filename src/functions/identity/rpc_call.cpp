// One call of vrm.rpc(): from a name and a JSON object to a plan, and from what it gives to JSON.
//
// A backend keeps a plan for each function and set of argument names that it has met.  The executor
// itself looks for EXECUTE, each time and as the user of the moment, so that a plan which somebody
// else has made gives nobody more than they have.
#include "functions/identity/rpc_call.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "boundary/call/spi.h"
#include "boundary/value/json_of.h"
#include "core/platform/error.h"
#include "core/platform/on_first_use.h"
#include "functions/identity/retry_keys.h"
#include "functions/platform/settings.h"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace vrm::sql {
namespace api {
namespace {

struct plan {
  SPIPlanPtr prepared = nullptr;
  bool returns_set = false;
  bool takes_key = false;
};

constexpr std::size_t most_plans = 512;
vrm::on_first_use<std::unordered_map<std::string, plan>> plans;
/// A function has changed: plans go before the next call, not under one that runs.
bool plans_are_old = false;

/// These say who calls, which is said already, or would begin all over again.
constexpr std::array<std::string_view, 4> not_for_rpc = {"login", "logout", "rpc", "rpc_batch"};

/// What a name and the names of arguments may mean.
struct resolution {
  const char* statement = nullptr;  ///< that calls the one function that takes them
  bool returns_set = false;
  bool takes_key = false;
  int matching = 0;
  Oid namesake = InvalidOid;  ///< a function that has the name
};

/// Inside a guard, as all that follows until resolve().
struct function_arguments {
  bool is_record = false;  ///< only FROM knows the names of its columns
  bool returns_set = false;
  bool takes_key = false;
  int count = 0;
  int required = 0;
  const char** names = nullptr;
  Oid* types = nullptr;
};

/// Answers that may be kept for a day: an id, a number, yes or no, or nothing.  Tokens and secrets
/// are texts, or rows that have some.
bool is_harmless(Oid type) {
  return type == VOIDOID || type == UUIDOID || type == INT4OID || type == INT8OID ||
         type == BOOLOID;
}

const char* name_of(Oid type) { return format_type_extended(type, -1, FORMAT_TYPE_FORCE_QUALIFY); }

bool is_plain(Oid type) { return get_typtype(type) != TYPTYPE_PSEUDO; }

/// False for what cannot be called by names from SQL: internal, polymorphic and variadic functions,
/// and such as have arguments without a name.
bool read_arguments(HeapTuple function, function_arguments& found) {
  const auto* const form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(function));
  const bool has_result =
      form->prorettype == VOIDOID || form->prorettype == RECORDOID || is_plain(form->prorettype);
  if (form->prokind != PROKIND_FUNCTION || OidIsValid(form->provariadic) || !has_result)
    return false;
  found.takes_key = form->provolatile == PROVOLATILE_VOLATILE && !form->proretset &&
                    is_harmless(form->prorettype);
  Oid* types = nullptr;
  char** names = nullptr;
  char* modes = nullptr;
  const int all = get_func_arg_info(function, &types, &names, &modes);
  found.names =
      static_cast<const char**>(palloc(sizeof(char*) * static_cast<std::size_t>(all + 1)));
  found.types = static_cast<Oid*>(palloc(sizeof(Oid) * static_cast<std::size_t>(all + 1)));
  for (int i = 0; i < all; ++i) {
    if (modes != nullptr && modes[i] != PROARGMODE_IN && modes[i] != PROARGMODE_INOUT) continue;
    if (names == nullptr || names[i][0] == '\0' || !is_plain(types[i])) return false;
    found.names[found.count] = names[i];
    found.types[found.count++] = types[i];
    // Arguments are kept as a hash, which would give a short secret away.
    found.takes_key = found.takes_key && std::string_view(name_of(types[i])) != "vrm.secret";
  }
  found.is_record = form->prorettype == RECORDOID;
  found.returns_set = form->proretset;
  // Defaults are always those of the last arguments.
  found.required = found.count - form->pronargdefaults;
  return true;
}

int place_of(std::string_view name, const function_arguments& all) {
  for (int i = 0; i < all.count; ++i) {
    if (name == all.names[i]) return i;
  }
  return -1;
}

/// Whether each name is an argument's, and none is missing.
bool takes(const function_arguments& all, const pg::jsonb_object& given) {
  int required = 0;
  for (const pg::jsonb_member member : given) {
    const int place = place_of(member.name, all);
    if (place < 0) return false;
    if (place < all.required) ++required;
  }
  return required == all.required;
}

/// jsonb_to_record makes the values of the types that the function declares.
const char* statement_for(const char* name, const function_arguments& all,
                          const pg::jsonb_object& given) {
  StringInfoData call;
  StringInfoData columns;
  initStringInfo(&call);
  initStringInfo(&columns);
  const char* separator = "";
  for (const pg::jsonb_member member : given) {
    const int place = place_of(member.name, all);
    // Named from the catalog, not from the request: what is sent becomes no part of a statement.
    const char* const quoted = quote_identifier(all.names[place]);
    const char* const type = name_of(all.types[place]);
    appendStringInfo(&call, "%s%s => given.%s", separator, quoted, quoted);
    appendStringInfo(&columns, "%s%s %s", separator, quoted, type);
    separator = ", ";
  }
  const char* const function = quote_identifier(name);
  const bool is_relation = all.is_record || all.returns_set;
  const char* const from =
      *separator == '\0' ? "(SELECT) AS given"
                         : psprintf("pg_catalog.jsonb_to_record($1) AS given (%s)", columns.data);
  if (is_relation) {
    return psprintf("SELECT called FROM %s, vrm.%s(%s) AS called", from, function, call.data);
  }
  return psprintf("SELECT vrm.%s(%s) FROM %s", function, call.data, from);
}

resolution look_up(const char* name, const pg::jsonb_object& given) {
  resolution found;
  const Oid schema = get_namespace_oid("vrm", false);
  // Of any schema: the cache has no list of the functions of one.
  CatCList* const functions = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
  for (int i = 0; i < functions->n_members; ++i) {
    HeapTuple const tuple = &functions->members[i]->tuple;
    const auto* const form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    function_arguments all;
    if (form->pronamespace != schema || !read_arguments(tuple, all)) continue;
    found.namesake = form->oid;
    if (!takes(all, given)) continue;
    ++found.matching;
    found.returns_set = all.returns_set;
    found.takes_key = all.takes_key;
    found.statement = statement_for(name, all, given);
  }
  ReleaseSysCacheList(functions);
  return found;
}

[[noreturn]] void throw_unknown(const std::string& name) {
  throw vrm::error("42883", "function \"" + name + "\" does not exist")
      .detail("Functions of schema vrm can be called so, with arguments by name.")
      .hint("Call vrm.sign_in() as \"sign_in\"; doc/identity/rpc.md tells which there are.");
}

[[noreturn]] void throw_mismatch(const std::string& name, const resolution& found) {
  if (found.matching > 1) {
    throw vrm::error("22023", "several functions \"" + name + "\" have such arguments")
        .hint("Name more of the arguments that the function has.");
  }
  const std::string arguments = pg::guarded([&] {
    const Datum all =
        OidFunctionCall1(F_PG_GET_FUNCTION_ARGUMENTS, ObjectIdGetDatum(found.namesake));
    return TextDatumGetCString(all);
  });
  throw vrm::error("22023", "function \"" + name + "\" does not have these arguments")
      .detail("It has " + (arguments.empty() ? "none" : arguments) + ".")
      .hint("Give those that it has by name, and all that have no default.");
}

/// The plan for a function and the names of its arguments, which stay with the backend.
plan prepare(const std::string& name, const pg::jsonb_object& given) {
  const resolution found = pg::guarded([&] { return look_up(name.c_str(), given); });
  if (!OidIsValid(found.namesake)) throw_unknown(name);
  if (found.matching != 1) throw_mismatch(name, found);
  return {.prepared = pg::guarded([&] {
            Oid type = JSONBOID;
            const int parameters = given.begin() == pg::jsonb_object::end() ? 0 : 1;
            SPIPlanPtr const made =
                SPI_prepare_cursor(found.statement, parameters, &type, CURSOR_OPT_GENERIC_PLAN);
            if (made == nullptr) elog(ERROR, "could not plan: %s", found.statement);
            SPI_keepplan(made);
            return made;
          }),
          .returns_set = found.returns_set,
          .takes_key = found.takes_key};
}

void forget_plans() {
  for (const auto& entry : *plans) {
    SPIPlanPtr const prepared = entry.second.prepared;
    pg::guarded([prepared] { SPI_freeplan(prepared); });
  }
  plans->clear();
  plans_are_old = false;
}

plan plan_for(std::string_view name, const pg::jsonb_object& given) {
  std::string key(name);
  // No name has a NUL in it, so no two sets of names make one key; jsonb has them in order.
  for (const pg::jsonb_member member : given) key.append(1, '\0').append(member.name);
  if (plans_are_old || plans->size() >= most_plans) forget_plans();
  if (const auto kept = plans->find(key); kept != plans->end()) return kept->second;
  return (*plans)[std::move(key)] = prepare(std::string(name), given);
}

/// The rows of the last statement, or the only one's value.
void put_rows(const plan& called, pg::jsonb_builder& document) {
  const TupleDesc columns = SPI_tuptable->tupdesc;
  const Oid type = SPI_gettypeid(columns, 1);
  if (called.returns_set) document.begin_array();
  // A single one, unless it is a set.
  for (std::uint64_t row = 0; row < SPI_tuptable->numvals; ++row) {
    bool null = false;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[row], columns, 1, &null);
    if (null) {
      document.null();
    } else {
      pg::put_json_of(document, value, type);
    }
  }
  if (called.returns_set) document.end_array();
}

void execute(const plan& called, pg::jsonb arguments, pg::jsonb_builder& document) {
  const Datum value = pg::datum_traits<pg::jsonb>::to(arguments);
  pg::guarded([&] {
    Datum values[] = {value};
    SPI_execute_plan(called.prepared, values, nullptr, false, 0);
    put_rows(called, document);
  });
}

/// An array with what the function gives.
pg::jsonb executed(const plan& called, pg::jsonb arguments) {
  pg::jsonb_builder alone;
  pg::guarded([&] { alone.begin_array(); });
  execute(called, arguments, alone);
  return pg::guarded([&] {
    alone.end_array();
    return pg::datum_traits<pg::jsonb>::from(alone.finish());
  });
}

void execute_once(const plan& called, const retry_keys::keyed_call& call,
                  pg::jsonb_builder& document) {
  if (!called.takes_key) {
    throw vrm::error("22023", "function \"" + std::string(call.function) + "\" takes no key")
        .detail("It only reads, or what it takes or gives must not be kept.")
        .hint("Call it without a key.");
  }
  std::optional<pg::jsonb> answer = retry_keys::earlier_answer(call);
  if (!answer) {
    answer = executed(called, call.arguments);
    retry_keys::keep_answer(call.key, *answer);
  }
  // The first and only element; the document looks into it until it is finished.
  pg::guarded([&] { document.copy(*answer->root().elements().begin()); });
}

}  // namespace

void call(const request& asked, pg::jsonb_builder& document) {
  if (std::ranges::find(not_for_rpc, asked.function) != not_for_rpc.end())
    throw_unknown(std::string(asked.function));
  const pg::jsonb_value given = asked.arguments.root();
  if (given.kind() != pg::jsonb_kind::object) {
    throw vrm::error("22023", "arguments must be a JSON object")
        .hint(R"(Name them: {"email": "somebody@example.org"}.)");
  }
  const plan called = plan_for(asked.function, given.members());
  if (asked.key) {
    execute_once(called,
                 {.key = *asked.key, .function = asked.function, .arguments = asked.arguments},
                 document);
  } else {
    execute(called, asked.arguments, document);
  }
}

}  // namespace api

void watch_rpc_functions() {
  CacheRegisterSyscacheCallback(
      PROCOID, [](Datum, auto /*cache*/, uint32) { api::plans_are_old = true; }, Datum{0});
}

}  // namespace vrm::sql
