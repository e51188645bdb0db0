// Sealed values as SQL sees them: the type vrm.secret, sealing and revealing, the blind index.
#include <optional>

#include "boundary/call/function.h"
#include "boundary/call/guc.h"
#include "boundary/error/hidden_statement.h"
#include "boundary/value/cstring.h"
#include "boundary/value/detoast.h"
#include "boundary/value/varlena.h"
#include "core/platform/base64.h"
#include "core/platform/random.h"
#include "core/secrets/envelope.h"
#include "functions/platform/grants.h"
#include "functions/platform/settings.h"
#include "functions/secrets/keyring.h"
#include "functions/secrets/passing_plaintext.h"
#include "functions/secrets/secret.h"

extern "C" {
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
}

namespace vrm::sql {
namespace {

using vrm::byte_view;
using vrm::bytes_of;
using envelope_head = pg::bytea_head<vrm::envelope_header_size>;

std::optional<vrm::envelope_header> header_of(const envelope_head& value) {
  return vrm::read_envelope_header(value.bytes, value.total_size);
}

/// A value is bound to its context when it has one.
/// An empty context says the same as none.
keyring::binding_of bound_to(byte_view context) {
  return {.bound = context.empty() ? vrm::binding::none : vrm::binding::context,
          .context = context};
}

pg::bytea_result sealed(const keyring::binding_of& binding, byte_view plaintext) {
  pg::bytea_result envelope(keyring::sealed_size(plaintext.size()));
  keyring::seal(binding, plaintext, envelope.bytes());
  return envelope;
}

// --- literals -----------------------------------------------------------------------------------

enum class literals : std::uint8_t { allow, warn, error };

const config_enum_entry literal_policies[] = {{"error", static_cast<int>(literals::error), false},
                                              {"warn", static_cast<int>(literals::warn), false},
                                              {"allow", static_cast<int>(literals::allow), false},
                                              {nullptr, 0, false}};

int secret_literals_setting = static_cast<int>(literals::warn);

/// Whether the client's statement holds `secret` between quotes.
bool is_literal(std::string_view secret) {
  const std::string_view statement = debug_query_string == nullptr ? "" : debug_query_string;
  const auto is_quote = [](char c) { return c == '\'' || c == '$' || c == '"'; };  // " in JSON
  // From the second byte on: a literal has a quote before it.
  for (std::size_t at = statement.find(secret, 1); at != std::string_view::npos;
       at = statement.find(secret, at + 1)) {
    const std::size_t after = at + secret.size();
    if (after < statement.size() && is_quote(statement[at - 1]) &&
        statement[after] == statement[at - 1]) {
      return true;
    }
  }
  return false;
}

/// A literal is in the statement's text: out of pg_stat_activity and of what is logged from now on
/// it can be kept, out of log_statement it cannot.
void watch_for_literal(std::string_view secret) {
  const auto policy = static_cast<literals>(secret_literals_setting);
  if (policy == literals::allow || secret.empty() || !is_literal(secret)) return;

  static constexpr const char* hidden = "<statement hidden: it contains a secret as a literal>";
  // First of all, so that what is logged of the error below does not quote the statement.
  pg::hide_statement(hidden);
  static constexpr const char* message = "the text of the statement contains a secret";
  static constexpr const char* hint = "Pass it as a parameter: SELECT vrm.seal($1);";
  if (policy == literals::error) {
    throw vrm::error("22023", message).detail("Server logs may keep the text.").hint(hint);
  }
  pg::guarded([] {
    ereport(WARNING, errcode(ERRCODE_WARNING), errmsg("%s", message),
            errdetail("Server logs may keep the text."), errhint("%s", hint), errhidestmt(true),
            errhidecontext(true));
  });
}

/// Masks the text and wipes it in place.
pg::bytea_result masked(std::span<char> text) {
  const auto bytes = std::as_writable_bytes(text);
  pg::bytea_result secret(bytes.size() + vrm::transit_overhead);
  vrm::mask_secret(bytes, secret.bytes());
  vrm::openssl::wipe(bytes);
  return secret;
}

/// Refuses, and wipes, what is not text in this database.
pg::text_result checked(pg::text_result text) {
  const auto size = static_cast<int>(text.bytes().size());
  if (!pg_verify_mbstr(GetDatabaseEncoding(), reinterpret_cast<const char*>(text.bytes().data()),
                       size, true)) {
    vrm::openssl::wipe(text.bytes());
    throw vrm::error("22021", "the value is not text in the encoding of this database")
        .hint("Was it sealed in a database of another encoding?  SHOW server_encoding;");
  }
  return text;
}

/// Puts the plaintext of `secret` into `plaintext`, which has its size.
void unmask(const secret& secret, std::span<std::byte> plaintext) {
  if (!vrm::unmask_secret(secret.masked, plaintext)) {
    throw vrm::error("22000", "secret cannot be read")
        .detail("It was made by another session.")
        .hint("A vrm.secret cannot be kept; pass the text as a parameter of the same statement.");
  }
}

}  // namespace

// NOLINTNEXTLINE(*-member-init): zeroing small_ would cost more than unmasking
unmasked::unmasked(const secret& secret) : bytes_(small_.data(), secret.size()) {
  if (secret.size() > small_.size()) {
    large_ = std::make_unique_for_overwrite<std::byte[]>(secret.size());
    bytes_ = {large_.get(), secret.size()};
  }
  unmask(secret, bytes_);
}

// --- type vrm.secret ----------------------------------------------------------------------------

secret_result secret_in(pg::c_string text) {
  // Before it is masked, which wipes the text.
  watch_for_literal(text.view());
  return {masked(text.mutable_span())};
}

/// Whoever prints, dumps or casts a secret gets this, never the masked bytes.
pg::c_string secret_out(secret /*value*/) { return pg::c_string::copy("<secret>"); }

secret_result secret_receive(pg::message message) {
  const auto text = pg::guarded([&] {
    int size = 0;
    char* const start =
        pq_getmsgtext(message.buffer, message.buffer->len - message.buffer->cursor, &size);
    return std::span(start, static_cast<std::size_t>(size));
  });
  // pq_getmsgtext() has made a copy, which masked() wipes: the message goes here.
  vrm::openssl::wipe(std::as_writable_bytes(
      std::span(message.buffer->data, static_cast<std::size_t>(message.buffer->len))));
  return {masked(text)};
}

std::span<const std::byte> secret_send(secret /*value*/) { return bytes_of("<secret>"); }

/// The last four characters of a secret long enough to keep its secrecy without them.
std::optional<std::string> secret_hint(secret value) {
  constexpr std::size_t long_enough = 16;
  const unmasked plaintext(value);
  if (plaintext.text().size() < long_enough) return std::nullopt;
  return std::string(plaintext.text().substr(plaintext.text().size() - 4));
}

// --- sealing ------------------------------------------------------------------------------------

/// The plaintext is nowhere but where its ciphertext replaces it.
pg::bytea_result seal(secret plaintext, std::span<const std::byte> context) {
  const pg::bytea_result envelope(keyring::sealed_size(plaintext.size()));
  const auto content = vrm::envelope_content(envelope.bytes(), vrm::algorithm::xaes_256_gcm);
  try {
    unmask(plaintext, content);
    keyring::seal(bound_to(context), content, envelope.bytes());
  } catch (...) {
    vrm::openssl::wipe(content);
    throw;
  }
  return envelope;
}

/// Seals 32 random bytes, in base64, that nobody has seen.
pg::bytea_result seal_random() {
  const vrm::secret_key key = vrm::secret_key::random();
  // With the padding that decode_key() and others expect.
  std::string text = vrm::encode_base64(std::as_const(key).bytes()) + "=";
  const pg::bytea_result envelope = sealed({}, bytes_of(text));
  vrm::openssl::wipe(std::as_writable_bytes(std::span(text)));
  return envelope;
}

/// A large value is opened where it was fetched to: memory for another costs a third of the time.
pg::text_result reveal(pg::detoasted_bytea value, std::span<const std::byte> context) {
  if (!value.is_copy()) return revealed(bound_to(context), value.bytes());
  const std::size_t size = keyring::opened_size(value.bytes());
  const auto envelope =
      std::as_writable_bytes(std::span(VARDATA(value.value()), value.bytes().size()));
  const auto content = envelope.subspan(envelope.size() - vrm::envelope_tag_size - size, size);
  keyring::open(bound_to(context), envelope, content);
  // The rest of the memory is the caller's alone, like the text itself.
  std::memmove(envelope.data(), content.data(), size);
  return checked(pg::text_result(value.value(), size));
}

/// Opens and seals again under the active key.
pg::bytea_result reseal(std::span<const std::byte> value, std::span<const std::byte> context) {
  const keyring::binding_of binding = bound_to(context);
  passing_plaintext plaintext(value);
  plaintext.open(binding, value);
  return sealed(binding, plaintext.bytes());
}

pg::text_result revealed(const keyring::binding_of& binding, byte_view value) {
  const pg::text_result text(keyring::opened_size(value));
  keyring::open(binding, value, text.bytes());
  return checked(text);
}

bool is_sealed(envelope_head value) { return header_of(value).has_value(); }

/// Whether the value is bound to a column and a row.
bool is_bound(envelope_head value) {
  const auto header = header_of(value);
  return header && header->bound == vrm::binding::row;
}

/// The id of the key that the value was sealed with; null when it is not an envelope.
std::optional<std::int64_t> key_of(envelope_head value) {
  const auto header = header_of(value);
  return header ? std::optional(header->key_id) : std::nullopt;
}

// --- blind index --------------------------------------------------------------------------------

std::int64_t blind_index(vrm::uuid column_id, std::string_view value) {
  return keyring::blind_index(column_id, value);
}

pg::bigint_array blind_probe(vrm::uuid column_id, std::string_view value) {
  return {keyring::blind_probe(column_id, value)};
}

void define_secrets_settings() {
  DefineCustomEnumVariable(
      "vrm.secret_literals",
      "What to do about a secret that is a literal in the text of a statement.",
      "Logs of statements cannot be stopped from keeping it; parameters are not in the text.",
      &secret_literals_setting, secret_literals_setting, literal_policies, PGC_USERSET, 0, nullptr,
      nullptr, nullptr);
  pg::watch_log_entries();
  watch_keyring();
}

}  // namespace vrm::sql

PG_EXPORT(vrm_secret_in, vrm::sql::secret_in);
PG_EXPORT(vrm_secret_out, vrm::sql::secret_out);
PG_EXPORT(vrm_secret_receive, vrm::sql::secret_receive);
PG_EXPORT(vrm_secret_send, vrm::sql::secret_send);
PG_EXPORT(vrm_secret_hint, vrm::sql::secret_hint);
PG_EXPORT(vrm_seal, vrm::sql::seal);
PG_EXPORT(vrm_seal_random, vrm::sql::seal_random);
PG_EXPORT_CHECKED(vrm_reveal, vrm::sql::require_grant, vrm::sql::reveal);
PG_EXPORT_CHECKED(vrm_reseal, vrm::sql::require_grant, vrm::sql::reseal);
PG_EXPORT(vrm_is_sealed, vrm::sql::is_sealed);
PG_EXPORT(vrm_is_bound, vrm::sql::is_bound);
PG_EXPORT(vrm_key_of, vrm::sql::key_of);
PG_EXPORT_CHECKED(vrm_blind_index, vrm::sql::require_grant, vrm::sql::blind_index);
PG_EXPORT_CHECKED(vrm_blind_probe, vrm::sql::require_grant, vrm::sql::blind_probe);
