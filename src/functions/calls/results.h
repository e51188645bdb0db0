#pragma once

#include <cstdint>
#include <optional>

#include "boundary/call/spi.h"
#include "boundary/value/jsonb.h"
#include "core/platform/uuid.h"

namespace vrm::sql {

/// What an application says of a call with its results and what has columns of its own.
struct call_facts_given {
  std::optional<std::string_view> source;
  std::optional<std::string_view> external_id;
  std::optional<std::string_view> direction;
  std::optional<std::string_view> outcome;
  std::optional<std::string_view> ended_reason;
  std::optional<std::string_view> currency;
  std::optional<Datum> cost;  ///< numeric
};

/// An object without its members that are null.
[[nodiscard]] pg::jsonb without_nulls(const pg::jsonb& document);

/// Throws 22023 when the document cannot be a call's results; a member that is null is
/// wrong.
void check_results(const pg::jsonb& given);

/// Throws 22023 for an outcome of no vocabulary.  Needs an spi_session.
/// The views look into `given`, which has to outlive them.
[[nodiscard]] call_facts_given read_given(const pg::jsonb& given);

/// A document, and which rows it stands for from now on.
struct folded {
  Datum document;    ///< jsonb
  bool had_turns;    ///< there are rows of vrm.transcript_turns ...
  bool had_actions;  ///< ... and of vrm.run_actions, which it replaces
};

/// The results of a call that ends: what was appended and what the application brings, in the
/// source document's shape.  Needs an spi_session.
/// Given lists are refused (22023) where rows of theirs were appended already: two sources of one
/// list would leave open which turns are the same.
[[nodiscard]] folded fold_results(const vrm::uuid& owner, const vrm::uuid& run,
                                  const std::optional<pg::jsonb>& given, std::int64_t elapsed_ms);

/// The results of a call with what a later report brings.  What is null, or an empty list, takes
/// nothing away.  A turn that begins when one of the same role did takes its place, others come
/// between; the same holds for actions.  Where times are not known to the millisecond, a list takes
/// the place of the other as a whole.  Insights take the place of those of the same type.
[[nodiscard]] Datum merge_results(const pg::jsonb& before, const pg::jsonb& given);

/// Throws 54000 when the document is larger than a call's results may be.
void check_size(Datum document);

}  // namespace vrm::sql
