#pragma once

#include "boundary/value/jsonb_builder.h"

namespace pg {

/// Puts a value of any type into a document that is being made, as a client reads it without
/// knowing PostgreSQL: numbers as numbers, the length of an interval in seconds, rows as objects,
/// arrays as arrays, moments in ISO 8601, types with a cast to jsonb as that says, everything else
/// as its text.
///
/// May raise an ERROR, as the builder does.  What it makes lives in the current memory context, and
/// the document looks into `value` until it is finished.
void put_json_of(jsonb_builder& document, Datum value, Oid type);

}  // namespace pg
