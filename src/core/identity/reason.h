#pragma once

#include <string_view>

namespace vrm {

/// The word by which clients tell errors apart, for a SQLSTATE: not_found, bad_argument and so on.
/// What no application can do anything about is "internal".
[[nodiscard]] std::string_view reason_of(std::string_view sqlstate) noexcept;

/// The word for what vrm.account_problem() says; "not_allowed" for what it does not.
[[nodiscard]] std::string_view reason_of_problem(std::string_view problem) noexcept;

/// The HTTP status for a SQLSTATE that PostgREST answers with another one; 0 where it is right.
[[nodiscard]] int http_status_for_postgrest(std::string_view sqlstate) noexcept;

}  // namespace vrm
