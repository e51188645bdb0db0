// What the archive needs to know of a row: its digest, and in which block it lies.
#include <memory>

#include "core/error.h"
#include "core/row_digest.h"
#include "pg/procedure.h"
#include "pg/tuple.h"

namespace vrm::sql {
namespace {

/// Made once in a backend: fetching the algorithm costs more than a row.
row_digest& digest_of_rows() {
  static row_digest digest;
  return digest;
}

/// Number of a column by its name; throws vrm::error 42703.
int column_number(TupleDesc columns, std::string_view name) {
  for (int i = 0; i < columns->natts; ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(columns, i);
    if (!column->attisdropped && name == NameStr(column->attname)) return i;
  }
  throw vrm::error("42703", "column \"" + std::string(name) + "\" does not exist")
      .hint("Name columns of the row.");
}

}  // namespace

std::array<std::byte, 32> row_digest_of(pg::any_row value, pg::text_array names) {
  struct state {
    TupleDesc columns;
    Datum* values;
    bool* nulls;
    Datum* wanted;
    bool* wanted_null;
    int count;
  } row{};
  pg::guarded([&] {
    row.columns = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(value.row),
                                              HeapTupleHeaderGetTypMod(value.row));
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(value.row);
    tuple.t_data = value.row;
    const auto size = static_cast<Size>(row.columns->natts);
    row.values = static_cast<Datum*>(palloc(size * sizeof(Datum)));
    row.nulls = static_cast<bool*>(palloc(size * sizeof(bool)));
    heap_deform_tuple(&tuple, row.columns, row.values, row.nulls);
    deconstruct_array(names.array, TEXTOID, -1, false, TYPALIGN_INT, &row.wanted, &row.wanted_null,
                      &row.count);
  });

  row_digest& digest = digest_of_rows();
  digest.begin();
  for (int i = 0; i < row.count; ++i) {
    if (row.wanted_null[i]) continue;
    const auto name = pg::guarded([&] { return pg::detail::payload(row.wanted[i]); });
    const int number = column_number(row.columns, name);
    if (row.nulls[number]) {
      digest.add_null();
      continue;
    }
    Datum scratch{};
    const auto bytes = pg::guarded([&] {
      return pg::bytes_of(row.values[number], *TupleDescAttr(row.columns, number), scratch);
    });
    digest.add(bytes);
  }
  return digest.finish();
}

std::int64_t tuple_block(pg::tuple_address tuple) {
  return static_cast<std::int64_t>(ItemPointerGetBlockNumberNoCheck(&tuple.place));
}

}  // namespace vrm::sql

VRM_EXPORT(vrm_row_digest, vrm::sql::row_digest_of);
VRM_EXPORT(vrm_tuple_block, vrm::sql::tuple_block);
