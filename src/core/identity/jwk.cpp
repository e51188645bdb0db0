#include "core/identity/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/platform/base64.h"
#include "core/platform/error.h"
#include "core/platform/json_writer.h"

namespace vrm::jose {
namespace {

using big_number = std::unique_ptr<BIGNUM, openssl::deleter<BN_free>>;
using parameter_builder = std::unique_ptr<OSSL_PARAM_BLD, openssl::deleter<OSSL_PARAM_BLD_free>>;
using parameters = std::unique_ptr<OSSL_PARAM, openssl::deleter<OSSL_PARAM_free>>;
using ecdsa_signature = std::unique_ptr<ECDSA_SIG, openssl::deleter<ECDSA_SIG_free>>;

constexpr std::size_t coordinate_size = 32;
constexpr std::size_t ed25519_size = 32;

/// RFC 7518, 3.3; the upper bound keeps a hostile key from making each verification slow.
constexpr int least_rsa_bits = 2048;
constexpr int most_rsa_bits = 8192;
constexpr int most_exponent_bits = 64;

vrm::error wrong(std::string_view member, std::string_view reason) {
  return vrm::error("22023", "invalid key")
      .detail("Member \"" + std::string(member) + "\" " + std::string(reason) + ".")
      .hint(
          "Take the JSON Web Key Set as its issuer publishes it, often at /.well-known/jwks.json.");
}

std::string required_string(const json::value& jwk, std::string_view member) {
  const std::optional<json::value> found = jwk.find(member);
  if (!found) throw wrong(member, "is missing");
  std::optional<std::string> text = found->string();
  if (!text) throw wrong(member, "is not a string");
  return *std::move(text);
}

std::string required_bytes(const json::value& jwk, std::string_view member) {
  std::optional<std::string> bytes = decode_base64url(required_string(jwk, member));
  if (!bytes || bytes->empty()) throw wrong(member, "is not base64url");
  return *std::move(bytes);
}

std::string required_bytes(const json::value& jwk, std::string_view member, std::size_t size) {
  std::string bytes = required_bytes(jwk, member);
  if (bytes.size() != size) throw wrong(member, "is not of " + std::to_string(size) + " bytes");
  return bytes;
}

const unsigned char* octets(std::string_view bytes) noexcept {
  return openssl::data(std::as_bytes(std::span(bytes)));
}

big_number number_of(std::string_view bytes) {
  big_number number(BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr));
  openssl::require(number != nullptr, "read a number");
  return number;
}

/// Null when OpenSSL does not take the parameters for a key, such as a point off the curve.
openssl::key make_public_key(const char* type, const parameter_builder& builder) {
  const parameters made(OSSL_PARAM_BLD_to_param(builder.get()));
  const openssl::key_context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  openssl::require(made && context && EVP_PKEY_fromdata_init(context.get()) == 1, "make a key");
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, made.get()) != 1)
    ERR_clear_error();
  return openssl::key(key);
}

/// What the key says it is for has to include what we do with it.
void require_purpose(const json::value& jwk, algorithm type) {
  if (const auto use = jwk.find("use"); use && !use->equals("sig"))
    throw wrong("use", "is not \"sig\"");
  if (const auto operations = jwk.find("key_ops")) {
    // What is no array has no elements, and so no "verify".
    const std::vector<json::value> elements = operations->elements();
    if (std::ranges::none_of(elements,
                             [](const json::value& element) { return element.equals("verify"); }))
      throw wrong("key_ops", "does not include \"verify\"");
  }
  if (const auto stated = jwk.find("alg"); stated && !is_named(type, stated->string().value_or("")))
    throw wrong("alg", "is not \"" + std::string(name(type)) + "\"");
  if (jwk.find("d")) throw wrong("d", "holds a private key, which has no place here");
}

