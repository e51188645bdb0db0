// Why an account may not act at the moment: what row level security and the API ask of everybody
// who has an identity.  Native, because every statement on every table asks.
#include "functions/identity/account_problem.h"

#include "boundary/call/function.h"
#include "boundary/table/scan.h"
#include "core/platform/error.h"
#include "functions/identity/current_identity.h"

extern "C" {
#include "access/xact.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/uuid.h"
}

namespace vrm::sql {
namespace {

/// Not watched: a row is read anew for each statement, as of the latest commit, so that a lock
/// counts from then on also in transactions that began before.
pg::watched_table profiles("vrm", "user_profiles", "user_profiles_pkey");

struct standing {
  bool has_profile = false;
  bool is_deleted = false;
  bool is_locked = false;
  bool has_second_factor = false;
};

/// Columns go by name: a DBA may have added some, and dump and restore closes gaps.
standing standing_of(const vrm::uuid& user) {
  standing found;
  pg_uuid_t wanted;
  std::memcpy(wanted.data, user.bytes.data(), sizeof wanted.data);
  ScanKeyData by_id;
  ScanKeyInit(&by_id, 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&wanted));
  profiles.read(&by_id, 1, [&found](HeapTuple row, TupleDesc columns) {
    const auto value = [&](const char* name) -> std::optional<Datum> {
      const AttrNumber number = get_attnum(row->t_tableOid, name);
      if (number == InvalidAttrNumber) return std::nullopt;
      bool null = false;
      const Datum datum = heap_getattr(row, number, columns, &null);
      return null ? std::nullopt : std::optional(datum);
    };
    const auto locked_until = value("locked_until");
    const auto second_factor = value("mfa_enabled");
    found.has_profile = true;
    found.is_deleted = value("deleted_at").has_value();
    found.is_locked =
        locked_until && DatumGetTimestampTz(*locked_until) > GetCurrentTransactionStartTimestamp();
    found.has_second_factor = second_factor && DatumGetBool(*second_factor);
  });
  return found;
}

}  // namespace

/// Null when there is none.
std::optional<std::string_view> account_problem() {
  const vrm::identity* const who = current_identity();
  if (who == nullptr || !who->has_user) return "nobody is signed in";
  if (who->is_anonymous) return "the sign-in is anonymous";
  const standing now = standing_of(who->user);
  if (!now.has_profile) return "there is no profile";
  if (now.is_deleted) return "the account is deleted";
  if (now.is_locked) return "the account is locked";
  if (now.has_second_factor && std::string_view(who->assurance.data()) != "aal2")
    return "the second factor is missing";
  return std::nullopt;
}

}  // namespace vrm::sql

PG_EXPORT(vrm_account_problem, vrm::sql::account_problem);
