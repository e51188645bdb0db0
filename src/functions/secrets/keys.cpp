// What an administrator does with the keyring: makes, imports and rewraps keys.  What is written
// goes through SQL, so that dumps, triggers and replicas see ordinary rows.
#include <algorithm>
#include <string>

#include "boundary/call/function.h"
#include "boundary/call/spi.h"
#include "functions/platform/grants.h"
#include "functions/secrets/keyring.h"
#include "functions/secrets/secret.h"

namespace vrm::sql {
namespace {

/// Two sessions that make a key at once would both make theirs the active one.
void lock_keyring(const pg::spi_session& spi) {
  spi.execute("LOCK TABLE vrm_private.keyring IN SHARE ROW EXCLUSIVE MODE");
}

void insert_key(const pg::spi_session& spi, std::string_view purpose, std::string_view state,
                const vrm::secret_key& key) {
  const vrm::master_key master = keyring::master_keys().front();
  const vrm::wrapped_key wrapped = vrm::wrap_key(master, purpose, key);
  const auto added = spi.execute(
      "INSERT INTO vrm_private.keyring (key_id, purpose, state, kek_id, wrapped)"
      " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key_id) DO NOTHING",
      vrm::key_id_of(key), purpose, state, std::string_view(master.id), vrm::byte_view(wrapped));
  if (added == 0) {
    throw vrm::error("42710", "the key is already in the keyring")
        .detail("Its id is " + std::to_string(vrm::key_id_of(key)) + ".")
        .hint("SELECT * FROM vrm.keyring_status;");
  }
}

/// The table has a constraint, too, but that one prints the row.  What was given is not repeated:
/// it may be a key, in the wrong place.
void require_purpose(std::string_view purpose) {
  if (purpose == "data" || purpose == "blind_index") return;
  throw vrm::error("22023", "invalid purpose")
      .detail(R"(A key is for "data" or "blind_index".)")
      .hint("SELECT purpose, state, key_id FROM vrm.keyring_status;");
}

}  // namespace

/// Makes a random key the active one of its purpose; the one before it only opens from then on.
std::int64_t key_create(std::string_view purpose) {
  require_purpose(purpose);
  const vrm::secret_key key = vrm::secret_key::random();
  const pg::spi_session spi;
  lock_keyring(spi);
  // Before the new one: an index lets a purpose have one active key.
  spi.execute(
      "UPDATE vrm_private.keyring"
      " SET state = 'decrypt_only', switched_xid = pg_catalog.pg_current_xact_id()"
      " WHERE purpose OPERATOR(pg_catalog.=) $1 AND state OPERATOR(pg_catalog.=) 'active'",
      purpose);
  insert_key(spi, purpose, "active", key);
  return vrm::key_id_of(key);
}

/// Adds a key from elsewhere, 32 bytes in base64, which only opens values.
std::int64_t key_import(std::string_view purpose, secret encoded) {
  require_purpose(purpose);
  const unmasked text(encoded);
  const auto key = vrm::decode_key(text.text());
  if (!key) {
    throw vrm::error("22023", "a key must be 32 bytes in base64")
        .hint("openssl rand -base64 32 prints one.");
  }
  const pg::spi_session spi;
  lock_keyring(spi);
  insert_key(spi, purpose, "decrypt_only", *key);
  return vrm::key_id_of(*key);
}

/// Wraps every key with the first of the master keys; returns how many changed.
std::int32_t rewrap_keys() {
  const auto masters = keyring::master_keys();
  const pg::spi_session spi;
  lock_keyring(spi);
  const auto count = spi.query(
      "SELECT key_id, purpose, kek_id, wrapped FROM vrm_private.keyring WHERE wrapped IS NOT NULL"
      " ORDER BY key_id");
  struct row {
    std::int64_t id;
    std::string purpose;
    std::string master_id;
    std::vector<std::byte> wrapped;
  };
  // Copied, because the statements below put other rows in the place of these.
  std::vector<row> rows;
  const auto text = [&](std::uint64_t i, int column) {
    return spi.column<std::string>(i, column).value_or("");
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto wrapped = spi.column<std::span<const std::byte>>(i, 4).value_or(vrm::byte_view());
    rows.push_back({.id = spi.column<std::int64_t>(i, 1).value_or(0),
                    .purpose = text(i, 2),
                    .master_id = text(i, 3),
                    .wrapped = {wrapped.begin(), wrapped.end()}});
  }

  std::int32_t changed = 0;
  for (const row& old : rows) {
    // Those of the first master key have nothing to gain.
    if (old.master_id == masters.front().id) continue;
    const vrm::secret_key key =
        keyring::unwrap(masters, old.id, old.purpose, old.master_id, old.wrapped);
    const vrm::wrapped_key wrapped = vrm::wrap_key(masters.front(), old.purpose, key);
    spi.execute(
        "UPDATE vrm_private.keyring SET kek_id = $2, wrapped = $3"
        " WHERE key_id OPERATOR(pg_catalog.=) $1",
        old.id, std::string_view(masters.front().id), vrm::byte_view(wrapped));
    ++changed;
  }
  return changed;
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_key_create, vrm::sql::require_grant, vrm::sql::key_create);
PG_EXPORT_CHECKED(vrm_key_import, vrm::sql::require_grant, vrm::sql::key_import);
PG_EXPORT_CHECKED(vrm_rewrap_keys, vrm::sql::require_grant, vrm::sql::rewrap_keys);
