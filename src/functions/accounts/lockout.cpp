// Attempts at passwords and codes as SQL sees them: reserve before the secret is looked at, settle
// with the verdict.  What is counted here no ROLLBACK takes back.
#include "core/accounts/lockout.h"

#include <cstring>
#include <optional>
#include <string>

#include "boundary/call/function.h"
#include "boundary/call/guc.h"
#include "boundary/value/record.h"
#include "functions/accounts/lockout_policy.h"
#include "functions/accounts/lockout_store.h"
#include "functions/identity/sessions.h"
#include "functions/platform/grants.h"
#include "functions/platform/settings.h"

extern "C" {
#include "access/xlog.h"
#include "storage/latch.h"
#include "utils/wait_event.h"
}

namespace vrm::sql {

using lockout_store::outcome;
using vrm::lockout::entry;
using vrm::lockout::key;
using vrm::lockout::kind;
using vrm::lockout::moment;
using vrm::lockout::tree;
using vrm::lockout::verdict;

namespace store = lockout_store;

/// A moment of the store on its way to SQL.
/// As it is stored: `never` and `forever` are -infinity and infinity of timestamptz.
struct at {
  moment value = vrm::lockout::never;
};

}  // namespace vrm::sql

template <>
struct pg::datum_traits<vrm::sql::at> {
  static constexpr Oid oid = TIMESTAMPTZOID;
  static vrm::sql::at from(Datum datum) noexcept { return {DatumGetInt64(datum)}; }
  static Datum to(vrm::sql::at moment) noexcept { return Int64GetDatum(moment.value); }
};

