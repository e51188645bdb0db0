// Sealing and opening against published vectors, and what must never open or repeat.
#include "core/secrets/data_key.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "core/platform/random.h"
#include "vectors.h"

namespace vrm {
namespace {

using test::from_hex;
using test::read_vectors;
using bytes = std::vector<std::byte>;

bytes of(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

secret_key example_key() {
  secret_key key;
  for (std::size_t i = 0; i < key_size; ++i) key.bytes()[i] = static_cast<std::byte>(i);
  return key;
}

bytes seal(data_key& key, const envelope_header& header, std::string_view context,
           std::string_view plaintext) {
  bytes envelope(plaintext.size() + envelope_overhead(header.cipher));
  key.seal(header, of(context), of(plaintext), envelope);
  return envelope;
}

/// What opens; nothing when it does not.
std::optional<bytes> open(data_key& key, const bytes& envelope, std::string_view context) {
  const auto header = read_envelope_header(envelope, envelope.size());
  if (!header) return std::nullopt;
  bytes plaintext(envelope.size() - envelope_overhead(header->cipher));
  if (!key.open(*header, of(context), envelope, plaintext)) return std::nullopt;
  return plaintext;
}

class published : public testing::TestWithParam<const char*> {};

TEST_P(published, vectors_open_and_seal_alike) {
  for (const auto& vector : read_vectors(GetParam())) {
    SCOPED_TRACE(vector.at("Case"));
    data_key key{secret_key(from_hex(vector.at("Key")))};
    const bytes nonce = from_hex(vector.at("Nonce"));
    const bytes associated = from_hex(vector.at("Associated"));
    const bytes sealed = from_hex(vector.at("Ciphertext") + vector.at("Tag"));
    bytes plaintext(sealed.size() - envelope_tag_size);

    if (vector.contains("FAIL")) {
      EXPECT_FALSE(key.decrypt(nonce, associated, sealed, plaintext));
      EXPECT_EQ(plaintext, bytes(plaintext.size())) << "a forgery leaves nothing behind";
      continue;
    }
    ASSERT_TRUE(key.decrypt(nonce, associated, sealed, plaintext));
    EXPECT_EQ(plaintext, from_hex(vector.at("Plaintext")));

    bytes again(sealed.size());
    key.encrypt(nonce, associated, plaintext, again);
    EXPECT_EQ(again, sealed);
  }
}

INSTANTIATE_TEST_SUITE_P(data_key, published,
                         testing::Values("nist_cavp_gcm.txt", "c2sp_xaes_256_gcm.txt"));

/// The specification's randomized test: 10,000 keys, nonces, texts and associated data from
/// SHAKE-128 of nothing, and a SHAKE-128 of all that is sealed.
TEST(xaes_256_gcm, passes_the_accumulated_test_of_its_specification) {
  const auto shake = [](const bytes& input, std::size_t size) {
    bytes output(size);
    const openssl::digest_context context(EVP_MD_CTX_new());
    openssl::require(
        EVP_DigestInit_ex(context.get(), EVP_shake128(), nullptr) == 1 &&
            EVP_DigestUpdate(context.get(), input.data(), input.size()) == 1 &&
            EVP_DigestFinalXOF(context.get(), openssl::data(std::span(output)), size) == 1,
        "run SHAKE-128");
    return output;
  };
  constexpr int rounds = 10000;
  const bytes stream = shake({}, rounds * (32 + 24 + 2 * 256));
  std::size_t position = 0;
  const auto read = [&](std::size_t size) {
    return byte_view(stream).subspan(std::exchange(position, position + size), size);
  };
  const auto read_counted = [&] { return read(std::to_integer<std::size_t>(read(1)[0])); };

  bytes all;
  for (int round = 0; round < rounds; ++round) {
    data_key key{secret_key(read(32))};
    const byte_view nonce = read(24);
    const byte_view plaintext = read_counted();
    const byte_view associated = read_counted();
    bytes sealed(plaintext.size() + envelope_tag_size);
    key.encrypt(nonce, associated, plaintext, sealed);
    all.insert(all.end(), sealed.begin(), sealed.end());
  }
  EXPECT_EQ(shake(all, 32),
            from_hex("e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"));
}

// Both values were computed with python3-cryptography.
TEST(secret_key, has_the_documented_id) {
  EXPECT_EQ(key_id_of(example_key()), 8494812157298494300);
}

TEST(secret_key, derives_subject_keys_with_kbkdf) {
  bytes salt(subject_salt_size);
  for (std::size_t i = 0; i < salt.size(); ++i) salt[i] = static_cast<std::byte>(100 + i);
  const secret_key derived = derive_subject_key(example_key(), salt);
  EXPECT_EQ(bytes(derived.bytes().begin(), derived.bytes().end()),
            from_hex("2bd8966e84c45f0d795d360618553fb92dffcb7fc7527e4cba3100ada2c9c249"));
}

TEST(secret_key, is_32_bytes) {
  EXPECT_THROW(secret_key(bytes(31)), error);
  EXPECT_THROW(secret_key(bytes(33)), error);
}

TEST(data_key, opens_what_it_sealed_whatever_the_size) {
  data_key key(example_key());
  for (const auto cipher : {algorithm::xaes_256_gcm, algorithm::aes_256_gcm}) {
    for (const std::size_t size : {0U, 1U, 15U, 16U, 40U, 4096U, 1000000U}) {
      const std::string plaintext(size, 'x');
      const bytes envelope = seal(key, {.cipher = cipher, .key_id = 1}, "context", plaintext);
      EXPECT_EQ(open(key, envelope, "context"), of(plaintext)) << size;
    }
  }
}

TEST(data_key, opens_values_of_many_prefixes_in_any_order) {
  data_key reader(example_key());
  std::vector<bytes> envelopes;
  for (int writer = 0; writer < 3; ++writer) {
    data_key other(example_key());
    for (int i = 0; i < 2; ++i) envelopes.push_back(seal(other, {.key_id = 1}, "", "text"));
  }
  for (const std::size_t i : {0U, 2U, 4U, 1U, 3U, 5U, 0U}) {
    EXPECT_EQ(open(reader, envelopes[i], ""), of("text"));
  }
}

TEST(data_key, every_flipped_bit_is_noticed) {
  data_key key(example_key());
  const bytes envelope =
      seal(key, {.bound = binding::row, .per_subject = true, .key_id = 5}, "row 1", "a secret");
  for (std::size_t bit = 0; bit < envelope.size() * 8; ++bit) {
    bytes flipped = envelope;
    flipped[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    EXPECT_EQ(open(key, flipped, "row 1"), std::nullopt) << "bit " << bit;
  }
  EXPECT_EQ(open(key, envelope, "row 1"), of("a secret")) << "failures must leave the key usable";
}

TEST(data_key, every_truncation_is_noticed) {
  data_key key(example_key());
  const bytes envelope = seal(key, {.key_id = 5}, "", "a secret");
  for (std::size_t size = 0; size < envelope.size(); ++size) {
    EXPECT_EQ(open(key, {envelope.begin(), envelope.begin() + static_cast<long>(size)}, ""),
              std::nullopt)
        << size;
  }
}

TEST(data_key, other_contexts_and_keys_do_not_open) {
  data_key key(example_key());
  data_key other(derive_subject_key(example_key(), bytes(subject_salt_size)));
  const bytes envelope = seal(key, {.bound = binding::context, .key_id = 5}, "here", "a secret");
  for (const char* context : {"", "her", "heree", "there"}) {
    EXPECT_EQ(open(key, envelope, context), std::nullopt) << context;
  }
  EXPECT_EQ(open(other, envelope, "here"), std::nullopt);
}

std::set<bytes> nonces(data_key& key, int count) {
  std::set<bytes> seen;
  for (int i = 0; i < count; ++i) {
    const bytes envelope = seal(key, {.key_id = 1}, "", "");
    seen.emplace(envelope.begin() + 12, envelope.begin() + 36);
  }
  return seen;
}

TEST(data_key, never_repeats_a_nonce) {
  data_key key(example_key());
  EXPECT_EQ(nonces(key, 200000).size(), 200000U);
}

TEST(data_key, changes_the_first_half_of_the_nonce_after_65536_values) {
  data_key key(example_key());
  std::set<bytes> prefixes;
  for (const bytes& nonce : nonces(key, 65536 + 1)) {
    prefixes.emplace(nonce.begin(), nonce.begin() + 12);
  }
  EXPECT_EQ(prefixes.size(), 2U);
}

/// What a forked child draws from state that its parent has filled.
TEST(random, differs_in_a_forked_child) {
  data_key key(example_key());
  nonces(key, 1);  // now the batch and the prefix are drawn
  constexpr int children = 3;
  constexpr int draws = 100;
  std::set<bytes> all;
  for (int child = 0; child < children; ++child) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      for (const bytes& nonce : nonces(key, draws)) {
        if (write(ends[1], nonce.data(), nonce.size()) != 24) _exit(1);
      }
      _exit(0);
    }
    close(ends[1]);
    for (bytes nonce(24); read(ends[0], nonce.data(), 24) == 24;) all.insert(nonce);
    close(ends[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (const bytes& nonce : nonces(key, draws)) all.insert(nonce);
  EXPECT_EQ(all.size(), static_cast<std::size_t>((children + 1) * draws));

  std::set<bytes> prefixes;
  for (const bytes& nonce : all) prefixes.emplace(nonce.begin(), nonce.begin() + 12);
  EXPECT_EQ(prefixes.size(), static_cast<std::size_t>(children + 1));
}

TEST(random, fills_large_requests) {
  bytes large(100000);
  random_bytes(large);
  EXPECT_GT(std::ranges::count_if(large, [](std::byte b) { return b != std::byte{0}; }), 99000);
}

}  // namespace
}  // namespace vrm
