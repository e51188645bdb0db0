// Sealed values on their way to another database, which has keys of its own.
#include <optional>
#include <span>
#include <string>

#include "boundary/call/function.h"
#include "boundary/table/row_at.h"
#include "boundary/value/tuple.h"
#include "boundary/value/varlena.h"
#include "core/secrets/data_key.h"
#include "core/secrets/keyring.h"
#include "functions/platform/grants.h"
#include "functions/secrets/passing_plaintext.h"
#include "functions/secrets/sealed_column.h"
#include "functions/secrets/secret.h"
#include "functions/secrets/stored_value.h"

namespace vrm::sql {
namespace {

/// What two databases share for a transfer, 32 bytes in base64.
vrm::secret_key transfer_key(const secret& argument) {
  const unmasked text(argument);
  const auto key = vrm::decode_key(text.text());
  if (key) return *key;
  throw vrm::error("22023", "the transfer key is not 32 bytes in base64")
      .detail("It has " + std::to_string(text.text().size()) + " characters, not 44.")
      .hint("Make one in the shell: openssl rand -base64 32");
}

}  // namespace

/// The sealed column of the row at `place`, sealed for another database that is given the transfer
/// key, too; null where there is none.
std::optional<pg::bytea_result> seal_for_transfer(pg::relation_id table, pg::name_view column_name,
                                                  pg::tuple_address address, secret key,
                                                  std::span<const std::byte> context) {
  const vrm::secret_key shared = transfer_key(key);
  const pg::relation_scope relation(table);
  const sealed_column column = require_sealed(relation, column_name);
  const HeapTuple row = pg::row_at(relation.get(), address.place);
  if (row == nullptr) return std::nullopt;
  const auto value = value_in(column, RelationGetDescr(relation.get()), row);
  if (!value) return std::nullopt;
  passing_plaintext plaintext(value->envelope);
  if (!value->opens(column, plaintext)) keyring::throw_cannot_be_opened();
  const vrm::envelope_header header{.bound = vrm::binding::context,
                                    .key_id = vrm::key_id_of(shared)};
  const pg::bytea_result envelope(keyring::sealed_size(plaintext.bytes().size()));
  vrm::data_key(shared).seal(header, context, plaintext.bytes(), envelope.bytes());
  return envelope;
}

/// The way back: the value as the column holds it in this row, under the active key of this
/// database.  Of the row nothing but the primary key is looked at.
pg::bytea_result seal_from_transfer(pg::relation_id table, pg::name_view column_name,
                                    pg::any_row row, std::span<const std::byte> value, secret key,
                                    std::span<const std::byte> context) {
  const vrm::secret_key shared = transfer_key(key);
  const pg::relation_scope relation(table);
  const sealed_column column = require_sealed(relation, column_name);
  // Its columns are read by the table's descriptor, which fits no other type.
  if (HeapTupleHeaderGetTypeId(row.row) != relation.get()->rd_rel->reltype) {
    throw vrm::error("42804", "the row is not one of this table")
        .detail("The table is " + relation.quoted_name() + ".")
        .hint("SELECT ROW(NULL::" + relation.quoted_name() + ");");
  }
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(row.row);
  tuple.t_data = row.row;
  const row_binding bound = bind(column, &tuple, RelationGetDescr(relation.get()));
  const auto header = vrm::read_envelope_header(value, value.size());
  if (!header) keyring::throw_cannot_be_opened();
  passing_plaintext plaintext(value);
  vrm::data_key from(shared);
  if (!plaintext.opened(from, *header, context, value)) {
    throw vrm::error("22000", "the value does not open with this transfer key")
        .detail("It was exported with another one, or from another place.")
        .hint("SELECT vrm.export_tenant($1, transfer_key => $2);");
  }
  const pg::bytea_result envelope(keyring::sealed_size(plaintext.bytes().size()));
  keyring::seal(bound.binding(column), plaintext.bytes(), envelope.bytes());
  return envelope;
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_seal_for_transfer, vrm::sql::require_grant, vrm::sql::seal_for_transfer);
PG_EXPORT_CHECKED(vrm_seal_from_transfer, vrm::sql::require_grant, vrm::sql::seal_from_transfer);
