// AES-256-GCM and XAES-256-GCM on OpenSSL's EVP interface, arranged so that a small value costs
// one GCM pass: ciphers are fetched once, contexts and key schedules are kept, and the subkey of
// XAES is derived anew only when the first half of the nonce changes.
#include "core/secrets/data_key.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/platform/big_endian.h"
#include "core/platform/digest.h"
#include "core/platform/random.h"

namespace vrm {
namespace {

/// With one first half for 2^16 values, 2^48 values of one key are 2^32 subkeys of 2^16 random
/// 96-bit nonces each: a collision stays below 2^-32 (the bound of the XAES specification).
constexpr std::uint32_t values_per_prefix = 1U << 16;

const EVP_CIPHER* fetched(const char* name) {
  openssl::cipher cipher(EVP_CIPHER_fetch(nullptr, name, nullptr));
  openssl::require(cipher != nullptr, "find a cipher");
  return cipher.release();  // for the life of the process
}

const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const cipher = fetched("AES-256-GCM");
  return cipher;
}

const EVP_CIPHER* aes_256_block() {
  static const EVP_CIPHER* const cipher = fetched("AES-256-ECB");
  return cipher;
}

openssl::cipher_context new_context() {
  openssl::cipher_context context(EVP_CIPHER_CTX_new());
  openssl::require(context != nullptr, "make a cipher context");
  return context;
}

/// Sets any of cipher, key and nonce; what is nullptr stays.
void set(EVP_CIPHER_CTX* context, bool encrypting, const EVP_CIPHER* cipher,
         const unsigned char* key, const unsigned char* nonce) {
  openssl::require(
      EVP_CipherInit_ex2(context, cipher, key, nonce, encrypting ? 1 : 0, nullptr) == 1,
      "set up a cipher");
}

/// Feeds `in` in parts that an int can count.  `out` is nullptr for associated data.
bool update(EVP_CIPHER_CTX* context, byte_view in, std::byte* out) {
  // Whole blocks, so that the cipher holds nothing back at the end of a part.
  constexpr std::size_t most = std::numeric_limits<int>::max() & ~0xFFFF;
  int written = 0;
  while (!in.empty()) {
    const std::size_t size = std::min(in.size(), most);
    if (EVP_CipherUpdate(context, reinterpret_cast<unsigned char*>(out), &written,
                         openssl::data(in), static_cast<int>(size)) != 1) {
      return false;
    }
    in = in.subspan(size);
    if (out != nullptr) out += size;
  }
  return true;
}

/// The associated data of an envelope: its header, then the context.
class associated_data {
 public:
  associated_data(byte_view header, byte_view context) {  // NOLINT(*-member-init): small_ is costly
    std::byte* bytes = small_.data();
    const std::size_t size = header.size() + context.size();
    if (size > small_.size()) {
      large_ = std::make_unique<std::byte[]>(size);
      bytes = large_.get();
    }
    std::memcpy(bytes, header.data(), header.size());
    if (!context.empty()) std::memcpy(bytes + header.size(), context.data(), context.size());
    view_ = {bytes, size};
  }
  [[nodiscard]] byte_view view() const noexcept { return view_; }

 private:
  std::array<std::byte, 128> small_;
  std::unique_ptr<std::byte[]> large_;
  byte_view view_;
};

}  // namespace

secret_key::secret_key(byte_view bytes) {
  if (bytes.size() != key_size) {
    throw error("22023", "a key must be 32 bytes long")
        .detail("This one is " + std::to_string(bytes.size()) + " bytes long.")
        .hint("Make one in a shell: openssl rand -base64 32");
  }
  std::ranges::copy(bytes, bytes_.begin());
}

secret_key secret_key::random() {
  secret_key key;
  openssl::require(RAND_priv_bytes(openssl::data(key.bytes()), key_size) == 1, "draw a key");
  return key;
}

/// A hash, so it may be stored and shown: it says nothing of the key.
std::int64_t key_id_of(const secret_key& key) {
  const sha256 hash = sha256_of({bytes_of("vrm/key-id/v1"), key.bytes()});
  const std::uint64_t id = from_big_endian(hash) & std::numeric_limits<std::int64_t>::max();
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(id));
}

