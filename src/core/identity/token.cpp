#include "core/identity/token.h"

#include <algorithm>
#include <vector>

#include "core/identity/identity.h"
#include "core/platform/base64.h"
#include "core/platform/error.h"
#include "core/platform/json.h"

namespace vrm::jose {
namespace {

constexpr std::size_t most_key_id_bytes = 256;

vrm::error rejected(const std::string& reason) {
  return vrm::error("28000", "token rejected").log_detail("The token was refused: " + reason + ".");
}

std::string decode(std::string_view part, const char* what) {
  std::optional<std::string> bytes = decode_base64url(part);
  if (!bytes) reject_token(std::string(what) + " is not base64url");
  return *std::move(bytes);
}

/// Reads a part that has to be a JSON object.
json::document read_object(const std::string& text, const char* what) {
  if (!json::is_utf8(text)) reject_token(std::string(what) + " is not UTF-8");
  try {
    json::document document(text);
    if (!document.root().is(json::kind::object))
      reject_token(std::string(what) + " is not a JSON object");
    return document;
  } catch (const vrm::error& e) {
    if (!e.log_detail().empty()) throw;  // rejected already
    reject_token(std::string(what) + " is invalid JSON: " + e.detail());
  }
}

std::optional<double> time_claim(const json::value& claims, const char* name) {
  const std::optional<json::value> claim = claims.find(name);
  if (!claim) return std::nullopt;
  const std::optional<double> seconds = claim->number();
  if (!seconds) reject_token(std::string("claim ") + name + " is not a number");
  return seconds;
}

void check_times(const json::value& claims, const claim_rules& rules) {
  const auto now = static_cast<double>(rules.now);
  const auto leeway = static_cast<double>(rules.leeway);
  const std::optional<double> expires = time_claim(claims, "exp");
  if (!expires) reject_token("claim exp is missing");
  if (now >= *expires + leeway) reject_token("it has expired", refusal::expired);
  if (time_claim(claims, "nbf").value_or(now) > now + leeway) reject_token("it is not valid yet");
  // Its type only: RFC 7519 (4.1.6) has no rule that an iat could break.
  (void)time_claim(claims, "iat");
}

bool is_for(const json::value& claims, const std::string& audience) {
  const std::optional<json::value> claim = claims.find("aud");
  if (!claim) return false;
  // One audience or an array of them (RFC 7519, 4.1.3).
  const std::vector<json::value> listed = claim->elements();
  return claim->equals(audience) || std::ranges::any_of(listed, [&](const json::value& element) {
           return element.equals(audience);
         });
}

void check_parties(const json::value& claims, const claim_rules& rules) {
  if (rules.issuer) {
    const std::optional<json::value> issuer = claims.find("iss");
    if (!issuer || !issuer->equals(*rules.issuer)) reject_token("it is from another issuer");
  }
  if (rules.audience && !is_for(claims, *rules.audience))
    reject_token("it is for another audience");
}

}  // namespace

token_error::token_error(refusal why, const std::string& reason)
    : vrm::error(rejected(reason)), why_(why) {}

void reject_token(const std::string& reason, refusal why) { throw token_error(why, reason); }

token::token(std::string_view text, std::size_t most_bytes) {
  // Before anything is decoded: whoever sends it has shown nothing yet.
  if (text.size() > most_bytes) reject_token("it is larger than vrm.max_token_bytes");
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos)
    reject_token("it does not have three parts");
  signed_part_ = text.substr(0, second);
  payload_ = text.substr(first + 1, second - first - 1);
  signature_ = text.substr(second + 1);

  const std::string header = decode(text.substr(0, first), "the header");
  const json::document document = read_object(header, "the header");
  const json::value root = document.root();
  // Extensions that have to be understood; b64 changes what is signed (RFC 7797).  Keys and
  // addresses of keys (jwk, jku, x5c, x5u) are the sender's word and are not even looked at.
  for (const char* const member : {"crit", "b64"}) {
    if (root.find(member)) reject_token(std::string("the header has ") + member);
  }
  const std::optional<json::value> algorithm = root.find("alg");
  const std::optional<std::string> named = algorithm ? algorithm->string() : std::nullopt;
  if (!named) reject_token("the header has no alg");
  algorithm_ = *named;
  if (const std::optional<json::value> key_id = root.find("kid")) {
    key_id_ = key_id->string();
    if (!key_id_ || key_id_->empty() || key_id_->size() > most_key_id_bytes)
      reject_token("kid is not a string of 1 to 256 bytes");
  }
}

std::string token::verified_claims(const verification_key& key, const claim_rules& rules) const {
  // Compared, never obeyed: see verification_key.
  if (!is_named(key.type(), algorithm_))
    reject_token("alg is not that of the key, " + std::string(name(key.type())));
  const std::string signature = decode(signature_, "the signature");
  if (!key.verifies(signed_part_, std::as_bytes(std::span(signature))))
    reject_token("the signature is not the key's");

  // Not decoded before: up to here anybody could have written it.
  std::string claims = decode(payload_, "the payload");
  const json::document document = read_object(claims, "the payload");
  check_times(document.root(), rules);
  check_parties(document.root(), rules);
  // What could not be used later is refused now, as part of the same answer.
  try {
    (void)read_identity(claims);
  } catch (const vrm::error& e) {
    reject_token("its claims cannot be used: " + e.detail());
  }
  return claims;
}

}  // namespace vrm::jose
