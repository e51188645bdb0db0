#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

/// Who may try a password, a code or a reset again, and when: reserve, evaluate, settle.
///
/// An attempt is reserved before the secret is looked at and settled afterwards.  Failures and
/// open reservations together never exceed the threshold, so however many clients come at once,
/// vanish or roll back, no more than the threshold of secrets is evaluated between two locks.
namespace vrm::lockout {

/// Microseconds on the clock of whoever calls; only differences and order matter.
/// That clock has to be one for all backends and to survive a restart, since moments are stored.
using moment = std::int64_t;
/// Before and after all other moments.
inline constexpr moment never = std::numeric_limits<moment>::min();
inline constexpr moment forever = std::numeric_limits<moment>::max();

/// A keyed hash of what is counted: it says neither who it is nor whether there is such an account.
using key = std::array<std::byte, 16>;

/// What is known of one key, as it is stored.
/// A fresh one, with all members but `id` as here, stands for a key that is not known.
struct entry {
  key id{};
  moment window_start = never;      ///< failures are counted since
  moment locked_until = never;      ///< no attempt before
  moment pending_deadline = never;  ///< reservations still open then count as failures
  moment last = never;              ///< last change
  std::uint16_t failures = 0;       ///< in this window
  std::uint16_t pending = 0;        ///< reservations that wait for their verdict
  std::uint16_t consecutive = 0;    ///< failures since the last success, over all windows
  std::uint16_t lock_count = 0;     ///< locks since the last success
  std::int64_t value = 0;           ///< what must never go back: TOTP step, refresh counter

  friend bool operator==(const entry&, const entry&) = default;
};
// It lies on disk and in WAL just so: members keep their size and order as long as pages do.
static_assert(sizeof(entry) == 64 && std::is_trivially_copyable_v<entry>);

/// How strict to be with one kind of attempt; durations in microseconds.
struct policy {
  std::uint16_t threshold = 5;          ///< failures and open attempts that a lock takes
  std::int64_t window = 900'000'000;    ///< 15 minutes
  std::int64_t base_lock = 60'000'000;  ///< the first lock: a minute
  double factor = 2;  ///< how many times as long each lock is as the one before it
  std::int64_t max_lock = 86'400'000'000;  ///< a day
  std::uint16_t consecutive_cap = 0;       ///< locks for good at so many; 0 for no cap
  std::int64_t reservation = 30'000'000;   ///< how long a verdict may take
};

/// What the caller has to do.
enum class verdict : std::uint8_t {
  granted,  ///< go on and evaluate, then settle
  locked,   ///< refuse without a look at the secret
  wait,     ///< others are being evaluated: ask again when one of them is settled
};

/// What the caller has to do, and the store.
struct decision {
  verdict says = verdict::wait;
  bool changed = false;     ///< the entry has to be stored
  bool locked_now = false;  ///< this call locked it: not to be lost
};

/// Asks for one attempt.
///
/// All functions below change the entry alone: the caller holds the lock of the page that it is
/// on, from reading the entry to storing it, or two callers would get the same attempt.
[[nodiscard]] decision reserve(entry& entry, const policy& policy, moment now);

/// Reports what came of an attempt that was reserved at `began`.  A success forgives the failures
/// before it; a lock that others have caused meanwhile stays.
decision settle(entry& entry, const policy& policy, moment now, moment began, bool success);

/// Takes a reservation back that was not used.
void cancel(entry& entry, moment now);

/// Moves `value` forward; false, and no change, when it has been there already.
[[nodiscard]] bool advance(entry& entry, std::int64_t value, moment now);

/// Forgets failures and locks; keeps reservations and `value`.
void forgive(entry& entry, moment now);

/// Whether nothing of the entry matters any more.
[[nodiscard]] bool is_expired(const entry& entry, moment now) noexcept;

/// Makes `into` at least as strict as `from`, as a restore into a living store has to.
void merge(entry& into, const entry& from) noexcept;

}  // namespace vrm::lockout
