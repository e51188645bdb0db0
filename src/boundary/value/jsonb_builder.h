#pragma once

/// Makes jsonb.  Every call may raise an ERROR: builders live inside guarded().

#include <cstdint>
#include <string_view>

#include "boundary/value/jsonb.h"
#include "boundary/value/jsonb_state.h"

namespace pg {

/// Takes a document in its own order: a container's beginning, names and values, its end.  It is
/// allocated in whatever memory context is current with each call.
class jsonb_builder {
 public:
  void begin_object() { push(WJB_BEGIN_OBJECT, nullptr); }
  void end_object() { push(WJB_END_OBJECT, nullptr); }
  void begin_array() { push(WJB_BEGIN_ARRAY, nullptr); }
  void end_array() { push(WJB_END_ARRAY, nullptr); }

  /// The name of the member that comes next.  The last of several members of one name counts.
  /// Names and texts are looked at again by finish(): they have to live until then.
  void name(std::string_view text) {
    JsonbValue value = string_value(text);
    push(WJB_KEY, &value);
    named_ = true;
  }

  void null() {
    JsonbValue value{};
    value.type = jbvNull;
    put(value);
  }
  void boolean(bool truth) {
    JsonbValue value{};
    value.type = jbvBool;
    value.val.boolean = truth;
    put(value);
  }
  void number(std::int64_t whole) {
    JsonbValue value{};
    value.type = jbvNumeric;
    value.val.numeric = int64_to_numeric(whole);
    put(value);
  }
  /// A numeric that is neither infinite nor NaN.
  void numeric(Datum number) {
    JsonbValue value{};
    value.type = jbvNumeric;
    value.val.numeric = DatumGetNumeric(number);
    put(value);
  }
  void string(std::string_view text) { put(string_value(text)); }
  /// Of any jsonb that lives until finish(): a container is taken apart and put together again.
  void copy(const jsonb_value& existing) { put(existing.for_backend()); }

  void member(std::string_view its_name, std::string_view text) {
    name(its_name);
    string(text);
  }
  void member(std::string_view its_name, const jsonb_value& existing) {
    name(its_name);
    copy(existing);
  }

  /// The document, once its outermost container has ended.
  [[nodiscard]] Datum finish() const { return state_.finish(); }

 private:
  static JsonbValue string_value(std::string_view text) noexcept {
    JsonbValue value{};
    value.type = jbvString;
    value.val.string.val = const_cast<char*>(text.data());
    value.val.string.len = static_cast<int>(text.size());
    return value;
  }
  void push(JsonbIteratorToken token, JsonbValue* value) {
    state_.push(token, value);
    named_ = false;
  }
  void put(JsonbValue value) { push(named_ ? WJB_VALUE : WJB_ELEM, &value); }

  jsonb_state state_;
  bool named_ = false;
};

}  // namespace pg