secret_key derive_subject_key(const secret_key& key, byte_view salt) {
  static const openssl::kdf kbkdf(EVP_KDF_fetch(nullptr, "KBKDF", nullptr));
  const openssl::kdf_context context(EVP_KDF_CTX_new(kbkdf.get()));
  openssl::require(kbkdf != nullptr && context != nullptr, "find KBKDF");

  // OSSL_PARAM serves both ways, hence takes no const; KBKDF only reads these.
  // NOLINTBEGIN(cppcoreguidelines-pro-type-const-cast)
  const auto text = [](const char* name, const char* value) {
    return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
  };
  const auto bytes = [](const char* name, const void* value, std::size_t size) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<void*>(value), size);
  };
  // NOLINTEND(cppcoreguidelines-pro-type-const-cast)
  static constexpr std::string_view label = "vrm/subject/v1";
  const std::array params = {
      text(OSSL_KDF_PARAM_MODE, "counter"),
      text(OSSL_KDF_PARAM_MAC, "CMAC"),
      text(OSSL_KDF_PARAM_CIPHER, "AES-256-CBC"),
      bytes(OSSL_KDF_PARAM_KEY, key.bytes().data(), key_size),
      // OpenSSL's names: its salt is the label of SP 800-108, its info the context.
      bytes(OSSL_KDF_PARAM_SALT, label.data(), label.size()),
      bytes(OSSL_KDF_PARAM_INFO, salt.data(), salt.size()),
      OSSL_PARAM_construct_end(),
  };
  secret_key derived;
  openssl::require(
      EVP_KDF_derive(context.get(), openssl::data(derived.bytes()), key_size, params.data()) == 1,
      "derive a subject key");
  return derived;
}

data_key::data_key(const secret_key& key) : key_(key), block_(new_context()) {
  encrypting_.derived = new_context();
  decrypting_.derived = new_context();
  set(encrypting_.derived.get(), true, aes_256_gcm(), nullptr, nullptr);
  set(decrypting_.derived.get(), false, aes_256_gcm(), nullptr, nullptr);

  set(block_.get(), true, aes_256_block(), openssl::data(key_.bytes()), nullptr);
  // Single blocks: padding would add one.
  EVP_CIPHER_CTX_set_padding(block_.get(), 0);
  const std::array<std::byte, 16> zero{};
  openssl::require(update(block_.get(), zero, mask_.data()), "derive a mask");

  // Doubling in GF(2^128), as CMAC does (NIST SP 800-38B, 6.1).
  const bool carry = (mask_[0] & std::byte{0x80}) != std::byte{0};
  for (std::size_t i = 0; i < 15; ++i) mask_[i] = mask_[i] << 1 | mask_[i + 1] >> 7;
  mask_[15] <<= 1;
  if (carry) mask_[15] ^= std::byte{0x87};
}

/// Kx of the XAES specification.
secret_key data_key::subkey(byte_view prefix) {
  std::array<std::byte, 32> blocks{};
  for (const std::size_t counter : {0U, 1U}) {
    const auto block = std::span(blocks).subspan(16 * counter, 16);
    block[1] = static_cast<std::byte>(counter + 1);
    // The specification's order: counter, "X", a zero byte, then the prefix.
    block[2] = std::byte{'X'};
    std::ranges::copy(prefix, block.begin() + 4);
    for (std::size_t i = 0; i < 16; ++i) block[i] ^= mask_[i];
  }
  secret_key derived;
  openssl::require(update(block_.get(), blocks, derived.bytes().data()), "derive a subkey");
  return derived;
}

// Setting up a key is dear beside sealing a short value.  Values that are opened together were
// mostly sealed with one prefix (see draw_nonce()), so the subkey of the last one is kept, one for
// each direction.  `has_prefix` is false while it is replaced: when OpenSSL fails in between, the
// prefix must not stand for a subkey that was not set.
EVP_CIPHER_CTX* data_key::prepare(direction& way, bool encrypting, byte_view nonce) {
  if (nonce.size() == 12) {
    if (way.plain == nullptr) {
      // Kept once it has its key: without one it would pass for ready the next time.
      auto fresh = new_context();
      set(fresh.get(), encrypting, aes_256_gcm(), openssl::data(key_.bytes()), nullptr);
      way.plain = std::move(fresh);
    }
    set(way.plain.get(), encrypting, nullptr, nullptr, openssl::data(nonce));
    return way.plain.get();
  }

  const byte_view prefix = nonce.first(12);
  if (!way.has_prefix || !std::ranges::equal(prefix, way.prefix)) [[unlikely]] {
    way.has_prefix = false;
    const secret_key derived = subkey(prefix);
    set(way.derived.get(), encrypting, nullptr, openssl::data(derived.bytes()), nullptr);
    std::ranges::copy(prefix, way.prefix.begin());
    way.has_prefix = true;
  }
  set(way.derived.get(), encrypting, nullptr, nullptr, openssl::data(nonce.subspan(12)));
  return way.derived.get();
}

