// Reads vrm_private.linked_identities without privileges of the caller's.  What was found is kept
// by those who ask, with the token or the claims that they asked for, until the table changes.
#include "functions/accounts/linked_identities.h"

#include <array>

#include "boundary/call/function.h"
#include "boundary/table/scan.h"
#include "functions/platform/settings.h"

extern "C" {
#include "utils/fmgroids.h"
}

namespace vrm::sql {
namespace linked_identities {
namespace {

constinit pg::watched_table watched("vrm_private", "linked_identities", "linked_identities_pkey");
std::uint64_t changes = 0;

}  // namespace

std::optional<vrm::uuid> find(std::string_view issuer, std::string_view subject) {
  std::array<ScanKeyData, 2> keys{};
  ScanKeyInit(keys.data(), 1, BTEqualStrategyNumber, F_TEXTEQ,
              pg::datum_traits<std::string_view>::to(issuer));
  ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_TEXTEQ,
              pg::datum_traits<std::string_view>::to(subject));
  vrm::uuid user{};
  bool is_linked = false;
  watched.read(keys.data(), 2, [&](HeapTuple row, TupleDesc columns) {
    bool null = false;
    const Datum value = heap_getattr(row, get_attnum(row->t_tableOid, "user_id"), columns, &null);
    user = pg::datum_traits<vrm::uuid>::from(value);
    is_linked = true;
  });
  return is_linked ? std::optional(user) : std::nullopt;
}

std::uint64_t generation() {
  if (watched.changed()) [[unlikely]]
    watched.reload([] {
      ++changes;
      (void)find("", "");  // learns which table it is, and hears of no other from then on
    });
  return changes;
}

}  // namespace linked_identities

void watch_linked_identities() { linked_identities::watched.watch(); }

}  // namespace vrm::sql
