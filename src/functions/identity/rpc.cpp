// vrm.rpc() and vrm.rpc_batch(): who calls, what, and the answer, in one statement.
//
// What a call does is done in a subtransaction, with the role and the identity that the token
// tells; all three end before the function does.  The role is set as SET ROLE does it, for the
// length of the call: only a role that the session's user is a member of, never from a SECURITY
// DEFINER function, and visible in the setting "role", which decides who is a service.
#include <optional>
#include <string>

#include "boundary/call/function.h"
#include "boundary/call/setting_scope.h"
#include "boundary/call/spi.h"
#include "boundary/call/subtransaction.h"
#include "boundary/error/hidden_statement.h"
#include "core/identity/reason.h"
#include "core/identity/token.h"
#include "functions/identity/account_problem.h"
#include "functions/identity/current_identity.h"
#include "functions/identity/login.h"
#include "functions/identity/rpc_call.h"
#include "functions/platform/settings.h"

namespace vrm::sql {
namespace {

constexpr int most_calls = 1000;

using token = std::optional<std::string_view>;

/// The claim role counts where it is one of ours; who has signed in is "authenticated" otherwise.
const char* role_of_caller() {
  const vrm::identity* const who = current_identity();
  const std::string_view claimed = who == nullptr ? "anon" : who->role.data();
  if (claimed == "anon") return "anon";
  return claimed == "service_role" ? "service_role" : "authenticated";
}

/// The rights and the name of the bearer of a token, for a scope; nobody's without a token.
class caller_scope {
 public:
  explicit caller_scope(const token& bearer)
      : identity_(bearer ? verify_token(*bearer).claims.c_str() : "") {
    settings_.set("search_path", "pg_catalog, pg_temp");
    settings_.set("role", role_of_caller(), PGC_USERSET);
    GetUserIdAndSecContext(&user_, &context_);
    SetUserIdAndSecContext(user_, context_ | SECURITY_LOCAL_USERID_CHANGE);
  }
  // What was noted after the role was set; settings_, which goes next, takes the role back.
  ~caller_scope() { SetUserIdAndSecContext(user_, context_); }
  caller_scope(const caller_scope&) = delete;
  caller_scope& operator=(const caller_scope&) = delete;

