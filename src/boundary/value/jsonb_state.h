#pragma once

#include "boundary/backend.h"

extern "C" {
#include "utils/jsonb.h"
}

namespace pg {

/// What a jsonb is put together in, token by token.  Runs inside a guard.
class jsonb_state {
 public:
  void push(JsonbIteratorToken token, JsonbValue* value) {
#if PG_VERSION_NUM >= 190000
    pushJsonbValue(&state_, token, value);
#else
    result_ = pushJsonbValue(&state_, token, value);
#endif
  }

  /// Once the outermost container has ended.
  [[nodiscard]] Datum finish() const {
#if PG_VERSION_NUM >= 190000
    return JsonbPGetDatum(JsonbValueToJsonb(state_.result));
#else
    return JsonbPGetDatum(JsonbValueToJsonb(result_));
#endif
  }

 private:
#if PG_VERSION_NUM >= 190000
  JsonbInState state_{};
#else
  JsonbParseState* state_ = nullptr;
  JsonbValue* result_ = nullptr;
#endif
};

}  // namespace pg
