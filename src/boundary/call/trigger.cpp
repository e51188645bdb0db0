#include "boundary/call/trigger.h"

#include <string>

#include "core/platform/error.h"

namespace pg {

trigger_call::trigger_call(FunctionCallInfo fcinfo)
    : data_(reinterpret_cast<TriggerData*>(fcinfo->context)), function_(fcinfo->flinfo) {
  if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(data_->tg_event)) {
    throw vrm::error("39P01", "the function can only be called as a row trigger")
        .hint("CREATE TRIGGER ... FOR EACH ROW EXECUTE FUNCTION ...");
  }
}

HeapTuple trigger_call::row_with(int column, Datum value) const {
  return guarded([&] {
    int replaced = column;
    Datum replacement = value;
    bool null = false;
    return heap_modify_tuple_by_cols(row(), RelationGetDescr(data_->tg_relation), 1, &replaced,
                                     &replacement, &null);
  });
}

HeapTuple trigger_call::row_with(const char* column, Datum value) const {
  const int number = SPI_fnumber(RelationGetDescr(data_->tg_relation), column);
  if (number <= 0) {
    const std::string name = column;
    throw vrm::error("42703", "column \"" + name + "\" does not exist")
        .detail(std::string("Table: ") + RelationGetRelationName(data_->tg_relation) + ".")
        .hint("ALTER TABLE ... ADD COLUMN " + name + " timestamptz NOT NULL DEFAULT now();");
  }
  return row_with(number, value);
}

}  // namespace pg
