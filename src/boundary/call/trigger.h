#pragma once

#include <array>

#include "boundary/call/function.h"

extern "C" {
#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
}

namespace pg {

/// One firing of a row trigger.
class trigger_call {
 public:
  /// Throws vrm::error 39P01 when the function is not called as a row trigger.
  explicit trigger_call(FunctionCallInfo fcinfo);

  /// Open, and locked by the statement, for as long as the trigger runs.
  [[nodiscard]] Relation relation() const noexcept { return data_->tg_relation; }

  /// The row as it is going to be: NEW; the row that goes, OLD, in a DELETE.
  [[nodiscard]] HeapTuple row() const noexcept {
    return TRIGGER_FIRED_BY_UPDATE(data_->tg_event) ? data_->tg_newtuple : data_->tg_trigtuple;
  }

  /// The row as it was: OLD; nullptr unless it is updated.
  [[nodiscard]] HeapTuple old_row() const noexcept {
    return TRIGGER_FIRED_BY_UPDATE(data_->tg_event) ? data_->tg_trigtuple : nullptr;
  }
  [[nodiscard]] bool is_insert() const noexcept { return TRIGGER_FIRED_BY_INSERT(data_->tg_event); }
  [[nodiscard]] bool is_delete() const noexcept { return TRIGGER_FIRED_BY_DELETE(data_->tg_event); }
  /// With the arguments and columns of CREATE TRIGGER.
  [[nodiscard]] const Trigger& trigger() const noexcept { return *data_->tg_trigger; }

  /// The function as the statement calls it, once a row: its fn_extra lasts for the statement.
  [[nodiscard]] FmgrInfo& function() const noexcept { return *function_; }

  /// NEW with one column, counted from 1, replaced.
  /// In the current memory context, where a trigger has to leave what it returns.
  [[nodiscard]] HeapTuple row_with(int column, Datum value) const;

  /// The same by name; throws vrm::error 42703 when the table has no such column.
  [[nodiscard]] HeapTuple row_with(const char* column, Datum value) const;

 private:
  TriggerData* data_;
  FmgrInfo* function_;
};

/// Calls a C++ row trigger for PostgreSQL; what it returns takes the row's place, and nullptr from
/// a BEFORE trigger leaves the row as if the statement had not met it.
template <auto Function>
struct binding_of<HeapTuple (*)(const trigger_call&), Function> {
  static constexpr std::array<Oid, 1> types = {TRIGGEROID};
  static constexpr bool strict = false;

  static Datum call(FunctionCallInfo fcinfo) {
    return detail::reporting(fcinfo,
                             [fcinfo] { return PointerGetDatum(Function(trigger_call(fcinfo))); });
  }
};

}  // namespace pg