namespace vrm::sql {
namespace {

int longest_wait = 5000;  // milliseconds

struct answer {
  verdict says = verdict::wait;
  moment until = vrm::lockout::never;  ///< of a lock
};

answer reserve(Oid relation, const key& id, const vrm::lockout::policy& policy) {
  answer given;
  store::update(relation, id, true, [&](entry& found) {
    const auto decided = vrm::lockout::reserve(found, policy, store::now());
    given = {.says = decided.says, .until = found.locked_until};
    if (!decided.changed) return outcome::unchanged;
    return decided.locked_now ? outcome::grave : outcome::charged;
  });
  return given;
}

/// Sleeps a little longer each time, up to 10 ms, and wakes for a signal.  Nobody says when a
/// verdict is in, so that callers ask again.
void pause(int round) {
  const long milliseconds = round < 10 ? round + 1 : 10;
  pg::guarded([=] {
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds,
                    PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
  });
}

/// Waits, for vrm.lockout_wait at most, while others' verdicts decide whether there is room.
answer reserve_in_turn(Oid relation, const key& id, const vrm::lockout::policy& policy) {
  const moment give_up = store::now() + (longest_wait * std::int64_t{1000});
  for (int round = 0;; ++round) {
    const answer given = reserve(relation, id, policy);
    if (given.says != verdict::wait || store::now() >= give_up) return given;
    pause(round);
  }
}

void cancel(Oid relation, const key& id) {
  store::update(relation, id, false, [](entry& found) {
    vrm::lockout::cancel(found, store::now());
    return outcome::changed;
  });
}

/// Whether this verdict, or one before it, has left the entry locked.
bool settle(Oid relation, const key& id, const vrm::lockout::ticket& given, kind type,
            bool success) {
  bool locked = false;
  const auto& policy = lockout_policy::of(type);
  store::update(relation, id, true, [&](entry& found) {
    const auto decided = vrm::lockout::settle(found, policy, store::now(), given.began, success);
    locked = decided.says == verdict::locked;
    return decided.locked_now ? outcome::grave : outcome::changed;
  });
  return locked;
}

key key_named(std::string_view type, std::string_view identifier) {
  return lockout_policy::hash().key_of(vrm::lockout::kind_named(type), identifier);
}

const char* refusal(const answer& given) noexcept {
  return given.says == verdict::locked ? "locked" : "throttled";
}

using text = std::optional<std::string_view>;

void throw_null(std::string_view argument) {
  throw vrm::error("22004", std::string(argument) + " must not be null");
}

/// A null that did nothing would leave somebody unlocked, or unasked, without a word.
void require_given(const text& type, const text& identifier) {
  if (!type) throw_null("kind");
  if (!identifier) throw_null("identifier");
}

}  // namespace

struct reservation_names {
  static constexpr std::array columns = {"status", "ticket", "until"};
};
using reservation = pg::named_record<reservation_names, std::string,
                                     std::optional<std::span<const std::byte>>, std::optional<at>>;

/// Status ok with a ticket; locked or throttled with the time to come back at.
reservation lockout_reserve(text type, text identifier, text network, text device_token) {
  require_given(type, identifier);
  store::require_writable();
  auto& hash = lockout_policy::hash();
  vrm::lockout::ticket made{.type = vrm::lockout::kind_named(*type), .began = store::now()};
  made.first = hash.key_of(made.type, *identifier);
  // A known device is counted by itself, so strangers cannot lock its owner out.
  if (made.type == kind::password && device_token) {
    if (const auto device = hash.device_of(*device_token, *identifier, GetSystemIdentifier())) {
      made.type = kind::device;
      made.first = hash.key_of(made.type, *device);
    }
  }
  const Oid relation = store::relation(tree_of(made.type));
  const answer first = reserve_in_turn(relation, made.first, lockout_policy::of(made.type));
  if (first.says != verdict::granted) return {{refusal(first), std::nullopt, at{first.until}}};

  if (network) {
    const kind counted = network_of(made.type);
    made.network = hash.key_of(counted, *network);
    const answer second = reserve_in_turn(store::relation(tree_of(counted)), *made.network,
                                          lockout_policy::of(counted));
    if (second.says != verdict::granted) {
      // Given back, not settled: an attempt that is not made must count neither way.
      cancel(relation, made.first);
      return {{"throttled", std::nullopt, at{second.until}}};
    }
  }
  static std::string ticket;  // outlives the copy that the result makes
  ticket = hash.write(made);
  return {{"ok", std::as_bytes(std::span(ticket)), std::nullopt}};
}

/// "ok", "invalid", or "locked" when this failure was the last that was allowed.
std::string lockout_settle(std::span<const std::byte> ticket, bool success) {
  store::require_writable();
  const auto given = lockout_policy::hash().read(ticket);
  const bool locked =
      settle(store::relation(tree_of(given.type)), given.first, given, given.type, success);
  if (given.network) {
    const kind counted = network_of(given.type);
    const Oid relation = store::relation(tree_of(counted));
    // One good sign-in does not forgive a network what it has tried on others.
    if (success) {
      cancel(relation, *given.network);
    } else {
      settle(relation, *given.network, given, counted, false);
    }
  }
  if (success) return "ok";
  return locked ? "locked" : "invalid";
}

struct ticket_names {
  static constexpr std::array columns = {"kind", "key"};
};
using ticket_subject = pg::named_record<ticket_names, std::string, vrm::uuid>;

/// What a ticket is for: its key is that of vrm_private.lockout.
ticket_subject lockout_ticket(std::span<const std::byte> ticket) {
  const auto given = lockout_policy::hash().read(ticket);
  vrm::uuid id{};
  std::memcpy(id.bytes.data(), given.first.data(), id.bytes.size());
  return {{std::string(vrm::lockout::name(given.type)), id}};
}

struct state_names {
  static constexpr std::array columns = {"locked",      "until",      "failures", "pending",
                                         "consecutive", "lock_count", "value"};
};
using state = pg::named_record<state_names, bool, at, std::int32_t, std::int32_t, std::int32_t,
                               std::int32_t, std::int64_t>;

/// What is known of somebody; works on a standby.
state lockout_state(text type, text identifier) {
  require_given(type, identifier);
  entry found;
  const kind named = vrm::lockout::kind_named(*type);
  const key id = key_named(*type, *identifier);
  if (!store::read(store::relation(tree_of(named)), id, found)) found = {};
  if (tree_of(named) != tree::sessions) {
    entry used;
    found.value = store::read(store::relation(tree::used), id, used) ? used.value : 0;
  }
  const moment now = store::now();
  const auto& policy = lockout_policy::of(named);
  // Windows that are over are reset by the next attempt; until then they are read as if they were.
  const bool fresh =
      found.window_start == vrm::lockout::never || found.window_start < now - policy.window;
  return {{found.locked_until > now, at{found.locked_until}, fresh ? 0 : found.failures,
           found.pending, found.consecutive, found.lock_count, found.value}};
}

/// Forgets failures and locks; false when there was nothing to forget.
bool lockout_clear(text type, text identifier) {
  require_given(type, identifier);
  store::require_writable();
  bool known = false;
  const Oid relation = store::relation(tree_of(vrm::lockout::kind_named(*type)));
  store::update(relation, key_named(*type, *identifier), false, [&](entry& found) {
    known = true;
    vrm::lockout::forgive(found, store::now());
    return outcome::grave;
  });
  return known;
}

void lockout_lock(text type, text identifier, std::optional<at> until) {
  require_given(type, identifier);
  if (!until) throw_null("until");
  store::require_writable();
  const kind named = vrm::lockout::kind_named(*type);
  const Oid relation = store::relation(tree_of(named));
  store::update(relation, key_named(*type, *identifier), true, [&](entry& found) {
    // Without a look at what was there: a lock may also be made shorter.
    found.locked_until = until->value;
    found.last = store::now();
    return outcome::grave;
  });
  // Backends keep which sessions are alive, and hear of no change of a store by themselves.
  if (named == kind::session) sessions::announce_end();
}

/// Moves somebody's counter forward; false when it has been there already.
bool lockout_advance(text type, text identifier, std::optional<std::int64_t> value) {
  require_given(type, identifier);
  if (!value) throw_null("value");
  store::require_writable();
  bool moved = false;
  const kind named = vrm::lockout::kind_named(*type);
  const Oid relation = store::relation(named == kind::session ? tree::sessions : tree::used);
  store::update(relation, key_named(*type, *identifier), true, [&](entry& found) {
    moved = vrm::lockout::advance(found, *value, store::now());
    if (named == kind::recovery) found.locked_until = vrm::lockout::forever;  // it has no other end
    return moved ? outcome::grave : outcome::unchanged;
  });
  return moved;
}

std::int64_t check_lockout_store() {
  for (const tree other : {tree::requests, tree::sessions, tree::used})
    (void)store::check(store::relation(other));
  return store::check(store::relation(tree::attempts));
}

/// A token by which a device is known again; good for this identifier in this cluster only.
std::string lockout_device_token(std::string_view identifier, vrm::uuid device) {
  return lockout_policy::hash().device_token(std::as_bytes(std::span(device.bytes)), identifier,
                                             GetSystemIdentifier());
}

/// The device that a token was given to; null when it is for another identifier, or none of ours.
std::optional<vrm::uuid> lockout_device(std::string_view token, std::string_view identifier) {
  const auto id = lockout_policy::hash().device_of(token, identifier, GetSystemIdentifier());
  if (!id) return std::nullopt;
  vrm::uuid device{};
  std::memcpy(device.bytes.data(), id->data(), device.bytes.size());
  return device;
}

void define_lockout_settings() {
  store::define_settings();
  lockout_policy::watch();
  pg::define_setting("vrm.lockout_wait",
                     "How long an attempt waits while earlier ones are being judged.", longest_wait,
                     5000, {.least = 0, .most = 60000},
                     {.context = PGC_SUSET, .flags = GUC_UNIT_MS});
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_lockout_reserve, vrm::sql::require_grant, vrm::sql::lockout_reserve);
PG_EXPORT_CHECKED(vrm_lockout_settle, vrm::sql::require_grant, vrm::sql::lockout_settle);
PG_EXPORT(vrm_lockout_ticket, vrm::sql::lockout_ticket);
PG_EXPORT_CHECKED(vrm_lockout_state, vrm::sql::require_grant, vrm::sql::lockout_state);
PG_EXPORT_CHECKED(vrm_lockout_clear, vrm::sql::require_grant, vrm::sql::lockout_clear);
PG_EXPORT_CHECKED(vrm_lockout_lock, vrm::sql::require_grant, vrm::sql::lockout_lock);
PG_EXPORT_CHECKED(vrm_lockout_advance, vrm::sql::require_grant, vrm::sql::lockout_advance);
PG_EXPORT_CHECKED(vrm_check_lockout_store, vrm::sql::require_grant, vrm::sql::check_lockout_store);
PG_EXPORT_CHECKED(vrm_lockout_device_token, vrm::sql::require_grant,
                  vrm::sql::lockout_device_token);
PG_EXPORT_CHECKED(vrm_lockout_device, vrm::sql::require_grant, vrm::sql::lockout_device);
