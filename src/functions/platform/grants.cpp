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

/// A question that was answered with yes.
struct answered {
  Oid routine = InvalidOid;
  Oid through = InvalidOid;
  Oid user = InvalidOid;
  Oid outer_user = InvalidOid;

  friend bool operator==(const answered&, const answered&) = default;
};

/// Each routine has its place: reserving and settling, say, are asked for in turns.
std::array<answered, 64> allowed;

/// Any change of a routine, a role or a membership: too seldom to look which one it was.
constexpr auto forget = [](Datum, auto /*cache*/, uint32) { allowed = {}; };

void require(Oid routine, Oid through) {
  const answered question = {
      .routine = routine, .through = through, .user = GetUserId(), .outer_user = GetOuterUserId()};
  answered& place = allowed[routine % allowed.size()];
  if (place == question) [[likely]]
    return;
  if (!pg::is_granted_beyond(routine, through, crowd)) {
    const std::string name = pg::routine_name(routine);
    throw vrm::error("42501", "permission denied for function " + name)
        .detail("It administers; that PUBLIC, anon or authenticated were granted it says nothing.")
        .hint("A role of its own may be granted it: GRANT EXECUTE ON ROUTINE " + name +
              " TO somebody; what is too wide goes with: SELECT * FROM vrm.repair();");
  }
  // Refusals are not kept, so that a GRANT helps at once.
  place = question;
}

}  // namespace

void require_grant(Oid routine) { require(routine, InvalidOid); }

void require_grant_of(pg::routine_id routine, pg::routine_id through) {
  require(routine.oid, through.oid);
}

void watch_grants() {
  for (const auto cache : {PROCOID, AUTHOID, AUTHMEMROLEMEM})
    CacheRegisterSyscacheCallback(cache, forget, Datum{0});
}

}  // namespace vrm::sql

PG_EXPORT(vrm_require_grant, vrm::sql::require_grant_of);
