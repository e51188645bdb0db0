// Whether a session is open: vrm_private.sessions says that it was begun, the lockout store that it
// was ended.  Both are read once and kept until a session ends anywhere, because every transaction
// asks with the same token.
#include "functions/identity/sessions.h"

#include <array>
#include <string>

#include "boundary/call/function.h"
#include "boundary/table/scan.h"
#include "core/platform/error.h"
#include "functions/accounts/lockout_policy.h"
#include "functions/accounts/lockout_store.h"
#include "functions/platform/settings.h"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
}

namespace vrm::sql {
namespace sessions {
namespace {

constinit pg::watched_table watched("vrm_private", "sessions", "sessions_pkey");

constexpr std::int64_t longest_pause = 30 * USECS_PER_DAY;  ///< between two refreshes

struct known_session {
  vrm::uuid user{};
  vrm::uuid id{};
  std::int64_t until = 0;  ///< open till then unless it is ended; 0 for an empty place
  state says = state::ended;
  bool is_ours = false;  ///< its row is of this transaction, which may yet be rolled back
};
std::array<known_session, 64> known;
std::uint64_t readings = 0;

/// A standby hears of no end that belongs to no transaction, so it asks for each statement.
void forget_what_may_have_changed() {
  static std::int64_t statement = 0;
  // Once for a statement, which sees what the replay has brought until then.
  const bool again = RecoveryInProgress() && statement != GetCurrentStatementStartTimestamp();
  if (!again && !watched.changed()) return;
  statement = GetCurrentStatementStartTimestamp();
  watched.reload([] { known = {}; });
  ++readings;
}

/// What the row says; ended when there is none.
known_session read_row(const vrm::uuid& user, const vrm::uuid& session) {
  known_session found{.user = user, .id = session};
  const std::array ids{user, session};
  const bool readable = watched.read(ids, [&found](HeapTuple row, TupleDesc columns) {
    const auto value = [&](const char* name, bool& null) {
      return heap_getattr(row, get_attnum(row->t_tableOid, name), columns, &null);
    };
    found.is_ours = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));
    bool is_open = false;
    (void)value("revoked_at", is_open);
    if (!is_open) return;
    bool null = false;
    // Open until it is not refreshed for so long.
    found.until = DatumGetTimestampTz(value("refreshed_at", null)) + longest_pause;
    const auto aal = pg::datum_traits<std::string_view>::from(value("aal", null));
    found.says = aal == "aal2" ? state::open_with_second_factor : state::open;
  });
  if (!readable) {
    throw vrm::error("55000", "sessions cannot be looked up")
        .detail("Table vrm_private.sessions is missing, or its primary key.")
        .hint("SELECT vrm.install();");
  }
  return found;
}

bool is_ended(const vrm::uuid& session) {
  const auto key = lockout_policy::hash().key_of(vrm::lockout::kind::session, to_string(session));
  vrm::lockout::entry found;
  return lockout_store::read(lockout_store::relation(vrm::lockout::tree::sessions), key, found) &&
         found.locked_until > lockout_store::now();
}

}  // namespace

state of(const vrm::uuid& user, const vrm::uuid& session) {
  forget_what_may_have_changed();
  const std::int64_t now = GetCurrentTransactionStartTimestamp();
  known_session& place = known[session.bytes.back() % known.size()];
  if (place.until > now && place.id == session && place.user == user) [[likely]]
    return place.says;
  const known_session found = read_row(user, session);
  // The row may be there, and open, for a session that the store says has ended.
  if (found.until <= now || is_ended(session)) return state::ended;
  if (!found.is_ours) place = found;
  return found.says;
}

std::uint64_t generation() {
  forget_what_may_have_changed();
  return readings;
}

void announce_end() { watched.announce_at_once(); }

}  // namespace sessions

void watch_sessions() { sessions::watched.watch(); }

}  // namespace vrm::sql
