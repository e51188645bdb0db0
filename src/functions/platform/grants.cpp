// Who may call what administers.  Guides of vendors, and DBAs in a hurry, grant everything in a
// schema to everybody who can connect; what stands here does not rest on that.
#include "functions/platform/grants.h"

#include <array>

#include "boundary/call/function.h"
#include "boundary/call/grants.h"
#include "core/platform/error.h"
#include "functions/platform/settings.h"

extern "C" {
#include "utils/inval.h"
}

namespace vrm::sql {
namespace {

/// Everybody who signs in through an API acts as one of these.
constexpr std::array crowd = {"anon", "authenticated"};

/// The question that was answered last; values are opened one after another.
struct {
  Oid routine = InvalidOid;
  Oid through = InvalidOid;
  Oid user = InvalidOid;
  Oid outer_user = InvalidOid;
} allowed;

/// Any change of a routine, a role or a membership: too seldom to look which one it was.
void forget(Datum /*argument*/, int /*cache*/, uint32 /*hash*/) { allowed = {}; }

void require(Oid routine, Oid through) {
  const Oid user = GetUserId();
  const Oid outer_user = GetOuterUserId();
  if (allowed.routine == routine && allowed.through == through && allowed.user == user &&
      allowed.outer_user == outer_user) [[likely]]
    return;
  if (!pg::is_granted_beyond(routine, through, crowd)) {
    const std::string name = pg::routine_name(routine);
    throw vrm::error("42501", "permission denied for function " + name)
        .detail("It administers; that PUBLIC, anon or authenticated were granted it says nothing.")
        .hint("A role of its own may be granted it: GRANT EXECUTE ON ROUTINE " + name +
              " TO somebody; what is too wide goes with: SELECT * FROM vrm.repair();");
  }
  // Refusals are not kept, so that a GRANT helps at once.
  allowed = {.routine = routine, .through = through, .user = user, .outer_user = outer_user};
}

}  // namespace

void require_grant(Oid routine) { require(routine, InvalidOid); }

void require_grant_of(pg::routine_id routine, pg::routine_id through) {
  require(routine.oid, through.oid);
}

void watch_grants() {
  for (const int cache : {PROCOID, AUTHOID, AUTHMEMROLEMEM})
    CacheRegisterSyscacheCallback(cache, forget, Datum{0});
}

}  // namespace vrm::sql

PG_EXPORT(vrm_require_grant, vrm::sql::require_grant_of);
