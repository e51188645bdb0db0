// What seals of the audit trail are made of: the hash of an entry, the root of their tree and the
// keyed hash that chains one seal to the next.
#include <algorithm>
#include <array>
#include <cstring>

#include "boundary/call/function.h"
#include "core/audit/merkle.h"
#include "core/platform/big_endian.h"
#include "core/platform/error.h"
#include "core/retention/row_digest.h"
#include "functions/accounts/lockout_policy.h"
#include "functions/platform/grants.h"

extern "C" {
#include "access/htup_details.h"
#include "utils/jsonb.h"
#include "utils/typcache.h"
}

namespace vrm::sql {

/// A row of any type.
struct row_view {
  HeapTupleHeader row;
};

}  // namespace vrm::sql

template <>
struct pg::datum_traits<vrm::sql::row_view> {
  static constexpr Oid oid = RECORDOID;
  static vrm::sql::row_view from(Datum datum) { return {DatumGetHeapTupleHeader(datum)}; }
};

namespace vrm::sql {
namespace {

/// On the stack of each call; entries have fewer.
constexpr std::size_t most_columns = 16;

struct column {
  const char* bytes;
  std::size_t size;
  std::uint64_t number;
  bool null;
};

/// Runs inside a guard.  jsonb as text: its stored form is of one machine.
column read_column(const FormData_pg_attribute& type, Datum value) {
  if (type.attbyval && type.attlen == 8) {
    return {
        .bytes = nullptr, .size = 8, .number = static_cast<std::uint64_t>(value), .null = false};
  }
  if (type.atttypid == NAMEOID) {
    const char* const name = NameStr(*DatumGetName(value));
    return {.bytes = name, .size = std::strlen(name), .number = 0, .null = false};
  }
  if (type.atttypid == JSONBOID) {
    Jsonb* const document = DatumGetJsonbP(value);
    const char* const text =
        JsonbToCString(nullptr, &document->root, static_cast<int>(VARSIZE(document)));
    return {.bytes = text, .size = std::strlen(text), .number = 0, .null = false};
  }
  if (type.attlen == -1) {
    const struct varlena* const packed = PG_DETOAST_DATUM_PACKED(value);
    return {.bytes = VARDATA_ANY(packed),
            .size = VARSIZE_ANY_EXHDR(packed),
            .number = 0,
            .null = false};
  }
  if (type.attbyval || type.attlen <= 0) {
    ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
            errmsg("column \"%s\" is of a type that entries do not have", NameStr(type.attname)));
  }
  return {.bytes = reinterpret_cast<const char*>(DatumGetPointer(value)),
          .size = static_cast<std::size_t>(type.attlen),
          .number = 0,
          .null = false};
}

/// The columns of a row; how many there are.
std::size_t read_columns(HeapTupleHeader row, std::span<column> columns) {
  return pg::guarded([&] {
    TupleDesc types =
        lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(row);
    tuple.t_data = row;
    const auto count = static_cast<std::size_t>(types->natts);
    for (std::size_t i = 0; i < std::min(count, columns.size()); ++i) {
      bool null = false;
      const int number = static_cast<int>(i);
      const Datum value = heap_getattr(&tuple, number + 1, types, &null);
      columns[i] = null ? column{.bytes = nullptr, .size = 0, .number = 0, .null = true}
                        : read_column(*TupleDescAttr(types, number), value);
    }
    ReleaseTupleDesc(types);
    return count;
  });
}

}  // namespace

/// Leaf of the Merkle tree: the columns of a row, each after its size.
vrm::sha256 audit_leaf(row_view entry) {
  std::array<column, most_columns> columns{};
  const std::size_t count = read_columns(entry.row, columns);
  if (count > columns.size()) throw vrm::error("54011", "an entry can have at most 16 columns");
  static vrm::row_digest digest;
  // RFC 6962, 2.1: a 0 before leaves, as a 1 before inner nodes.
  constexpr std::byte leaf{0};
  digest.begin();
  digest.append({&leaf, 1});
  for (const column& one : std::span(columns).first(count)) {
    if (one.null) {
      digest.add_null();
    } else if (one.bytes == nullptr) {
      // Big endian: a root must be the same on every machine.
      digest.add(vrm::to_big_endian(one.number));
    } else {
      digest.add(std::as_bytes(std::span(one.bytes, one.size)));
    }
  }
  return digest.finish();
}

vrm::sha256 merkle_root(std::span<const std::byte> leaves) { return vrm::merkle_root(leaves); }

/// Keyed hash of a seal, under the secret of this database.
std::span<const std::byte> audit_mac(std::span<const std::byte> message) {
  static vrm::lockout::mac mac;  // outlives the copy that the result makes
  mac = lockout_policy::hash().hash("vrm/audit/v1", message);
  return mac;
}

}  // namespace vrm::sql

PG_EXPORT(vrm_audit_leaf, vrm::sql::audit_leaf);
PG_EXPORT(vrm_merkle_root, vrm::sql::merkle_root);
PG_EXPORT_CHECKED(vrm_audit_mac, vrm::sql::require_grant, vrm::sql::audit_mac);
