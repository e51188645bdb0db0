#include "core/accounts/access_token.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>

#include <array>
#include <memory>
#include <vector>

#include "core/platform/base64.h"
#include "core/platform/digest.h"
#include "core/platform/error.h"
#include "core/platform/json_writer.h"
#include "core/platform/openssl.h"

namespace vrm::jose {
namespace {

using bio = std::unique_ptr<BIO, openssl::deleter<BIO_free_all>>;
using big_number = std::unique_ptr<BIGNUM, openssl::deleter<BN_free>>;
using ecdsa_signature = std::unique_ptr<ECDSA_SIG, openssl::deleter<ECDSA_SIG_free>>;

/// Of P-256.  RFC 7518 has coordinates (6.2.1.2) and both halves of a signature (3.4) of full size,
/// zeros in front.
constexpr int coordinate_size = 32;

std::string coordinate(const openssl::key& key, const char* name) {
  BIGNUM* value = nullptr;
  openssl::require(EVP_PKEY_get_bn_param(key.get(), name, &value) == 1, "read a public key");
  const big_number owner(value);
  std::string bytes(coordinate_size, '\0');
  openssl::require(BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()),
                                coordinate_size) == coordinate_size,
                   "read a public key");
  return encode_base64url(bytes);
}

/// r || s, as tokens have it, from OpenSSL's DER.
std::string raw_signature(std::span<const unsigned char> der) {
  const unsigned char* start = der.data();
  const ecdsa_signature parsed(d2i_ECDSA_SIG(nullptr, &start, static_cast<long>(der.size())));
  std::array<unsigned char, std::size_t{2} * coordinate_size> raw{};
  openssl::require(
      parsed != nullptr &&
          BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), raw.data(), coordinate_size) > 0 &&
          BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), raw.data() + coordinate_size,
                       coordinate_size) > 0,
      "read a signature");
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

}  // namespace

key_pair make_key_pair() {
  const openssl::key key(EVP_EC_gen("P-256"));
  // Memory of BIO_s_secmem() is cleared when it is freed.
  const bio memory(BIO_new(BIO_s_secmem()));
  openssl::require(key != nullptr && memory != nullptr &&
                       PEM_write_bio_PKCS8PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0,
                                                     nullptr, nullptr) == 1,
                   "make a signing key");
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  const std::string x = coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X);
  const std::string y = coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y);
  // RFC 7638 hashes the members that make up the key, in the order of their names.
  const std::string members = json::object_writer()
                                  .string("crv", "P-256")
                                  .string("kty", "EC")
                                  .string("x", x)
                                  .string("y", y)
                                  .close();
  const std::string key_id = encode_base64url(text_of(sha256_of({bytes_of(members)})));
  return {.key_id = key_id,
          .private_key = std::string(text, static_cast<std::size_t>(size)),
          .public_jwk = json::object_writer()
                            .string("kid", key_id)
                            .string("alg", "ES256")
                            .string("use", "sig")
                            .string("crv", "P-256")
                            .string("kty", "EC")
                            .string("x", x)
                            .string("y", y)
                            .close()};
}

std::string sign_token(std::string_view private_key, std::string_view key_id,
                       std::string_view claims) {
  const bio memory(BIO_new_mem_buf(private_key.data(), static_cast<int>(private_key.size())));
  const openssl::key key(memory == nullptr
                             ? nullptr
                             : PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
  if (key == nullptr || EVP_PKEY_is_a(key.get(), "EC") != 1) {
    // OpenSSL keeps errors for the whole process: nobody else is to find this one.
    ERR_clear_error();
    throw error("22023", "the signing key cannot be read")
        .hint("Delete its row, a new one is made: DELETE FROM vrm_private.token_keys;");
  }
  const std::string header = json::object_writer()
                                 .string("alg", "ES256")
                                 .string("typ", "JWT")
                                 .string("kid", key_id)
                                 .close();
  std::string token = encode_base64url(header) + "." + encode_base64url(claims);
  const openssl::digest_context context(EVP_MD_CTX_new());
  // Two numbers of 32 bytes have at most 72 in DER.
  std::array<unsigned char, 80> der{};
  std::size_t size = der.size();
  openssl::require(
      context != nullptr &&
          EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(),
                                nullptr) == 1 &&
          EVP_DigestSign(context.get(), der.data(), &size,
                         reinterpret_cast<const unsigned char*>(token.data()), token.size()) == 1,
      "sign a token");
  return token + "." + encode_base64url(raw_signature(std::span(der).first(size)));
}

}  // namespace vrm::jose
