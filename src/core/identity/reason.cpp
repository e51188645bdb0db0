#include "core/identity/reason.h"

#include <algorithm>
#include <array>

namespace vrm {
namespace {

struct meaning {
  std::string_view key;
  std::string_view reason;
};

/// SQLSTATEs by themselves, and classes by their first two characters.
constexpr std::array meanings = {
    meaning{.key = "28000", .reason = "not_signed_in"},
    meaning{.key = "42501", .reason = "not_allowed"},
    meaning{.key = "42883", .reason = "unknown_function"},
    meaning{.key = "P0002", .reason = "not_found"},
    meaning{.key = "02000", .reason = "not_found"},
    meaning{.key = "23503", .reason = "bad_reference"},
    meaning{.key = "23505", .reason = "already_exists"},
    meaning{.key = "42710", .reason = "already_exists"},
    meaning{.key = "22", .reason = "bad_argument"},
    meaning{.key = "23", .reason = "bad_argument"},
    meaning{.key = "54", .reason = "bad_argument"},
    meaning{.key = "25006", .reason = "read_only"},
    meaning{.key = "0A000", .reason = "not_supported"},
    meaning{.key = "53400", .reason = "throttled"},
    meaning{.key = "55000", .reason = "wrong_state"},
    meaning{.key = "55006", .reason = "wrong_state"},
    meaning{.key = "40", .reason = "try_again"},
    meaning{.key = "55P03", .reason = "try_again"},
    meaning{.key = "53", .reason = "try_again"},
    meaning{.key = "F0000", .reason = "not_set_up"},
};

constexpr std::array problems = {
    meaning{.key = "nobody is signed in", .reason = "not_signed_in"},
    meaning{.key = "the sign-in is anonymous", .reason = "anonymous"},
    meaning{.key = "there is no profile", .reason = "no_profile"},
    meaning{.key = "the account is deleted", .reason = "account_deleted"},
    meaning{.key = "the account is banned", .reason = "account_banned"},
    meaning{.key = "the account is locked", .reason = "account_locked"},
    meaning{.key = "the session has ended", .reason = "session_ended"},
    meaning{.key = "the second factor is missing", .reason = "mfa_required"},
    meaning{.key = "the membership in the organisation has ended", .reason = "no_member"},
    meaning{.key = "the organisation is deleted", .reason = "organisation_deleted"},
    meaning{.key = "the organisation is banned", .reason = "organisation_banned"},
    meaning{.key = "the organisation is locked", .reason = "organisation_locked"},
};

template <std::size_t Size>
std::string_view find(const std::array<meaning, Size>& list, std::string_view key,
                      std::string_view otherwise) noexcept {
  const auto* const found = std::ranges::find(list, key, &meaning::key);
  return found == list.end() ? otherwise : found->reason;
}

struct answer {
  std::string_view key;
  int status;
};

/// As `meanings`, where PostgREST says something else.
constexpr std::array answers = {
    answer{.key = "28000", .status = 401}, answer{.key = "P0002", .status = 404},
    answer{.key = "02000", .status = 404}, answer{.key = "42710", .status = 409},
    answer{.key = "55000", .status = 409}, answer{.key = "55006", .status = 409},
    answer{.key = "54", .status = 400},    answer{.key = "0A000", .status = 501},
    answer{.key = "53400", .status = 429}, answer{.key = "40", .status = 503},
    answer{.key = "55P03", .status = 503}, answer{.key = "25006", .status = 503},
};

}  // namespace

int http_status_for_postgrest(std::string_view sqlstate) noexcept {
  // The state by itself first: it may differ from its class.
  for (const std::string_view key : {sqlstate, sqlstate.substr(0, 2)}) {
    const auto* const found = std::ranges::find(answers, key, &answer::key);
    if (found != answers.end()) return found->status;
  }
  return 0;
}

std::string_view reason_of(std::string_view sqlstate) noexcept {
  const std::string_view of_class = find(meanings, sqlstate.substr(0, 2), "internal");
  return find(meanings, sqlstate, of_class);
}

std::string_view reason_of_problem(std::string_view problem) noexcept {
  return find(problems, problem, "not_allowed");
}

}  // namespace vrm
