// Reads and writes the envelope header; refuses whatever version 1 does not define, so that the
// undefined stays free for later versions.
#include "core/secrets/envelope.h"

#include <algorithm>

#include "core/platform/big_endian.h"

namespace vrm {
namespace {

constexpr std::byte magic{0xF9};
constexpr std::byte flag_per_subject{0x01};

}  // namespace

std::optional<envelope_header> read_envelope_header(byte_view head,
                                                    std::size_t total_size) noexcept {
  if (head.size() < envelope_header_size || head[0] != magic) return std::nullopt;

  envelope_header header;
  if (head[1] == std::byte{1}) {
    header.cipher = algorithm::xaes_256_gcm;
  } else if (head[1] == std::byte{2}) {
    header.cipher = algorithm::aes_256_gcm;
  } else {
    return std::nullopt;
  }

  // Undefined bindings and flags: a later version may give them a meaning.
  if (head[2] > std::byte{2} || (head[3] & ~flag_per_subject) != std::byte{0}) return std::nullopt;
  header.bound = static_cast<binding>(head[2]);
  header.per_subject = head[3] == flag_per_subject;

  header.key_id = static_cast<std::int64_t>(from_big_endian(head.subspan(4)));

  if (header.key_id <= 0 || total_size < envelope_overhead(header.cipher)) return std::nullopt;
  return header;
}

std::array<std::byte, envelope_header_size> write_envelope_header(
    const envelope_header& header) noexcept {
  std::array<std::byte, envelope_header_size> head{};
  head[0] = magic;
  head[1] = static_cast<std::byte>(header.cipher);
  head[2] = static_cast<std::byte>(header.bound);
  head[3] = header.per_subject ? flag_per_subject : std::byte{0};
  std::ranges::copy(to_big_endian(static_cast<std::uint64_t>(header.key_id)), &head[4]);
  return head;
}

}  // namespace vrm
