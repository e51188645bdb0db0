// Where in the queue runners look on.
#include "functions/testing/queue_places.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "boundary/backend.h"
#include "boundary/memory/shared_memory.h"
#include "functions/platform/settings.h"

extern "C" {
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/spin.h"
#include "utils/timestamp.h"
}

namespace vrm::sql {
namespace {

constexpr TimestampTz turn_length = 1'000'000;  // microseconds

/// A place that is shared; owners who meet in one drive each other out, and begin at the front.
struct shared_place {
  slock_t lock;
  Oid database;
  vrm::uuid owner;
  vrm::uuid run;
  bool is_known;
  TimestampTz turn;  ///< when somebody has begun at the front
};

constexpr std::size_t places = 64;
using all_places = std::array<shared_place, places>;

void prepare(void* memory) {
  auto* const all = new (memory) all_places{};
  for (shared_place& place : *all) SpinLockInit(&place.lock);
}

/// Those of the server, or of this backend alone where the server has no memory to share.
all_places& known_places() {
  static all_places own;
  static all_places* known = nullptr;
  if (known == nullptr) {
    void* const shared = pg::shared_memory("vrm: places in the queue", sizeof(all_places), prepare);
    if (shared == nullptr) prepare(&own);
    known = shared == nullptr ? &own : static_cast<all_places*>(shared);
  }
  return *known;
}

shared_place& place_of(const vrm::uuid& owner) {
  std::size_t hash = MyDatabaseId;
  for (const std::uint8_t byte : owner.bytes) hash = hash * 31 + byte;
  return known_places()[hash % places];
}

class held_lock {
 public:
  explicit held_lock(shared_place& place) : place_(place) { SpinLockAcquire(&place_.lock); }
  ~held_lock() { SpinLockRelease(&place_.lock); }
  held_lock(const held_lock&) = delete;
  held_lock& operator=(const held_lock&) = delete;

 private:
  shared_place& place_;
};

bool is_of(const shared_place& place, const vrm::uuid& owner) noexcept {
  return place.database == MyDatabaseId && place.owner == owner;
}

/// Moved by this transaction: forgotten when what was found there is undone.
shared_place* moved = nullptr;

void forget() {
  if (moved == nullptr) return;
  {
    const held_lock lock(*moved);
    moved->is_known = false;
    moved->turn = 0;
  }
  moved = nullptr;
}

void end_transaction(XactEvent event, void* /*argument*/) {
  if (event == XACT_EVENT_ABORT) forget();
  moved = nullptr;
}

void end_subtransaction(SubXactEvent event, SubTransactionId /*mine*/, SubTransactionId /*parent*/,
                        void* /*argument*/) {
  if (event == SUBXACT_EVENT_ABORT_SUB) forget();
}

}  // namespace

/// Once, from _PG_init.
void watch_queue() {
  RegisterXactCallback(end_transaction, nullptr);
  RegisterSubXactCallback(end_subtransaction, nullptr);
}

queue_place queue_place::of(const vrm::uuid& owner) {
  queue_place found(owner);
  const TimestampTz now = GetCurrentTimestamp();
  shared_place& place = place_of(owner);
  const held_lock lock(place);
  if (!is_of(place, owner)) {
    place.database = MyDatabaseId;
    place.owner = owner;
    place.is_known = false;
    place.turn = 0;
  }
  if (now - place.turn < turn_length && place.turn <= now) {
    if (place.is_known) found.beginning_ = place.run;
  } else {
    place.turn = now;  // the others look on meanwhile
  }
  found.turn_ = place.turn;
  return found;
}

std::optional<vrm::uuid> queue_place::further_than(const vrm::uuid& run) const {
  shared_place& place = place_of(owner_);
  const held_lock lock(place);
  const bool is_further = is_of(place, owner_) && place.is_known && place.run > run;
  return is_further ? std::optional(place.run) : std::nullopt;
}

void queue_place::move(const std::optional<vrm::uuid>& last, bool from_front) const {
  shared_place& place = place_of(owner_);
  const held_lock lock(place);
  if (!is_of(place, owner_)) return;
  if (from_front) {
    place.is_known = last.has_value();
    if (last) place.run = *last;
  } else if (place.turn == turn_ && place.is_known && last) {
    place.run = std::max(place.run, *last);
  }
  if (last) moved = &place;
}

}  // namespace vrm::sql
