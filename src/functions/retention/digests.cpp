// The digest of a call's results: made once, when the call ends, so that archiving need not read
// them; the digest of an archived row is of it and not of the results.
#include <optional>
#include <string_view>

#include "boundary/call/trigger.h"
#include "boundary/table/row_mover.h"
#include "boundary/value/jsonb.h"
#include "functions/retention/retention.h"

namespace vrm::sql {
namespace {

/// Made once in a backend: fetching the algorithm costs more than a document of some kilobytes.
sha256 digest_of(byte_view document) {
  static sha256_digest digest;
  digest.begin();
  digest.append(document);
  return digest.finish();
}

struct stored {
  Datum value;
  bool null;

  /// Whether both are the same bytes where they lie, hence the same value; nothing is detoasted.
  [[nodiscard]] bool is(const stored& other) const {
    if (null || other.null) return null == other.null;
    const auto bytes = [](Datum of) {
      return std::string_view(static_cast<const char*>(DatumGetPointer(of)),
                              VARSIZE_ANY(DatumGetPointer(of)));
    };
    return bytes(value) == bytes(other.value);
  }
};

stored column_of(HeapTuple row, TupleDesc columns, int number) {
  stored found{};
  found.value = heap_getattr(row, number + 1, columns, &found.null);
  return found;
}

}  // namespace

sha256 digest_of_results(std::optional<Datum> results) {
  if (!results) return digest_of({});
  return digest_of(
      std::as_bytes(std::span(pg::guarded([&] { return pg::detail::payload(*results); }))));
}

sha256 document_digest(std::optional<pg::jsonb> document) {
  if (!document) return digest_of_results(std::nullopt);
  return digest_of_results(pg::datum_traits<pg::jsonb>::to(*document));
}

/// BEFORE INSERT OR UPDATE: whatever the statement says of the digest, it is that of the results.
HeapTuple digest_results(const pg::trigger_call& call) {
  const TupleDesc columns = RelationGetDescr(call.relation());
  const int results = pg::column_number(columns, "results");
  const int digest = pg::column_number(columns, "results_sha256");
  const stored document = column_of(call.row(), columns, results);
  const stored said = column_of(call.row(), columns, digest);
  if (call.old_row() != nullptr) {
    const stored known = column_of(call.old_row(), columns, digest);
    // A call that has ended has one only of the results that are there.
    const int completed_at = pg::column_number(columns, "completed_at");
    if (!known.null && !column_of(call.old_row(), columns, completed_at).null &&
        document.is(column_of(call.old_row(), columns, results)) && said.is(known)) {
      return call.row();
    }
  }
  const sha256 made =
      digest_of_results(document.null ? std::nullopt : std::optional(document.value));
  return call.row_with(digest + 1, pg::datum_traits<sha256>::to(made));
}

}  // namespace vrm::sql

PG_EXPORT(vrm_document_digest, vrm::sql::document_digest);
PG_EXPORT(vrm_digest_results, vrm::sql::digest_results);
