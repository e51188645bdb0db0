// Reads vrm_private.team_members without privileges of the caller's.  Every statement that runs for
// an organisation asks, so rows are kept until the table changes, and word of a change is taken
// before each answer: who is removed is out with the next statement.
#include "functions/identity/memberships.h"

#include <array>

#include "boundary/call/function.h"
#include "boundary/table/scan.h"
#include "functions/platform/settings.h"

extern "C" {
#include "access/xact.h"
#include "utils/fmgrprotos.h"
}

namespace vrm::sql {
namespace memberships {
namespace {

constinit pg::watched_table watched("vrm_private", "team_members", "team_members_pkey");

struct membership {
  vrm::uuid organisation{};
  vrm::uuid person{};
  std::optional<vrm::team_role> role;
  bool is_ours = false;  ///< its row is of this transaction, which may yet be rolled back
};
std::array<membership, 64> known;
std::uint64_t readings = 1;

/// Without waiting for a lock that would bring it.
void take_news() {
  pg::guarded([] { AcceptInvalidationMessages(); });
  if (!watched.changed()) [[likely]]
    return;
  watched.reload([] { known = {}; });
  ++readings;
}

membership read_row(const vrm::uuid& organisation, const vrm::uuid& person) {
  membership found{.organisation = organisation, .person = person, .role = std::nullopt};
  (void)watched.read(std::array{organisation, person}, [&found](HeapTuple row, TupleDesc columns) {
    bool null = false;
    const Datum role = heap_getattr(row, get_attnum(row->t_tableOid, "role"), columns, &null);
    found.role = vrm::parse_team_role(pg::datum_traits<std::string_view>::from(role));
    found.is_ours = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));
  });
  return found;
}

}  // namespace

std::optional<vrm::team_role> of(const vrm::uuid& organisation, const vrm::uuid& person) {
  take_news();
  // One place for each pair; another pair that falls there takes it.
  membership& place =
      known[(organisation.bytes.back() ^ (person.bytes.back() * 7U)) % known.size()];
  if (place.role && place.organisation == organisation && place.person == person) [[likely]]
    return place.role;
  const membership found = read_row(organisation, person);
  if (found.role && !found.is_ours) place = found;
  return found.role;
}

// What is announced and not yet read counts as read anew.
std::uint64_t generation() noexcept { return watched.changed() ? readings + 1 : readings; }

}  // namespace memberships

void watch_memberships() { memberships::watched.watch(); }

}  // namespace vrm::sql
