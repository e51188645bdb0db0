// Sealed values as SQL sees them.
#include <optional>

#include "core/envelope.h"
#include "pg/detoast.h"
#include "pg/function.h"

namespace vrm::sql {
namespace {

using envelope_head = pg::bytea_head<vrm::envelope_header_size>;

std::optional<vrm::envelope_header> header_of(const envelope_head& value) {
  return vrm::read_envelope_header(value.bytes, value.total_size);
}

}  // namespace

bool is_sealed(envelope_head value) { return header_of(value).has_value(); }

/// The id of the key that the value was sealed with; null when it is no envelope.
std::optional<std::int64_t> key_of(envelope_head value) {
  const auto header = header_of(value);
  return header ? std::optional(header->key_id) : std::nullopt;
}

}  // namespace vrm::sql

VRM_EXPORT(vrm_is_sealed, vrm::sql::is_sealed);
VRM_EXPORT(vrm_key_of, vrm::sql::key_of);
