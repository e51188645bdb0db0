// Key sets from strangers: either keys that can be used, or 22023 or 22P02 with a DETAIL.
#include <cstdlib>

#include "core/identity/jwk.h"
#include "core/platform/error.h"

namespace {

void read(std::string_view text) {
  using namespace vrm::jose;
  try {
    for (const key_description& key : read_key_set(text)) {
      if (key.public_jwk.empty()) continue;
      // what we keep has to read back as the key it was
      const vrm::json::document document(key.public_jwk);
      const verification_key again(document.root());
      if (again.type() != key.type || again.verifies("message", {})) std::abort();
    }
  } catch (const vrm::error& e) {
    const bool expected =
        e.state() == vrm::sqlstate("22023") || e.state() == vrm::sqlstate("22P02");
    if (!expected || e.detail().empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  read(input);
  // the same bytes as members of a key, so that the fuzzer need not find its way there
  for (const char* const type : {"RSA", "EC", "OKP", "oct"})
    read(R"({"keys": [{"kid": "k", "kty": ")" + std::string(type) + R"(", )" + std::string(input) +
         "}]}");
  return 0;
}