void data_key::encrypt(byte_view nonce, byte_view associated, byte_view plaintext,
                       std::span<std::byte> sealed) {
  // In place where the caller has put it there: GCM reads each byte before it writes it.
  EVP_CIPHER_CTX* const context = prepare(encrypting_, true, nonce);
  int written = 0;
  openssl::require(update(context, associated, nullptr) &&
                       update(context, plaintext, sealed.data()) &&
                       EVP_CipherFinal_ex(context, nullptr, &written) == 1 &&
                       EVP_CIPHER_CTX_get_params(context, tag_parameter_.data()) == 1,
                   "seal a value");
  std::ranges::copy(tag_, sealed.last(tag_.size()).begin());
}

bool data_key::decrypt(byte_view nonce, byte_view associated, byte_view sealed,
                       std::span<std::byte> plaintext) {
  EVP_CIPHER_CTX* const context = prepare(decrypting_, false, nonce);
  const byte_view ciphertext = sealed.first(sealed.size() - envelope_tag_size);
  std::ranges::copy(sealed.last(tag_.size()), tag_.begin());
  int written = 0;
  const bool authentic = update(context, associated, nullptr) &&
                         update(context, ciphertext, plaintext.data()) &&
                         // The tag is set after the data: OpenSSL wants it only for the last step.
                         EVP_CIPHER_CTX_set_params(context, tag_parameter_.data()) == 1 &&
                         EVP_CipherFinal_ex(context, nullptr, &written) == 1;
  // GCM decrypts before it knows: what was written so far is not to be looked at by anybody.
  if (!authentic) [[unlikely]] {
    openssl::wipe(plaintext);
    ERR_clear_error();
  }
  return authentic;
}

void data_key::draw_nonce(std::span<std::byte> nonce) {
  if (nonce.size() == prefix_.size()) {
    random_bytes(nonce);
    return;
  }
  // XAES nonces are 24 random bytes, of which the first 12 choose the subkey.  They are drawn anew
  // only now and then; under one subkey the other 12 are random each time, and values_per_prefix
  // keeps collisions of those out of reach.  After fork() both processes would go on with the same
  // prefix, which random halves allow for, but a fresh one costs nothing.
  if (prefix_left_ == 0 || prefix_drawn_in_ != fork_generation()) [[unlikely]] {
    prefix_left_ = 0;
    random_bytes(prefix_);
    prefix_left_ = values_per_prefix;
    prefix_drawn_in_ = fork_generation();
  }
  --prefix_left_;
  std::ranges::copy(prefix_, nonce.begin());
  random_bytes(nonce.subspan(prefix_.size()));
}

void data_key::seal(const envelope_header& header, byte_view context, byte_view plaintext,
                    std::span<std::byte> envelope) {
  const auto head = write_envelope_header(header);
  std::ranges::copy(head, envelope.begin());
  const auto nonce = envelope.subspan(envelope_header_size, nonce_size(header.cipher));
  draw_nonce(nonce);
  const associated_data associated(head, context);
  encrypt(nonce, associated.view(), plaintext,
          envelope.subspan(envelope_header_size + nonce.size()));
}

bool data_key::open(const envelope_header& header, byte_view context, byte_view envelope,
                    std::span<std::byte> plaintext) {
  const byte_view nonce = envelope.subspan(envelope_header_size, nonce_size(header.cipher));
  const associated_data associated(envelope.first(envelope_header_size), context);
  return decrypt(nonce, associated.view(), envelope.subspan(envelope_header_size + nonce.size()),
                 plaintext);
}

}  // namespace vrm
