#pragma once

#include <optional>

#include "core/secrets/envelope.h"
#include "functions/secrets/passing_plaintext.h"
#include "functions/secrets/sealed_column.h"

namespace vrm::sql {

/// A value in a row that somebody asks about, and what binds it there.
struct stored_value {
  byte_view envelope;
  std::optional<vrm::envelope_header> header;
  row_binding row;

  /// Whether it opens where it is; one that nobody has bound yet opens anywhere.
  [[nodiscard]] bool opens(const sealed_column& column, passing_plaintext& plaintext) const {
    const bool is_free = header && header->bound == vrm::binding::none;
    return plaintext.opened(is_free ? keyring::binding_of{} : row.binding(column), envelope);
  }
};

/// Nothing when the column is null.
[[nodiscard]] inline std::optional<stored_value> value_in(const sealed_column& column,
                                                          TupleDesc descriptor, HeapTuple row) {
  const auto envelope = envelope_in(column, descriptor, row);
  if (!envelope) return std::nullopt;
  return stored_value{.envelope = *envelope,
                      .header = vrm::read_envelope_header(*envelope, envelope->size()),
                      .row = bind(column, row, descriptor)};
}

}  // namespace vrm::sql
