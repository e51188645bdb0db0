// The keys whose tokens are believed: vrm_private.jwt_keys, read without privileges of the
// caller's and kept in the backend until the table changes; and the functions that fill it.
#include "functions/identity/signing_keys.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/call/spi.h"
#include "boundary/table/owner.h"
#include "boundary/table/scan.h"
#include "core/platform/base64.h"
#include "core/platform/error.h"
#include "core/platform/on_first_use.h"
#include "core/platform/openssl.h"
#include "functions/platform/grants.h"
#include "functions/platform/settings.h"
#include "functions/platform/table.h"
#include "functions/secrets/keyring.h"

extern "C" {
#include "utils/jsonb.h"
}

namespace vrm::sql {
namespace {

constexpr pg::known_table key_table = platform_table("vrm_private", "jwt_keys");

constinit pg::watched_table watched(key_table.schema, key_table.name, "jwt_keys_pkey");
vrm::on_first_use<std::vector<signing_keys::signing_key>> known;
std::uint64_t readings = 0;

/// Columns of vrm_private.jwt_keys.
enum column : std::uint8_t { kid = 1, public_key = 3, issuer = 5, audience = 6 };

/// Runs inside a guard: what it fills is kept outside.
void keep_row(HeapTuple row, TupleDesc descriptor) {
  const auto value = [&](column number) -> std::optional<Datum> {
    bool null = false;
    const Datum datum = heap_getattr(row, number, descriptor, &null);
    return null ? std::nullopt : std::optional(datum);
  };
  const auto text = [&](column number) -> std::string_view {
    const auto datum = value(number);
    return datum ? pg::datum_traits<std::string_view>::from(*datum) : std::string_view();
  };
  signing_keys::signing_key& key = known->emplace_back();
  key.key_id = text(kid);
  key.issuer = text(issuer);
  if (value(audience)) key.audience = text(audience);
  if (const auto jwk = value(public_key)) {
    Jsonb* const document = DatumGetJsonbP(*jwk);
    // As text, which the core's reader takes.
    key.public_jwk = JsonbToCString(nullptr, &document->root, static_cast<int>(VARSIZE(document)));
  }
}

const std::vector<signing_keys::signing_key>& keys() {
  if (watched.changed()) [[unlikely]] {
    // Before they are read: should that fail, what was verified earlier is looked at again.
    ++readings;
    watched.reload([] {
      known->clear();
      watched.read(nullptr, 0, keep_row);
    });
  }
  return *known;
}

/// The key behind a sealed HS256 secret.
std::unique_ptr<vrm::jose::verification_key> open_secret(const std::string& key_id) {
  // The owner of the table, who may reveal what is sealed in it.
  const pg::owner_scope owner(key_table);
  const pg::spi_session spi;
  std::string text = spi.value<std::string>(
                            "SELECT vrm.reveal_row(k, 'secret') FROM vrm_private.jwt_keys k"
                            " WHERE k.kid OPERATOR(pg_catalog.=) $1",
                            key_id)
                         .value_or("");
  std::string secret = vrm::decode_base64url(text).value_or("");
  auto key = std::make_unique<vrm::jose::verification_key>(
      std::as_bytes(std::span(std::as_const(secret))));
  vrm::openssl::wipe(std::as_writable_bytes(std::span(secret)));
  vrm::openssl::wipe(std::as_writable_bytes(std::span(text)));
  return key;
}

}  // namespace

namespace signing_keys {

const signing_key* find(const std::optional<std::string>& key_id) {
  const std::vector<signing_key>& all = keys();
  // Without a name only if there is nothing to choose from.
  if (!key_id) return all.size() == 1 ? all.data() : nullptr;
  const auto found = std::ranges::find(all, *key_id, &signing_key::key_id);
  return found == all.end() ? nullptr : &*found;
}

const vrm::jose::verification_key& usable(const signing_key& key) {
  if (key.ready == nullptr && key.public_jwk.empty()) {
    key.ready = open_secret(key.key_id);
  } else if (key.ready == nullptr) {
    const vrm::json::document jwk(key.public_jwk);
    key.ready = std::make_unique<vrm::jose::verification_key>(jwk.root());
  }
  return *key.ready;
}

std::uint64_t generation() {
  (void)keys();
  return readings;
}

}  // namespace signing_keys

namespace {

/// Sealed and not yet bound: the trigger of the column binds it to its row.
std::vector<std::byte> sealed(const std::string& secret) {
  if (secret.empty()) return {};
  std::string text = vrm::encode_base64url(secret);
  std::vector<std::byte> envelope(keyring::sealed_size(text.size()));
  keyring::seal({}, std::as_bytes(std::span(text)), envelope);
  vrm::openssl::wipe(std::as_writable_bytes(std::span(text)));
  return envelope;
}

void store_key(const pg::spi_session& spi, const vrm::jose::key_description& key,
               std::string_view issuer, std::string_view audience) {
  const std::vector<std::byte> secret = sealed(key.secret);
  const std::uint64_t stored = spi.execute(
      "INSERT INTO vrm_private.jwt_keys AS k"
      " (kid, algorithm, public_key, issuer, audience, secret)"
      " VALUES ($1, $2, NULLIF($3, '')::pg_catalog.jsonb, $4, NULLIF($5, ''), NULLIF($6, ''))"
      " ON CONFLICT (kid) DO UPDATE SET algorithm = EXCLUDED.algorithm,"
      " public_key = EXCLUDED.public_key, secret = EXCLUDED.secret, audience = EXCLUDED.audience"
      " WHERE k.issuer OPERATOR(pg_catalog.=) EXCLUDED.issuer",
      key.key_id, vrm::jose::name(key.type), key.public_jwk, issuer, audience,
      std::span<const std::byte>(secret));
  if (stored == 0) {
    throw vrm::error("23505", "key \"" + key.key_id + "\" belongs to another issuer")
        .detail("Two issuers that share a key id could sign for each other.")
        .hint("If the key has moved: SELECT vrm.jwk_revoke('" + key.key_id + "');");
  }
}

}  // namespace

std::int32_t jwk_import(pg::jsonb_view key_set, std::string_view issuer,
                        std::optional<std::string_view> audience) {
  const Datum document = pg::datum_traits<pg::jsonb_view>::to(key_set);
  const std::string_view text = pg::guarded(
      [=] { return std::string_view(DatumGetCString(DirectFunctionCall1(jsonb_out, document))); });
  if (issuer.empty()) {
    throw vrm::error("22023", "issuer must not be empty")
        .hint("Give the claim iss of the issuer's tokens, such as 'https://issuer.example/auth'.");
  }
  std::vector<vrm::jose::key_description> found = vrm::jose::read_key_set(text);
  const pg::owner_scope owner(key_table);
  const pg::spi_session spi;
  for (vrm::jose::key_description& key : found) {
    store_key(spi, key, issuer, audience.value_or(""));
    vrm::openssl::wipe(std::as_writable_bytes(std::span(key.secret)));
  }
  return static_cast<std::int32_t>(found.size());
}

bool jwk_revoke(std::string_view key_id) {
  const pg::owner_scope owner(key_table);
  const pg::spi_session spi;
  return spi.execute("DELETE FROM vrm_private.jwt_keys WHERE kid OPERATOR(pg_catalog.=) $1",
                     key_id) > 0;
}

void watch_signing_keys() { watched.watch(); }

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_jwk_import, vrm::sql::require_grant, vrm::sql::jwk_import);
PG_EXPORT_CHECKED(vrm_jwk_revoke, vrm::sql::require_grant, vrm::sql::jwk_revoke);