/// JWS writes r and s side by side, OpenSSL reads DER.
std::vector<unsigned char> der_of(std::span<const std::byte> signature) {
  const auto* const bytes = openssl::data(signature);
  // verifies() has seen to the size: two coordinates.
  big_number r(BN_bin2bn(bytes, coordinate_size, nullptr));
  big_number s(BN_bin2bn(bytes + coordinate_size, coordinate_size, nullptr));
  const ecdsa_signature pair(ECDSA_SIG_new());
  openssl::require(r && s && pair && ECDSA_SIG_set0(pair.get(), r.release(), s.release()) == 1,
                   "read a signature");  // the pair owns them now
  std::vector<unsigned char> der(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)));
  unsigned char* end = der.data();
  i2d_ECDSA_SIG(pair.get(), &end);
  return der;
}

/// A signature that does not fit is no failure of OpenSSL's, but leaves an error in its queue,
/// where the server's TLS code would find it.
bool digest_verifies(EVP_PKEY* key, const char* digest, std::string_view message,
                     std::span<const unsigned char> signature) {
  const openssl::digest_context context(EVP_MD_CTX_new());
  openssl::require(context && EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr,
                                                      nullptr, key, nullptr) == 1,
                   "begin to verify a signature");
  const bool good = EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                     octets(message), message.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace

std::string_view name(algorithm value) noexcept {
  switch (value) {
    case algorithm::hs256:
      return "HS256";
    case algorithm::rs256:
      return "RS256";
    case algorithm::es256:
      return "ES256";
    case algorithm::eddsa:
      return "EdDSA";
  }
  return "";
}

bool is_named(algorithm value, std::string_view header) noexcept {
  return header == name(value) || (value == algorithm::eddsa && header == "Ed25519");
}

verification_key::verification_key(std::span<const std::byte> secret) {
  if (secret.size() < sizeof(sha256)) throw wrong("k", "is shorter than 32 bytes");
  keyed_hash_.emplace(secret);
}

verification_key::verification_key(const json::value& jwk) {
  const std::string type = required_string(jwk, "kty");
  if (type == "RSA") {
    read_rsa(jwk);
  } else if (type == "EC") {
    read_ec(jwk);
  } else if (type == "OKP") {
    read_okp(jwk);
  } else {
    throw wrong("kty", "is not a type of public key that is supported (RSA, EC, OKP)");
  }
  require_purpose(jwk, algorithm_);
}

void verification_key::read_rsa(const json::value& jwk) {
  algorithm_ = algorithm::rs256;
  const big_number modulus = number_of(required_bytes(jwk, "n"));
  const big_number exponent = number_of(required_bytes(jwk, "e"));
  // With an even modulus, or an exponent of 1, anybody could sign.
  const int bits = BN_num_bits(modulus.get());
  if (bits < least_rsa_bits || bits > most_rsa_bits || BN_is_odd(modulus.get()) == 0)
    throw wrong("n", "is not an odd number of 2048 to 8192 bits");
  if (BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) == 1 ||
      BN_num_bits(exponent.get()) > most_exponent_bits)
    throw wrong("e", "is not an odd number, at least 3, of at most 64 bits");
  const parameter_builder builder(OSSL_PARAM_BLD_new());
  openssl::require(
      builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
          OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1,
      "describe a key");
  public_key_ = make_public_key("RSA", builder);
  if (!public_key_) throw wrong("n", "is not a modulus that OpenSSL takes");
}

void verification_key::read_ec(const json::value& jwk) {
  algorithm_ = algorithm::es256;
  if (required_string(jwk, "crv") != "P-256") throw wrong("crv", "is not \"P-256\"");
  const std::string x = required_bytes(jwk, "x", coordinate_size);
  const std::string point = '\4' + x + required_bytes(jwk, "y", coordinate_size);  // SEC 1, 2.3.3
  const parameter_builder builder(OSSL_PARAM_BLD_new());
  openssl::require(builder &&
                       OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                       "P-256", 0) == 1 &&
                       OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                        point.data(), point.size()) == 1,
                   "describe a key");
  public_key_ = make_public_key("EC", builder);
  if (!public_key_) throw wrong("y", "makes no point on the curve with \"x\"");
}

void verification_key::read_okp(const json::value& jwk) {
  algorithm_ = algorithm::eddsa;
  if (required_string(jwk, "crv") != "Ed25519") throw wrong("crv", "is not \"Ed25519\"");
  const std::string point = required_bytes(jwk, "x", ed25519_size);
  public_key_.reset(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, octets(point), point.size()));
  openssl::require(public_key_ != nullptr, "take an Ed25519 key");
}

