#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "boundary/table/relation.h"
#include "boundary/value/varlena.h"
#include "core/secrets/envelope.h"
#include "functions/secrets/keyring.h"

extern "C" {
#include "access/htup_details.h"
#include "utils/rel.h"
}

/// Columns whose values open only in their own row.
///
/// The trigger is the registration that counts.  Its argument is the column's id, its column list
/// names the sealed column first; PostgreSQL keeps the list right when columns are renamed or a
/// dump is restored.  A value's context is the column's id, then for each column of the primary key
/// a byte for its type and its value (doc/secrets/secrets.md).
namespace vrm::sql {

using vrm::byte_view;

inline constexpr std::size_t most_key_columns = 8;

/// A sealed column, as trivially destructible as a guard wants it.
struct sealed_column {
  vrm::uuid id;
  AttrNumber attribute;
  bool per_subject;  ///< the first column of the primary key is the subject
  std::size_t key_count;
  std::array<AttrNumber, most_key_columns> key;
  std::array<Oid, most_key_columns> key_types;
};

/// Reads of `relation` and its trigger what binds the column.  Runs inside a guard.
sealed_column describe(Relation relation, const Trigger& trigger);

[[nodiscard]] Oid bind_trigger_function();

/// The column's trigger among those of the table.
[[nodiscard]] std::optional<sealed_column> find_column(Relation relation, AttrNumber attribute);

/// The sealed column of this name; SQLSTATE 55000 when it is none.
[[nodiscard]] sealed_column require_column(const pg::relation_scope& relation,
                                           pg::relation_id table, pg::name_view column_name);

/// The context of one row, and whose it is.
class row_binding {
 public:
  void start(const sealed_column& column) {
    context_.reserve(64);
    append(column.id.bytes.data(), column.id.bytes.size());
  }

  /// Appends one column of the primary key.
  void add(const sealed_column& column, std::size_t position, Datum value);

  [[nodiscard]] keyring::binding_of binding(const sealed_column& column) const noexcept {
    return {.bound = vrm::binding::row,
            .context = context_,
            .subject = column.per_subject && subject_ ? &*subject_ : nullptr};
  }

  friend bool operator==(const row_binding&, const row_binding&) = default;

 private:
  static std::int64_t integer(Oid type, Datum value) noexcept {
    return type == INT2OID   ? DatumGetInt16(value)
           : type == INT4OID ? DatumGetInt32(value)
                             : DatumGetInt64(value);
  }
  void append(const void* data, std::size_t size) {
    const auto bytes = std::span(static_cast<const std::byte*>(data), size);
    context_.insert(context_.end(), bytes.begin(), bytes.end());
  }
  void append_number(std::uint64_t number, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) {
      context_.push_back(static_cast<std::byte>(number >> (8 * i) & 0xFF));
    }
  }

  std::vector<std::byte> context_;
  std::optional<vrm::uuid> subject_;
};

[[nodiscard]] row_binding bind(const sealed_column& column, HeapTuple row, TupleDesc descriptor);

/// Plaintext on its way from one envelope to another.
class passing_plaintext {
 public:
  explicit passing_plaintext(byte_view envelope) {  // NOLINT(*-member-init): small_ is costly
    const std::size_t size = keyring::opened_size(envelope);
    if (size > small_.size()) large_.resize(size);
    bytes_ = size > small_.size() ? std::span(large_) : std::span(small_).first(size);
  }
  ~passing_plaintext() { vrm::openssl::wipe(bytes_); }
  passing_plaintext(const passing_plaintext&) = delete;
  passing_plaintext& operator=(const passing_plaintext&) = delete;

  [[nodiscard]] byte_view bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool opened(const keyring::binding_of& binding, byte_view envelope) {
    return keyring::try_open(binding, envelope, bytes_);
  }
  [[nodiscard]] bool opened(vrm::data_key& key, const vrm::envelope_header& header,
                            byte_view context, byte_view envelope) {
    return key.open(header, context, envelope, bytes_);
  }
  [[nodiscard]] Datum sealed(const keyring::binding_of& binding) const {
    const pg::bytea_result envelope(keyring::sealed_size(bytes_.size()));
    keyring::seal(binding, bytes_, envelope.bytes());
    return envelope.datum();
  }

 private:
  std::array<std::byte, 256> small_;
  std::vector<std::byte> large_;
  std::span<std::byte> bytes_;
};

/// What the column holds in this row; nothing when it is null.
[[nodiscard]] std::optional<byte_view> envelope_in(const sealed_column& column,
                                                   TupleDesc descriptor, HeapTuple row);

/// A value in a row that somebody asks about, and what binds it there.
struct stored_value {
  byte_view envelope;
  std::optional<vrm::envelope_header> header;
  row_binding row;

  [[nodiscard]] bool opens(const sealed_column& column, passing_plaintext& plaintext) const {
    const bool is_free = header && header->bound == vrm::binding::none;
    return plaintext.opened(is_free ? keyring::binding_of{} : row.binding(column), envelope);
  }
};

/// Nothing when the column is null.
[[nodiscard]] std::optional<stored_value> value_in(const sealed_column& column,
                                                   TupleDesc descriptor, HeapTuple row);

}  // namespace vrm::sql
