// Reads and writes vrm_private.retry_keys without privileges of the caller's.
#include "functions/identity/retry_keys.h"

#include "boundary/call/statement.h"
#include "boundary/table/owner.h"
#include "core/platform/error.h"
#include "functions/identity/acting.h"
#include "functions/platform/table.h"

namespace vrm::sql::retry_keys {
namespace {

constexpr pg::known_table key_table = platform_table("vrm_private", "retry_keys");
constexpr std::size_t most_key_bytes = 200;

// A key that is over belongs to whoever takes it next.
pg::statement<4> take(
    "INSERT INTO vrm_private.retry_keys AS k (user_id, key, function, arguments)"
    " VALUES ($1, $2, $3, sha256(convert_to($4::text, 'UTF8')))"
    " ON CONFLICT (user_id, key) DO UPDATE"
    " SET function = excluded.function, arguments = excluded.arguments, answer = NULL,"
    "     made_at = excluded.made_at"
    " WHERE k.made_at < now() - interval '1 day'",
    {UUIDOID, TEXTOID, TEXTOID, JSONBOID});
pg::statement<4> look_up(
    "SELECT jsonb_build_array(answer) FROM vrm_private.retry_keys"
    " WHERE user_id = $1 AND key = $2 AND function = $3"
    "   AND arguments = sha256(convert_to($4::text, 'UTF8'))",
    {UUIDOID, TEXTOID, TEXTOID, JSONBOID});
pg::statement<3> keep(
    "UPDATE vrm_private.retry_keys SET answer = $3 -> 0 WHERE user_id = $1 AND key = $2",
    {UUIDOID, TEXTOID, JSONBOID});

vrm::uuid caller() {
  const std::optional<vrm::uuid> owner = current_owner();
  if (!owner) {
    throw vrm::error("28000", "nobody is signed in")
        .hint("A key belongs to who has signed in; call without one.");
  }
  return *owner;
}

}  // namespace

std::optional<pg::jsonb> earlier_answer(const keyed_call& call) {
  const vrm::uuid user = caller();
  if (call.key.empty() || call.key.size() > most_key_bytes) {
    throw vrm::error("22023", "key must be a text of 1 to 200 bytes")
        .hint("Make one for each call, such as a UUID, and send the same when you repeat it.");
  }
  const pg::owner_scope owner(key_table);
  if (take.run({user, call.key, call.function, call.arguments}) > 0) return std::nullopt;
  if (look_up.run({user, call.key, call.function, call.arguments}) == 0) {
    throw vrm::error("22023", "the key stands for another call")
        .detail("It came with another function or other arguments within the last day.")
        .hint("Make a key for each call, and send it again only with the very same call.");
  }
  // An array of one: an answer of null differs from none.
  return pg::guarded([] {
    bool null = false;
    const Datum found = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
    return pg::datum_traits<pg::jsonb>::from(found);
  });
}

void keep_answer(std::string_view key, pg::jsonb answer) {
  const vrm::uuid user = caller();
  const pg::owner_scope owner(key_table);
  (void)keep.run({user, key, answer});
}

}  // namespace vrm::sql::retry_keys