 private:
  identity_scope identity_;
  pg::setting_scope settings_;
  Oid user_ = InvalidOid;
  int context_ = 0;
};

/// What went wrong, as the client is told.
struct failure {
  std::string code;
  std::string reason;
  std::string message;
  std::string detail;
  std::string hint;
};

std::string_view reason_of(vrm::jose::refusal why) {
  switch (why) {
    case vrm::jose::refusal::expired:
      return "token_expired";
    case vrm::jose::refusal::session_ended:
      return "session_ended";
    case vrm::jose::refusal::unusable:
      break;
  }
  return "token_rejected";
}

/// The exception being handled.  A cancelled query goes on: its client is told as ever.
failure describe_current() {
  // Others, such as std::bad_alloc, are none of a caller's doing: they go on.
  try {
    throw;
  } catch (const vrm::jose::token_error& e) {
    return {.code = "28000",
            .reason = std::string(reason_of(e.why())),
            .message = e.what(),
            .detail = {},
            .hint = "Refresh the session, or sign in."};
  } catch (const vrm::error& e) {
    const vrm::sqlstate state = e.state();
    const std::string code(state.text());
    return {.code = code,
            .reason = std::string(vrm::reason_of(code)),
            .message = e.what(),
            .detail = e.detail(),
            .hint = e.hint()};
  } catch (const pg::error& e) {
    if (e.sqlerrcode() == ERRCODE_QUERY_CANCELED) throw;
    const std::string code = unpack_sql_state(e.sqlerrcode());
    return {.code = code,
            .reason = std::string(vrm::reason_of(code)),
            .message = e.what(),
            .detail = e.detail(),
            .hint = e.hint()};
  }
}

/// Why somebody is not allowed what they ask for, where it is for the state of their account.
std::string_view reason_of_denial(const token& bearer) {
  if (!bearer) return "not_signed_in";
  std::string_view reason = "not_allowed";
  // Whatever asking does, or fails to do, must not become part of the answer's transaction.
  pg::in_subtransaction([&] {
    const identity_scope identity(verify_token(*bearer).claims.c_str());
    const vrm::identity* const who = current_identity();
    if (who == nullptr || !who->has_user) return;  // a service is nobody, and has no account
    const std::optional<std::string_view> problem = account_problem();
    if (problem) reason = vrm::reason_of_problem(*problem);
  });
  return reason;
}

/// What only those who run the server can mend shall be in its log.
void log_internal(const failure& failed) {
  const char* const message = failed.message.c_str();
  const char* const detail = failed.detail.c_str();
  pg::guarded([=] {
    ereport(LOG, errmsg("a call through vrm.rpc() failed: %s", message),
            *detail == '\0' ? 0 : errdetail("%s", detail));
  });
}

void put_member(pg::jsonb_builder& document, const char* name, const std::string& value) {
  document.name(name);
  if (value.empty()) {
    document.null();
  } else {
    document.string(value);
  }
}

pg::jsonb finished(const pg::jsonb_builder& document) {
  return pg::datum_traits<pg::jsonb>::from(document.finish());
}

pg::jsonb answer_of(const failure& failed, int call) {
  return pg::guarded([&] {
    pg::jsonb_builder document;
    document.begin_object();
    document.name("error");
    document.begin_object();
    put_member(document, "code", failed.code);
    put_member(document, "reason", failed.reason);
    put_member(document, "message", failed.message);
    put_member(document, "detail", failed.detail);
    put_member(document, "hint", failed.hint);
    if (call >= 0) {
      document.name("call");
      document.number(call);
    }
    document.end_object();
    document.end_object();
    return finished(document);
  });
}

/// Runs `body` as the bearer; what it puts into the document becomes {"result": ...}.  When it
/// throws, what it did is undone, and the answer is {"error": ...} with the number in `call`.
template <typename Body>
pg::jsonb answer(const token& bearer, const int& call, const Body& body) {
  const MemoryContext context = CurrentMemoryContext;
  pg::jsonb result{};
  failure failed;
  try {
    pg::in_subtransaction([&] {
      const caller_scope caller(bearer);
      const pg::spi_session spi;
      pg::jsonb_builder document;
      pg::guarded([&] {
        document.begin_object();
        document.name("result");
      });
      body(document);
      // Where the caller's memory is: that of SPI goes with the session.
      const pg::context_scope outside(context);
      result = pg::guarded([&] {
        document.end_object();
        return finished(document);
      });
    });
    return result;
  } catch (...) {
    failed = describe_current();
  }
  if (failed.reason == "not_allowed") failed.reason = reason_of_denial(bearer);
  if (failed.reason == "internal") log_internal(failed);
  return answer_of(failed, call);
}

/// A document of its own for what stands in another one; an empty object for nothing.
pg::jsonb document_of(const std::optional<pg::jsonb_value>& value) {
  return pg::guarded([&] {
    if (value) {
      JsonbValue existing = value->for_backend();
      return pg::datum_traits<pg::jsonb>::from(JsonbPGetDatum(JsonbValueToJsonb(&existing)));
    }
    pg::jsonb_builder empty;
    empty.begin_object();
    empty.end_object();
    return finished(empty);
  });
}

/// One element of the calls of a batch.
api::request read_call(const pg::jsonb_value& element) {
  api::request found{};
  std::optional<pg::jsonb_value> arguments;
  bool is_known = element.kind() == pg::jsonb_kind::object;
  if (is_known) {
    for (const pg::jsonb_member member : element.members()) {
      if (member.name == "function" && member.value.kind() == pg::jsonb_kind::string) {
        found.function = member.value.text();
      } else if (member.name == "arguments") {
        arguments = member.value;
      } else if (member.name == "key" && member.value.kind() == pg::jsonb_kind::string) {
        found.key = member.value.text();
      } else {
        is_known = false;
      }
    }
  }
  if (!is_known || found.function.empty()) {
    throw vrm::error("22023", "a call must be an object of function, arguments and key")
        .hint(R"(Such as {"function": "create_agent", "arguments": {"agent_id": "reception"}}.)");
  }
  found.arguments = document_of(arguments);
  return found;
}

void require_call_list(const std::optional<pg::jsonb>& calls) {
  if (!calls || calls->root().kind() != pg::jsonb_kind::array) {
    throw vrm::error("22023", "calls must be a JSON array")
        .hint(R"(Such as [{"function": "create_agent", "arguments": {"agent_id": "a"}}].)");
  }
}

}  // namespace

pg::jsonb rpc(token bearer, std::optional<std::string_view> function,
              std::optional<pg::jsonb> arguments, std::optional<std::string_view> key) {
  constexpr int alone = -1;
  return answer(bearer, alone, [&](pg::jsonb_builder& document) {
    api::call({.function = function.value_or(""),
               .arguments = arguments ? *arguments : document_of(std::nullopt),
               .key = key},
              document);
  });
}

pg::jsonb rpc_batch(token bearer, std::optional<pg::jsonb> calls) {
  int number = -1;
  return answer(bearer, number, [&](pg::jsonb_builder& document) {
    require_call_list(calls);
    pg::guarded([&] { document.begin_array(); });
    for (const pg::jsonb_value element : calls->root().elements()) {
      // Counted before it is run, so that an error names the call that it is of.
      if (++number >= most_calls) {
        throw vrm::error("54000", "a batch has 1000 calls at most").hint("Send several batches.");
      }
      api::call(read_call(element), document);
    }
    pg::guarded([&] { document.end_array(); });
  });
}

void hide_rpc_parameters() { pg::hide_parameters_of("rpc"); }

}  // namespace vrm::sql

PG_EXPORT(vrm_rpc, vrm::sql::rpc);
PG_EXPORT(vrm_rpc_batch, vrm::sql::rpc_batch);

// The planner asks it before anything runs, and so loads the module, which keeps parameters out of
// the log from then on; it has nothing to say about the plan.
namespace {
constexpr std::array<Oid, 2> support_types = {INTERNALOID, INTERNALOID};
}
[[gnu::used,
  gnu::section("pg_signatures")]] constinit const pg::signature vrm_rpc_support_signature = {
    "vrm_rpc_support", support_types.data(), 1, true};

extern "C" {
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(vrm_rpc_support);
Datum vrm_rpc_support(PG_FUNCTION_ARGS);
#pragma GCC visibility pop

Datum vrm_rpc_support(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return Datum{0};
}
}
