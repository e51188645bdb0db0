#include "boundary/value/json_of.h"

extern "C" {
#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "utils/array.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

// Everything here runs inside guarded(): no C++ object may need destroying.
namespace pg {
namespace {

/// In the current memory context.
std::string_view output_of(Datum value, Oid type) {
  Oid function = InvalidOid;
  bool is_varlena = false;
  getTypeOutputInfo(type, &function, &is_varlena);
  return OidOutputFunctionCall(function, value);
}

/// JSON has no infinity and no NaN; they are strings.
void put_numeric(jsonb_builder& document, Datum number) {
  if (numeric_is_nan(DatumGetNumeric(number)) || numeric_is_inf(DatumGetNumeric(number))) {
    document.string(output_of(number, NUMERICOID));
  } else {
    document.numeric(number);
  }
}

/// By its shortest text: the cast to numeric would keep 15 digits.
void put_float(jsonb_builder& document, Datum value, Oid type) {
  const char* const text = output_of(value, type).data();
  put_numeric(document, DirectFunctionCall3(numeric_in, CStringGetDatum(text),
                                            ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

void put_seconds(jsonb_builder& document, Datum interval) {
  const Datum part = PointerGetDatum(cstring_to_text("epoch"));
  const Datum seconds = DirectFunctionCall2(extract_interval, part, interval);
  put_numeric(document, DirectFunctionCall1(numeric_trim_scale, seconds));
}

/// ISO 8601; a timestamptz with the offset of the session's time zone.
void put_moment(jsonb_builder& document, Datum value, Oid type) {
  auto* const text = static_cast<char*>(palloc(MAXDATELEN + 1));
  document.string(JsonEncodeDateTime(text, value, type, nullptr));
}

void put_array(jsonb_builder& document, Datum value, Oid element) {
  ArrayType* const array = DatumGetArrayTypeP(value);
  int16 size = 0;
  bool by_value = false;
  char alignment = 0;
  get_typlenbyvalalign(element, &size, &by_value, &alignment);
  Datum* elements = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(array, element, size, by_value, alignment, &elements, &nulls, &count);
  document.begin_array();
  for (int i = 0; i < count; ++i) {
    if (nulls[i]) {
      document.null();
    } else {
      put_json_of(document, elements[i], element);
    }
  }
  document.end_array();
}

void put_row(jsonb_builder& document, Datum value) {
  HeapTupleHeader const row = DatumGetHeapTupleHeader(value);
  const TupleDesc columns =
      lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(row);
  tuple.t_data = row;
  document.begin_object();
  for (int i = 0; i < columns->natts; ++i) {
    const Form_pg_attribute column = TupleDescAttr(columns, i);
    if (column->attisdropped) continue;
    bool null = false;
    const Datum field = heap_getattr(&tuple, i + 1, columns, &null);
    // A copy, because the descriptor may go before the document is finished.
    document.name(pstrdup(NameStr(column->attname)));
    if (null) {
      document.null();
    } else {
      put_json_of(document, field, column->atttypid);
    }
  }
  document.end_object();
  ReleaseTupleDesc(columns);
}

void put_other(jsonb_builder& document, Datum value, Oid type) {
  const Oid element = get_element_type(type);
  if (OidIsValid(element)) {
    put_array(document, value, element);
  } else if (type_is_rowtype(type)) {
    put_row(document, value);
  } else {
    document.string(output_of(value, type));
  }
}

}  // namespace

void put_json_of(jsonb_builder& document, Datum value, Oid type) {
  check_stack_depth();
  // Domains are written as the type below them.
  const Oid base = getBaseType(type);
  switch (base) {
    case VOIDOID:
      // What a function without a result gives.
      document.null();
      break;
    case BOOLOID:
      document.boolean(DatumGetBool(value));
      break;
    case INT2OID:
      document.number(DatumGetInt16(value));
      break;
    case INT4OID:
      document.number(DatumGetInt32(value));
      break;
    case INT8OID:
      document.number(DatumGetInt64(value));
      break;
    case NUMERICOID:
      put_numeric(document, value);
      break;
    case FLOAT4OID:
    case FLOAT8OID:
      put_float(document, value, base);
      break;
    case INTERVALOID:
      put_seconds(document, value);
      break;
    case DATEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
      put_moment(document, value, base);
      break;
    case JSONBOID:
      document.copy(datum_traits<jsonb>::from(value).root());
      break;
    case TEXTOID:
    case VARCHAROID:
      document.string(detail::payload(value));
      break;
    default:
      put_other(document, value, base);
      break;
  }
}

}  // namespace pg
