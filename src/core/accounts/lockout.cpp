#include "core/accounts/lockout.h"

#include <algorithm>
#include <cmath>

namespace vrm::lockout {
namespace {

constexpr std::int64_t day = 86'400'000'000;

/// How long an entry is remembered after its last change: what has escalated, or must not go
/// back, outlives every window and session; anything else is cheap for an attacker to make.
constexpr std::int64_t long_memory = 31 * day;
constexpr std::int64_t short_memory = day;

/// Stops at the highest number: a counter that began anew would free whoever made it overflow.
std::uint16_t sum(std::uint16_t left, std::uint16_t right) noexcept {
  return static_cast<std::uint16_t>(std::min(left + right, 0xFFFF));
}

/// a + b without overflow; `never` and `forever` stay what they are.
/// `b` is not negative.
moment after(moment a, std::int64_t b) noexcept {
  if (a == never) return never;
  return a > forever - b ? forever : a + b;
}

/// In floating point, because the power leaves 64 bits long before the limit is applied.
std::int64_t lock_length(const policy& policy, std::uint16_t earlier_locks) noexcept {
  const double length =
      static_cast<double>(policy.base_lock) * std::pow(policy.factor, earlier_locks);
  return length < static_cast<double>(policy.max_lock) ? static_cast<std::int64_t>(length)
                                                       : policy.max_lock;
}

bool is_capped(const entry& entry, const policy& policy) noexcept {
  return policy.consecutive_cap > 0 && entry.consecutive >= policy.consecutive_cap;
}

/// Locks the entry when it has earned it.
bool lock_if_due(entry& entry, const policy& policy, moment now) noexcept {
  if (entry.failures < policy.threshold && !is_capped(entry, policy)) return false;
  // A lock that runs is not made longer by verdicts that come in during it.
  if (entry.locked_until > now) return false;
  entry.locked_until =
      is_capped(entry, policy) ? forever : after(now, lock_length(policy, entry.lock_count));
  entry.lock_count = sum(entry.lock_count, 1);
  entry.failures = 0;
  entry.window_start = now;
  return true;
}

void count_failures(entry& entry, std::uint16_t number) noexcept {
  entry.failures = sum(entry.failures, number);
  entry.consecutive = sum(entry.consecutive, number);
}

}  // namespace

// An attempt is paid for before the secret is looked at: a thousand attempts at once are a thousand
// reservations, not one failure.  Whoever never comes back with a verdict has failed.
decision reserve(entry& entry, const policy& policy, moment now) {
  if (entry.locked_until > now) return {.says = verdict::locked};

  // A full entry whose verdicts are still to come is left as it is: waiting costs no WAL.
  const bool window_over = after(entry.window_start, policy.window) < now;
  const int failures = window_over ? 0 : entry.failures;
  const bool open = entry.pending > 0 && entry.pending_deadline > now;
  if (open && failures + entry.pending >= policy.threshold) return {.says = verdict::wait};

  entry.last = now;
  if (window_over) {
    entry.failures = 0;
    entry.window_start = now;
  }
  if (!open) {  // whoever has vanished has failed
    count_failures(entry, entry.pending);
    entry.pending = 0;
  }
  if (lock_if_due(entry, policy, now))
    return {.says = verdict::locked, .changed = true, .locked_now = true};
  entry.pending = sum(entry.pending, 1);
  entry.pending_deadline = after(now, policy.reservation);
  return {.says = verdict::granted, .changed = true};
}

decision settle(entry& entry, const policy& policy, moment now, moment began, bool success) {
  entry.last = now;
  if (entry.window_start == never) entry.window_start = now;
  // A reservation that ran out has been counted as a failure already.
  const bool counted = entry.pending == 0;
  if (!counted) --entry.pending;

  if (!success) {
    if (!counted) count_failures(entry, 1);
    const bool locked = lock_if_due(entry, policy, now);
    // The lock may be one that other attempts have caused meanwhile.
    return {.says = entry.locked_until > now ? verdict::locked : verdict::granted,
            .changed = true,
            .locked_now = locked};
  }
  // Failures of a window that began after this attempt are not its to forgive.
  if (began >= entry.window_start && entry.locked_until <= now) {
    entry.failures = 0;
    entry.consecutive = 0;
    entry.lock_count = 0;
    entry.window_start = now;
  }
  return {.says = verdict::granted, .changed = true};
}

void cancel(entry& entry, moment now) {
  if (entry.pending > 0) --entry.pending;
  entry.last = now;
}

bool advance(entry& entry, std::int64_t value, moment now) {
  if (value <= entry.value) return false;
  entry.value = value;
  entry.last = now;
  return true;
}

void forgive(entry& entry, moment now) {
  entry.failures = 0;
  entry.consecutive = 0;
  entry.lock_count = 0;
  entry.locked_until = never;
  entry.window_start = now;
  entry.last = now;
}

bool is_expired(const entry& entry, moment now) noexcept {
  if (entry.locked_until > now || (entry.pending > 0 && entry.pending_deadline > now)) return false;
  // `value` has to stay: forgotten, a used TOTP step or refresh token would be good again.
  const bool matters = entry.lock_count > 0 || entry.value != 0;
  return after(entry.last, matters ? long_memory : short_memory) < now;
}

// Of two accounts of the same key the stricter holds, whichever comes first: restoring a dump can
// neither free anybody nor take back what has happened since.
void merge(entry& into, const entry& from) noexcept {
  into.window_start = std::max(into.window_start, from.window_start);
  into.locked_until = std::max(into.locked_until, from.locked_until);
  into.pending_deadline = std::max(into.pending_deadline, from.pending_deadline);
  into.last = std::max(into.last, from.last);
  into.failures = std::max(into.failures, from.failures);
  into.pending = std::max(into.pending, from.pending);
  into.consecutive = std::max(into.consecutive, from.consecutive);
  into.lock_count = std::max(into.lock_count, from.lock_count);
  into.value = std::max(into.value, from.value);
}

}  // namespace vrm::lockout
