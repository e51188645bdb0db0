#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "boundary/call/spi.h"

namespace pg {

/// An argument of a statement: a value of the type that it stands for, or null.
struct argument {
  Datum value = Datum{0};  ///< without meaning for null
  bool null = true;

  argument() = default;
  argument(Datum datum, bool is_null) noexcept : value(datum), null(is_null) {}

  /// What T passes by reference is copied to the current memory context.
  template <typename T>
  explicit(false) argument(const T& from)  // NOLINT(google-explicit-constructor)
      : value(datum_traits<T>::to(from)), null(false) {}
  template <typename T>
  explicit(false) argument(const std::optional<T>& from) : null(!from) {
    if (from) value = datum_traits<T>::to(*from);
  }
};

/// A statement that a backend plans once, for any arguments, and keeps.
///
/// Runs inside an spi_session, which then has its rows.  Names are qualified or the search_path is
/// pinned, because the plan is made anew when that has changed.
/// Objects have static storage: the plan hangs on them, and is never freed.
template <std::size_t Arguments>
class statement {
 public:
  /// `sql` is a literal: it has to last as long as the object.
  constexpr statement(const char* sql, std::array<Oid, Arguments> types)
      : text_(sql), types_(types) {}

  /// The number of rows processed.
  std::uint64_t run(const std::array<argument, Arguments>& arguments) {
    return guarded([&] {
      if (plan_ == nullptr) prepare();
      std::array<Datum, Arguments + 1> values{};
      std::array<char, Arguments + 1> nulls{};
      for (std::size_t i = 0; i < Arguments; ++i) {
        values[i] = arguments[i].value;
        nulls[i] = arguments[i].null ? 'n' : ' ';
      }
      // Not read only: each run takes a snapshot, and so sees what the one before has done.
      SPI_execute_plan(plan_, values.data(), nulls.data(), false, 0);
      return SPI_processed;
    });
  }

 private:
  void prepare() {
    const SPIPlanPtr made =
        SPI_prepare_cursor(text_, Arguments, types_.data(), CURSOR_OPT_GENERIC_PLAN);
    if (made == nullptr) elog(ERROR, "could not plan: %s", text_);
    SPI_keepplan(made);
    // Not before it is kept: after an ERROR on the way the next run has to plan anew.
    plan_ = made;
  }

  const char* text_;
  std::array<Oid, Arguments> types_;
  SPIPlanPtr plan_ = nullptr;  ///< made when first run; nullptr before
};

}  // namespace pg