bool verification_key::verifies(std::string_view message,
                                std::span<const std::byte> signature) const {
  const std::span octets_of_signature(openssl::data(signature), signature.size());
  switch (algorithm_) {
    case algorithm::hs256:
      return keyed_hash_ &&
             openssl::equal_in_constant_time(keyed_hash_->of({bytes_of(message)}), signature);
    case algorithm::rs256:
      return digest_verifies(public_key_.get(), "SHA256", message, octets_of_signature);
    case algorithm::es256:
      // both s and its negative verify: RFC 7518 asks for no canonical one, and nothing here
      // takes a token's spelling for its identity
      return signature.size() == 2 * coordinate_size &&
             digest_verifies(public_key_.get(), "SHA256", message, der_of(signature));
    case algorithm::eddsa:
      return digest_verifies(public_key_.get(), nullptr, message, octets_of_signature);
  }
  return false;
}

namespace {

/// The members that make up a public key, all strings, so that nothing else gets into the table.
std::string public_members(const json::value& jwk, algorithm type) {
  std::vector<std::string_view> members = {"kty", "crv", "x"};
  if (type == algorithm::rs256) members = {"kty", "n", "e"};
  if (type == algorithm::es256) members.emplace_back("y");
  json::object_writer written;
  for (const std::string_view member : members) {
    written.string(member, required_string(jwk, member));
  }
  return written.close();
}

key_description describe_key(const json::value& jwk) {
  if (!jwk.is(json::kind::object)) throw wrong("keys", "has an element that is not an object");
  key_description description;
  description.key_id = required_string(jwk, "kid");
  // As long as token.cpp takes: a longer one could never be asked for.
  if (description.key_id.empty() || description.key_id.size() > 256)
    throw wrong("kid", "is not 1 to 256 bytes long");
  if (required_string(jwk, "kty") == "oct") {
    require_purpose(jwk, algorithm::hs256);
    description.secret = required_bytes(jwk, "k");
    description.type =
        verification_key(std::as_bytes(std::span(std::as_const(description.secret)))).type();
    return description;
  }
  description.type = verification_key(jwk).type();
  description.public_jwk = public_members(jwk, description.type);
  return description;
}

std::string title_of(std::size_t position, const json::value& jwk) {
  std::string title = "Key " + std::to_string(position);
  const auto key_id = jwk.find("kid");
  const std::optional<std::string> name = key_id ? key_id->string() : std::nullopt;
  if (name) title += " (kid \"" + name->substr(0, 64) + "\")";
  return title;
}

}  // namespace

std::vector<key_description> read_key_set(std::string_view text) {
  const json::document document(text);
  const auto keys = document.root().find("keys");
  if (!keys || !keys->is(json::kind::array))
    throw vrm::error("22023", "invalid key set")
        .detail("Member \"keys\" is not an array.")
        .hint(R"(A key set looks like {"keys": [{"kid": ..., "kty": ...}]}.)");

  std::vector<key_description> descriptions;
  std::size_t position = 0;
  for (const json::value& jwk : keys->elements()) {
    ++position;
    // RFC 7517 (4.2): it signs nothing, so it is no fault of the set.
    if (const auto use = jwk.find("use"); use && use->equals("enc")) continue;
    try {
      descriptions.push_back(describe_key(jwk));
    } catch (const vrm::error& e) {
      throw vrm::error("22023", "invalid key set")
          .detail(title_of(position, jwk) + ": " + e.detail())
          .hint(e.hint());
    }
    const auto same = [&](const key_description& other) {
      return other.key_id == descriptions.back().key_id;
    };
    // A token names its key by the kid alone: of two it could mean either.
    if (std::ranges::count_if(descriptions, same) > 1)
      throw vrm::error("22023", "invalid key set")
          .detail(title_of(position, jwk) + ": Another key of the set has the same \"kid\".")
          .hint("Leave one of them out, or import the set of the other issuer by itself.");
  }
  return descriptions;
}

}  // namespace vrm::jose
