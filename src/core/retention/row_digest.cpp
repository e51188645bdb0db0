#include "core/retention/row_digest.h"

#include <algorithm>
#include <limits>
#include <ranges>

namespace vrm {

row_digest::row_digest()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  openssl::require(algorithm_ != nullptr && context_ != nullptr, "provide SHA-256");
}

void row_digest::begin() {
  openssl::require(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1,
                   "begin a SHA-256 digest");
}

void row_digest::add_null() { add_size(std::numeric_limits<std::uint64_t>::max()); }

void row_digest::add(std::span<const std::byte> value) {
  add_size(value.size());
  append(value);
}

sha256 row_digest::finish() {
  sha256 digest;
  openssl::require(
      EVP_DigestFinal_ex(context_.get(), openssl::data(std::span<std::byte>(digest)), nullptr) == 1,
      "finish a SHA-256 digest");
  return digest;
}

void row_digest::add_size(std::uint64_t size) {
  std::array<std::byte, 8> bytes{};
  for (std::byte& byte : std::views::reverse(bytes)) {
    byte = static_cast<std::byte>(size & 0xFF);
    size >>= 8;
  }
  append(bytes);
}

void row_digest::append(std::span<const std::byte> bytes) {
  openssl::require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1,
                   "continue a SHA-256 digest");
}

sha256 digest_of_set(std::vector<sha256> rows) {
  std::ranges::sort(rows);
  row_digest digest;
  digest.begin();
  digest.append(std::as_bytes(std::span(rows)));
  return digest.finish();
}

}  // namespace vrm
