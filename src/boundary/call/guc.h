#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>

#include "boundary/backend.h"
#include "core/platform/error.h"

extern "C" {
#include "utils/guc.h"
}

/// Custom settings, each defined once by _PG_init through the topic it belongs to.
namespace pg {

/// Who may change a setting, and where; see GucContext and GUC_* in PostgreSQL's guc.h.
struct setting_rules {
  GucContext context = PGC_USERSET;
  int flags = 0;
};

/// guc.c keeps pointers to `description` and `variable`: both last as long as the process.
inline void define_setting(const char* name, const char* description, bool& variable, bool initial,
                           setting_rules rules) {
  DefineCustomBoolVariable(name, description, nullptr, &variable, initial, rules.context,
                           rules.flags, nullptr, nullptr, nullptr);
}

/// Both ends are allowed values.
struct range {
  int least;
  int most;
};

inline void define_setting(const char* name, const char* description, int& variable, int initial,
                           range allowed, setting_rules rules) {
  DefineCustomIntVariable(name, description, nullptr, &variable, initial, allowed.least,
                          allowed.most, rules.context, rules.flags, nullptr, nullptr, nullptr);
}

/// What `variable` points to is allocated and freed by guc.c.
inline void define_setting(const char* name, const char* description, const char*& variable,
                           const char* initial, setting_rules rules,
                           GucStringCheckHook check = nullptr,
                           GucStringAssignHook assign = nullptr) {
  DefineCustomStringVariable(name, description, nullptr, const_cast<char**>(&variable), initial,
                             rules.context, rules.flags, check, assign, nullptr);
}

/// Whether a setting that nobody has defined yet holds a value of the session: one that was set in
/// an earlier transaction, perhaps by another client of a pooler.
[[nodiscard]] bool has_session_value(const char* name);

/// A text setting that is parsed when it is set, not when it is read.
///
/// PostgreSQL keeps what `Parse` returns beside the text (as "extra") and moves both together
/// through SET LOCAL, savepoints, rollback and into parallel workers, so that reading it costs a
/// load.  `Parse` takes the text and where it comes from; what it throws refuses the value, whose
/// text is not repeated in the error.  A value that an earlier transaction has left to the session
/// before the module was loaded is dropped: `Parse` could not have refused it then.
template <auto Parse>
class parsed_setting {
 public:
  /// What PostgreSQL keeps as "extra"; an empty text has none.
  using parsed = std::invoke_result_t<decltype(Parse), std::string_view, GucSource>;
  static_assert(std::is_trivially_copyable_v<parsed>, "PostgreSQL frees it without a destructor");

  /// `keeps_session_value`: what the session holds already may stay, if `Parse` takes it.
  static void define(const char* name, const char* description, setting_rules rules,
                     bool keeps_session_value = false) {
    drops_session_value_ = !keeps_session_value && has_session_value(name);
    // Defining replays what the placeholder held, so check() runs in here, with the flag up.
    define_setting(name, description, text_, "", rules, check, assign);
    drops_session_value_ = false;
  }

  /// The value as parsed; nullptr while the text is empty.
  [[nodiscard]] static const parsed* value() noexcept { return value_; }
  /// The text as it was set, empty at first.  Good until the setting changes.
  [[nodiscard]] static const char* text() noexcept { return text_; }

  /// Goes up each time a value is put in place, also by rollback.
  [[nodiscard]] static std::uint64_t generation() noexcept { return generation_; }

 private:
  /// What guc.c will release: free() before PostgreSQL 16, a memory context since.
  static void* allocate_extra() noexcept {
#if PG_VERSION_NUM >= 160000
    return guc_malloc(LOG, sizeof(parsed));
#else
    return std::malloc(sizeof(parsed));
#endif
  }

  /// guc.c calls it outside of transactions as well: no table may be read here.
  static bool check(char** text, void** extra, GucSource source) {
    *extra = nullptr;
    if (*text == nullptr || **text == '\0') return true;
    if (drops_session_value_ && source == PGC_S_SESSION) {
      drops_session_value_ = false;  // values of this transaction follow, and may stay
      **text = '\0';
      return true;
    }
    const char* message = "value refused";
    const char* detail = nullptr;
    int code = ERRCODE_INVALID_PARAMETER_VALUE;
    try {
      const parsed value = Parse(*text, source);
      *extra = allocate_extra();
      if (*extra != nullptr) std::memcpy(*extra, &value, sizeof value);
      return *extra != nullptr;
    } catch (const vrm::error& e) {
      // Both handlers copy into the current memory context: the exception's own text goes with it.
      code = e.state().packed();
      message = copy(e.what());
      if (!e.detail().empty()) detail = copy(e.detail().c_str());
    } catch (const std::exception& e) {
      message = copy(e.what());
    }
    // these may jump, so not in the handlers
    GUC_check_errcode(code);
    if (message != nullptr) GUC_check_errmsg("%s", message);
    if (detail != nullptr) GUC_check_errdetail("%s", detail);
    return false;
  }

  /// Never raises an ERROR, which would jump out of a handler; nullptr when memory is short.
  static const char* copy(const char* text) noexcept {
    const std::size_t size = std::strlen(text) + 1;
    void* block = MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_NO_OOM);
    return block == nullptr ? nullptr : static_cast<char*>(std::memcpy(block, text, size));
  }

  /// Must not fail: by now guc.c has decided, and other settings may have changed along.
  static void assign(const char* /*text*/, void* extra) {
    value_ = static_cast<const parsed*>(extra);
    ++generation_;
  }

  // guc.c owns what both pointers lead to and frees it with the next value: read, but never kept.
  static inline const char* text_ = nullptr;
  static inline const parsed* value_ = nullptr;
  static inline std::uint64_t generation_ = 0;  ///< of values, since the module was loaded
  static inline bool drops_session_value_ = false;
};

}  // namespace pg
