#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "boundary/error/guard.h"
#include "boundary/value/datum.h"

extern "C" {
#include "executor/spi.h"
}

namespace pg {

/// A connection to SPI for the length of a scope; queries of `spi_session` run inside it.
///
/// Callers pin the search_path or qualify every name: queries run as the current user.
class spi_session {
 public:
  spi_session() {
    guarded([] { SPI_connect(); });
  }
  ~spi_session() { SPI_finish(); }
  spi_session(const spi_session&) = delete;
  spi_session& operator=(const spi_session&) = delete;

  /// Runs one command, whatever it returns; the number of rows processed.
  /// With a snapshot of its own, so it sees what this transaction has written before.
  std::uint64_t execute(const char* command) const {
    return guarded([&] {
      SPI_execute(command, false, 0);
      return SPI_processed;
    });
  }

  /// Runs one command with arguments.
  /// None of `args` may be null; statement.h has arguments that may.
  template <typename... Args>
  std::uint64_t execute(const char* command, const Args&... args) const {
    run<Args...>(command, false, 0, args...);
    return SPI_processed;
  }

  /// Runs a read-only query with the snapshot of the calling statement; the number of its rows.
  /// Not what the statement itself has changed: no new snapshot is taken.
  std::uint64_t query(const char* text) const {
    return guarded([&] {
      SPI_execute(text, true, 0);
      return SPI_processed;
    });
  }

  /// First column of the first row of a read-only query; nothing when there is no row or it is
  /// null.  A T of views would dangle: take std::string.
  template <typename T, typename... Args>
  [[nodiscard]] std::optional<T> value(const char* query, const Args&... args) const {
    run<Args...>(query, true, 1, args...);
    if (SPI_processed == 0) return std::nullopt;
    return column<T>(0, 1);
  }

  /// Column `number` (from 1) of row `row` (from 0) of the last query; good until the session ends.
  /// A row or column that is not there is an ERROR: what a caller takes for granted may have been
  /// deleted meanwhile.
  [[nodiscard]] std::optional<Datum> datum(std::uint64_t row, int number) const {
    bool null = false;
    const Datum value = guarded([&] {
      if (SPI_tuptable == nullptr || row >= SPI_tuptable->numvals || number < 1 ||
          number > SPI_tuptable->tupdesc->natts) {
        ereport(ERROR, errcode(ERRCODE_NO_DATA_FOUND),
                errmsg("query has no row " UINT64_FORMAT " with column %d", row + 1, number));
      }
      return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, &null);
    });
    return null ? std::nullopt : std::optional(value);
  }

  /// The same as a T; nothing for null.
  template <typename T>
  [[nodiscard]] std::optional<T> column(std::uint64_t row, int number) const {
    const std::optional<Datum> value = datum(row, number);
    if (!value) return std::nullopt;
    if constexpr (std::is_same_v<T, std::string>) {
      // Detoasted inside the guard, copied outside: a jump would skip a string's destructor.
      const auto text = guarded([&] { return datum_traits<std::string_view>::from(*value); });
      return std::string(text);
    } else {
      return guarded([&] { return datum_traits<T>::from(*value); });
    }
  }

 private:
  template <typename... Args>
  static void run(const char* command, bool read_only, long limit, const Args&... args) {
    std::array<Oid, sizeof...(Args) + 1> types = {datum_traits<Args>::oid...};
    std::array<Datum, sizeof...(Args) + 1> values = {datum_traits<Args>::to(args)...};
    guarded([&] {
      SPI_execute_with_args(command, sizeof...(Args), types.data(), values.data(), nullptr,
                            read_only, limit);
    });
  }
};

}  // namespace pg
