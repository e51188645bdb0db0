#pragma once

#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/platform/sqlstate.h"

namespace vrm {

/// The one exception type that core code throws on purpose.
///
/// The boundary reports it as a PostgreSQL ERROR with this SQLSTATE, DETAIL and HINT,
/// and with the C++ line that threw it as the error's source location.
class error : public std::runtime_error {
 public:
  error(sqlstate state, const std::string& message,
        std::source_location where = std::source_location::current())
      : std::runtime_error(message), state_(state), where_(where) {}

  /// DETAIL may name values of the caller's, but never a secret: it reaches client and log.
  error&& detail(std::string text) && { return detail_ = std::move(text), std::move(*this); }
  /// What only the server's log may say; the client sees no DETAIL then.
  error&& log_detail(std::string text) && {
    return log_detail_ = std::move(text), std::move(*this);
  }
  error&& hint(std::string text) && { return hint_ = std::move(text), std::move(*this); }

  /// Never empty: only SQLSTATEs that compile can be given.
  [[nodiscard]] sqlstate state() const noexcept { return state_; }
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }
  [[nodiscard]] const std::string& log_detail() const noexcept { return log_detail_; }
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }
  [[nodiscard]] const std::source_location& where() const noexcept { return where_; }

 private:
  sqlstate state_;
  std::source_location where_;
  std::string detail_;
  std::string log_detail_;
  std::string hint_;
};

}  // namespace vrm
