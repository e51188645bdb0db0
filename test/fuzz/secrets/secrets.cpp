// What comes from outside: envelopes, master key files, row values, masked secrets.  None may
// crash; no envelope but a sealed one opens; what is read of a header is what is written of it.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/platform/error.h"
#include "core/secrets/data_key.h"
#include "core/secrets/keyring.h"
#include "core/secrets/record_text.h"
#include "core/secrets/transit.h"

namespace {

using bytes = std::vector<std::byte>;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Opens `envelope` if it is one; whether it opened.
bool opens(vrm::data_key& key, vrm::byte_view envelope, vrm::byte_view context) {
  const auto header = vrm::read_envelope_header(envelope, envelope.size());
  if (!header) return false;
  const auto head = vrm::write_envelope_header(*header);
  require(std::memcmp(head.data(), envelope.data(), head.size()) == 0);
  bytes plaintext(envelope.size() - vrm::envelope_overhead(header->cipher));
  return key.open(*header, context, envelope, plaintext);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static vrm::data_key key(vrm::secret_key::random());
  const auto input = std::as_bytes(std::span(data, size));
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  require(!opens(key, input, {}));
  require(!vrm::unwrap_key({"id", vrm::secret_key()}, "data", 1, input));

  // The input as plaintext and as context opens; with one byte changed by it, never.
  bytes envelope(size + vrm::envelope_overhead(vrm::algorithm::xaes_256_gcm));
  key.seal({.key_id = 1}, input, input, envelope);
  require(opens(key, envelope, input));
  if (size >= 2 && data[1] != 0) {
    envelope[data[0] % envelope.size()] ^= input[1];
    require(!opens(key, envelope, input));
  }

  bytes unmasked(size);
  require(size < vrm::transit_overhead || !vrm::unmask_secret(input, unmasked));
  static_cast<void>(vrm::split_record(text, 2));
  static_cast<void>(vrm::decode_key(text));
  try {
    require(!vrm::read_master_keys(text).empty());
  } catch (const vrm::error& e) {
    require(e.state() == vrm::sqlstate("F0000") && !e.hint().empty());
  }
  return 0;
}
