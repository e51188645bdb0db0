// Password hashes for the functions that sign people in.
#include "core/accounts/passwords.h"

#include <string>

#include "boundary/call/function.h"
#include "boundary/call/guc.h"
#include "boundary/table/slots.h"
#include "functions/platform/grants.h"
#include "functions/platform/settings.h"
#include "functions/secrets/secret.h"

namespace vrm::sql {
namespace {

/// "vrm" and a number: the purpose that slots of this kind are told apart by.
constexpr std::uint32_t hashing = 0x76726D01;
/// Each takes 19 MiB and a processor for its time; more at once would only make all of them wait.
int most_at_once = 4;

}  // namespace

std::string password_hash(secret password) {
  const unmasked plain(password);
  // Held for the hash alone; whoever finds none free waits, and lock_timeout ends that.
  const pg::slot slot(hashing, static_cast<std::uint32_t>(most_at_once));
  return vrm::passwords::hash(plain.text());
}

bool password_matches(std::string_view hash, secret password) {
  const unmasked plain(password);
  const pg::slot slot(hashing, static_cast<std::uint32_t>(most_at_once));
  return vrm::passwords::matches(hash, plain.text());
}

bool password_is_outdated(std::string_view hash) { return vrm::passwords::is_outdated(hash); }

/// In characters of UTF-8, which is how people count.
std::int32_t secret_length(secret value) {
  const unmasked plain(value);
  std::int32_t characters = 0;
  for (const char c : plain.text()) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++characters;
  }
  return characters;
}

void define_password_settings() {
  pg::define_setting("vrm.password_hashes_at_once",
                     "How many backends of a database hash passwords at the same time.",
                     most_at_once, 4, {.least = 1, .most = 64}, {.context = PGC_SUSET});
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_password_hash, vrm::sql::require_grant, vrm::sql::password_hash);
PG_EXPORT_CHECKED(vrm_password_matches, vrm::sql::require_grant, vrm::sql::password_matches);
PG_EXPORT(vrm_password_is_outdated, vrm::sql::password_is_outdated);
PG_EXPORT(vrm_secret_length, vrm::sql::secret_length);
