// Moves calls to the archive, and what the archive needs to know of a row: its digest, and in which
// block it lies.
#include <algorithm>
#include <optional>
#include <vector>

#include "boundary/call/procedure.h"
#include "boundary/table/row_mover.h"
#include "boundary/value/record.h"
#include "boundary/value/tuple.h"
#include "core/platform/error.h"
#include "core/retention/row_digest.h"
#include "functions/platform/grants.h"
#include "functions/retention/retention.h"

namespace vrm::sql {
namespace {

/// Made once in a backend: fetching the algorithm costs more than a row.
row_digest& digest_of_rows() {
  static row_digest digest;
  return digest;
}

/// The numbers of the columns that have those names, from 0, in their order.
std::vector<int> column_numbers(TupleDesc columns, pg::text_array names) {
  struct {
    Datum* elements;
    int count;
  } wanted{};
  // An array with a null is an ERROR 22004: no column has such a name.
  pg::guarded([&] {
    deconstruct_array(names.array, TEXTOID, -1, false, TYPALIGN_INT, &wanted.elements, nullptr,
                      &wanted.count);
  });
  std::vector<int> numbers;
  for (const Datum name : std::span(wanted.elements, static_cast<std::size_t>(wanted.count))) {
    numbers.push_back(
        pg::column_number(columns, pg::guarded([&] { return pg::detail::payload(name); })));
  }
  return numbers;
}

/// Digest of some columns of a row.
sha256 digest_of(TupleDesc columns, const std::vector<int>& numbers, const Datum* values,
                 const bool* nulls) {
  row_digest& digest = digest_of_rows();
  digest.begin();
  for (const int number : numbers) {
    if (nulls[number]) {
      digest.add_null();
      continue;
    }
    Datum scratch{};
    // Decompressed: how a value happens to be stored must not change the digest.
    const auto bytes = pg::guarded(
        [&] { return pg::bytes_of(values[number], *TupleDescAttr(columns, number), scratch); });
    digest.add(bytes);
  }
  return digest.finish();
}

struct moved_names {
  static constexpr std::array<const char*, 6> columns = {"row_count",   "oldest", "newest",
                                                         "rows_sha256", "users",  "ids"};
};
using moved_rows =
    pg::named_record<moved_names, std::int64_t, std::optional<pg::timestamp>,
                     std::optional<pg::timestamp>, sha256, std::vector<uuid>, std::vector<uuid>>;

}  // namespace

sha256 row_digest_of(pg::any_row value, pg::text_array names) {
  struct {
    TupleDesc columns;
    Datum* values;
    bool* nulls;
  } row{};
  pg::guarded([&] {
    // A copy, which needs no release: an ERROR further on would leave a reference behind.
    row.columns = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(value.row),
                                              HeapTupleHeaderGetTypMod(value.row));
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(value.row);
    tuple.t_data = value.row;
    const auto size = static_cast<Size>(row.columns->natts);
    row.values = static_cast<Datum*>(palloc(size * sizeof(Datum)));
    row.nulls = static_cast<bool*>(palloc(size * sizeof(bool)));
    heap_deform_tuple(&tuple, row.columns, row.values, row.nulls);
  });
  return digest_of(row.columns, column_numbers(row.columns, names), row.values, row.nulls);
}

moved_rows archive_rows(pg::relation_id live, pg::relation_id archive, pg::tuple_addresses rows,
                        pg::text_array covered, pg::timestamp archived_at, std::int64_t batch_id) {
  pg::row_mover mover(live, archive,
                      {{"archived_at", pg::datum_traits<pg::timestamp>::to(archived_at)},
                       {"batch_id", pg::datum_traits<std::int64_t>::to(batch_id)}});
  const std::vector<int> numbers = column_numbers(mover.descriptor(), covered);
  const auto user_id = static_cast<std::size_t>(mover.column("user_id"));
  const auto id = static_cast<std::size_t>(mover.column("id"));
  const auto completed_at = static_cast<std::size_t>(mover.column("completed_at"));
  const auto results = static_cast<std::size_t>(mover.column("results"));
  const auto results_sha256 = static_cast<std::size_t>(mover.column("results_sha256"));

  std::vector<sha256> digests;
  std::vector<uuid> users;
  std::vector<uuid> ids;
  std::optional<pg::timestamp> oldest;
  std::optional<pg::timestamp> newest;
  for (const Datum place : rows.places) {
    pg::check_for_interrupts();
    // What others hold or have changed stays, and is seen again by a later batch.
    if (!mover.take(pg::tuple_addresses::at(place))) continue;
    const auto values = mover.values();
    {
      // What is decompressed for the digest goes with the row.
      const pg::context_scope temporary(mover.scratch());
      if (mover.nulls()[results_sha256]) {  // the call has ended under 1.0.0
        const sha256 made = digest_of_results(
            mover.nulls()[results] ? std::nullopt : std::optional(values[results]));
        mover.set(results_sha256, pg::datum_traits<sha256>::to(made));
      }
      digests.push_back(
          digest_of(mover.descriptor(), numbers, values.data(), mover.nulls().data()));
    }
    users.push_back(pg::datum_traits<uuid>::from(values[user_id]));
    ids.push_back(pg::datum_traits<uuid>::from(values[id]));
    const auto completed = pg::datum_traits<pg::timestamp>::from(values[completed_at]);
    oldest = std::min(oldest.value_or(completed), completed);
    newest = std::max(newest.value_or(completed), completed);
    mover.put();
  }
  mover.finish();
  const auto count = static_cast<std::int64_t>(ids.size());
  return {
      {count, oldest, newest, digest_of_set(std::move(digests)), std::move(users), std::move(ids)}};
}

std::int64_t tuple_block(pg::tuple_address tuple) {
  return static_cast<std::int64_t>(ItemPointerGetBlockNumberNoCheck(&tuple.place));
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_archive_rows, vrm::sql::require_grant, vrm::sql::archive_rows);
PG_EXPORT(vrm_row_digest, vrm::sql::row_digest_of);
PG_EXPORT(vrm_tuple_block, vrm::sql::tuple_block);
