// Reads and changes entries of the counter store: page locks, Generic WAL, and when to flush it.
//
// One page is locked at a time, but for a split, which locks a page and then the new one that
// nobody else can know of.  Nothing that can wait runs under a page lock: pages are added before.
#include "functions/accounts/lockout_store.h"

#include <cstring>
#include <string>

#include "boundary/call/guc.h"
#include "boundary/table/access_method.h"
#include "core/platform/error.h"

extern "C" {
#include "access/generic_xlog.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace vrm::sql::lockout_store {
namespace {

using vrm::lockout::block_number;

int durability_now = static_cast<int>(durability::lock);

constexpr config_enum_entry durability_names[] = {
    {"lock", static_cast<int>(durability::lock), false},
    {"strict", static_cast<int>(durability::strict), false},
    {"async", static_cast<int>(durability::async), false},
    {nullptr, 0, false},
};

[[noreturn]] void report_damage(Relation relation, block_number block, const char* what) {
  ereport(
      ERROR, errcode(ERRCODE_DATA_CORRUPTED),
      errmsg("page %u of lockout store \"%s\" %s", block, RelationGetRelationName(relation), what),
      errhint("TRUNCATE vrm_private.%s; forgets all that is counted there.",
              RelationGetRelationName(relation)));
  pg_unreachable();
}

Relation open_store(Oid store, LOCKMODE mode) {
  Relation relation = table_open(store, mode);
  if (relation->rd_tableam == table_routine()) return relation;
  ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE),
          errmsg("\"%s\" is not a lockout store", RelationGetRelationName(relation)),
          errdetail("Its access method is not vrm_lockout, so ROLLBACK would undo what it counts."),
          errhint("ALTER TABLE ... RENAME TO something_else; SELECT vrm.install();"));
  pg_unreachable();
}

/// Lock order: never two pages on the way down.  That is safe because links never change and pages
/// are never given back: a page that was split meanwhile links on to where the key went.
/// Locks the page that `id` belongs to.
Buffer lock_page_of(Relation relation, const key& id, pg::page_lock mode) {
  block_number block = vrm::lockout::root_of(id);
  for (;;) {
    const Buffer buffer = ReadBuffer(relation, block);
    LockBuffer(buffer, mode);
    const auto page = view(BufferGetPage(buffer));
    // Links lead only to pages that have a header: one WAL record has written both.
    if (!page.is_formatted()) report_damage(relation, block, "has no valid header");
    const auto next = page.next(id);
    if (!next) return buffer;
    UnlockReleaseBuffer(buffer);
    block = *next;
  }
}

/// How many bits of a key its pages share at most.  16 MB hold what anybody can make for nothing.
unsigned deepest_level_of(Relation relation) noexcept {
  constexpr unsigned of_requests = 11;
  const char* const requests =
      vrm::lockout::tree_names[static_cast<std::size_t>(vrm::lockout::tree::requests)];
  return std::strcmp(RelationGetRelationName(relation), requests) == 0
             ? of_requests
             : vrm::lockout::deepest_level;
}

/// Splits the page in two when it still has to be.  The new page comes first, because adding one
/// can wait; should it not be needed in the end, it stays empty.
void split(Relation relation, BlockNumber block) {
  LockRelationForExtension(relation, ExclusiveLock);
  const Buffer added = ReadBufferExtended(relation, MAIN_FORKNUM, P_NEW, RBM_NORMAL, nullptr);
  UnlockRelationForExtension(relation, ExclusiveLock);

  // Read anew under its lock: another backend may have split it meanwhile.
  const Buffer full = ReadBuffer(relation, block);
  LockBuffer(full, BUFFER_LOCK_EXCLUSIVE);
  if (view(BufferGetPage(full)).wants_split(deepest_level_of(relation))) {
    LockBuffer(added, BUFFER_LOCK_EXCLUSIVE);
    GenericXLogState* const wal = GenericXLogStart(relation);
    const Page full_page = GenericXLogRegisterBuffer(wal, full, 0);
    const Page added_page = GenericXLogRegisterBuffer(wal, added, GENERIC_XLOG_FULL_IMAGE);
    PageInit(added_page, BLCKSZ, 0);
    auto sibling = view(added_page);
    view(full_page).split(sibling, BufferGetBlockNumber(added));
    set_used(full_page);
    set_used(added_page);
    GenericXLogFinish(wal);
    LockBuffer(added, BUFFER_LOCK_UNLOCK);
  }
  ReleaseBuffer(added);
  UnlockReleaseBuffer(full);
}

/// Stores an entry on its locked page.  Returns false, with nothing done, when the page has to be
/// split first.
bool store_entry(Relation relation, Buffer buffer, const entry& changed, XLogRecPtr& position) {
  // Generic WAL works on a copy of the page and logs what differs.  Until GenericXLogFinish() the
  // page in shared memory is untouched, so GenericXLogAbort() and every ERROR leave it as it was;
  // within Finish is the only critical section.
  GenericXLogState* const wal = GenericXLogStart(relation);
  const Page image = GenericXLogRegisterBuffer(wal, buffer, 0);
  auto page = view(image);
  const bool is_new = page.find(changed.id) == nullptr;
  if (is_new && page.header().count >= vrm::lockout::split_at) {
    // Only now, because a sweep costs a look at every entry of the page.
    page.sweep(now());
    if (page.wants_split(deepest_level_of(relation))) {
      GenericXLogAbort(wal);
      return false;
    }
  }
  page.put(changed, now());
  set_used(image);
  position = GenericXLogFinish(wal);
  return true;
}

/// ROLLBACK, a savepoint and a lost connection take nothing back: the page has been changed in
/// shared memory and in Generic WAL, and replaying that asks for no transaction.  kill -9 of a
/// backend and immediate shutdown are crashes: recovery replays the WAL, and what they could take
/// back is what has not been flushed.  The page lock is gone by now, but there is no reply yet:
///
/// - grave: a lock that somebody is told of, or a code that is accepted, must hold after a crash,
///   so it is on disk before the reply;
/// - charged: a reservation is on disk before the secret is looked at when strict; else the WAL
///   writer is told to flush it within moments.  After a crash as many attempts as those moments
///   held can be made again, once;
/// - changed: whatever is lost of it leaves a reservation that turns into a failure, which errs on
///   the safe side.  Telling the WAL writer costs a signal and two process switches, as much as
///   the rest of the call, so it is flushed with whatever comes next.
void make_durable(XLogRecPtr position, outcome result) {
  if (XLogRecPtrIsInvalid(position) || result == outcome::changed) return;
  const auto mode = static_cast<durability>(durability_now);
  const outcome least = mode == durability::strict ? outcome::charged : outcome::grave;
  if (mode != durability::async && result >= least) {
    XLogFlush(position);
  } else {
    XLogSetAsyncXactLSN(position);
  }
}

/// Runs inside a guard: nothing here needs destroying.
void change_entry(Relation relation, const key& id, bool make, outcome (*visit)(entry&, void*),
                  void* state) {
  for (;;) {
    // `visit` sees a copy, so when the page has to be split first, it runs again on a fresh one.
    const Buffer buffer = lock_page_of(relation, id, BUFFER_LOCK_EXCLUSIVE);
    const auto page = view(BufferGetPage(buffer));
    const entry* const found = page.find(id);
    entry changed = found != nullptr ? *found : entry{.id = id};
    const outcome result = found == nullptr && !make ? outcome::unchanged : visit(changed, state);
    if (result == outcome::unchanged) {
      UnlockReleaseBuffer(buffer);
      return;
    }
    XLogRecPtr position = InvalidXLogRecPtr;
    const bool stored = store_entry(relation, buffer, changed, position);
    // The lock goes before the flush: others need not wait for the disk.  They may read what a
    // crash would undo, but their own change of it comes later in WAL, and its flush takes this one
    // along.
    const BlockNumber block = BufferGetBlockNumber(buffer);
    UnlockReleaseBuffer(buffer);
    if (stored) {
      make_durable(position, result);
      return;
    }
    split(relation, block);
  }
}

}  // namespace

vrm::lockout::moment now() noexcept { return GetCurrentTimestamp(); }

bool flushes_attempts() noexcept { return durability_now == static_cast<int>(durability::strict); }

Oid relation(vrm::lockout::tree tree) {
  const char* const name = vrm::lockout::tree_names[static_cast<std::size_t>(tree)];
  const Oid found = pg::guarded([name] {
    const Oid schema = get_namespace_oid("vrm_private", true);
    if (!OidIsValid(schema)) return InvalidOid;
    const Oid own = get_relname_relid(name, schema);
    // A platform of 1.0.0 has one tree for all until vrm.upgrade().
    return OidIsValid(own) ? own : get_relname_relid("lockout", schema);
  });
  if (!OidIsValid(found)) {
    throw vrm::error("55000", "there is no lockout store")
        .detail("Table vrm_private." + std::string(name) + " is missing.")
        .hint("SELECT vrm.install();");
  }
  return found;
}

void require_writable() {
  if (!RecoveryInProgress() && !XactReadOnly) return;
  throw vrm::error("25006", "sign-in is not possible in a read-only transaction")
      .detail("Attempts could not be counted here.")
      .hint("Sign in on the primary, in a transaction that may write.");
}

void change(Oid store, const key& id, bool make, outcome (*visit)(entry&, void*), void* state) {
  pg::guarded([&] {
    // The lock of INSERT, kept as long: TRUNCATE and DROP wait for whoever counts.
    const Relation relation = open_store(store, RowExclusiveLock);
    change_entry(relation, id, make, visit, state);
    table_close(relation, NoLock);
  });
}

bool read(Oid store, const key& id, entry& found) {
  return pg::guarded([&] {
    const Relation relation = open_store(store, AccessShareLock);
    const Buffer buffer = lock_page_of(relation, id, BUFFER_LOCK_SHARE);
    const auto page = view(BufferGetPage(buffer));
    const entry* const there = page.find(id);
    const bool known = there != nullptr;
    if (known) found = *there;
    UnlockReleaseBuffer(buffer);
    table_close(relation, NoLock);
    return known;
  });
}

std::int64_t check(Oid store) {
  const Relation relation = pg::guarded([&] { return open_store(store, AccessShareLock); });
  const BlockNumber pages = pg::guarded([&] { return RelationGetNumberOfBlocks(relation); });
  std::int64_t entries = 0;
  for (BlockNumber block = 0; block < pages; ++block) {
    pg::check_for_interrupts();
    pg::guarded([&] {
      const Buffer buffer = ReadBuffer(relation, block);
      LockBuffer(buffer, BUFFER_LOCK_SHARE);
      const Page raw = BufferGetPage(buffer);
      // A crash between adding a page and linking to it leaves an empty one.
      const bool is_spare = PageIsNew(raw) && block >= vrm::lockout::root_pages;
      if (!is_spare) {
        const auto page = view(raw);
        if (const char* const problem = page.problem()) report_damage(relation, block, problem);
        for (const block_number link : page.header().links) {
          // 0 stands for no link, and is less than any number of pages.
          if (link >= pages) report_damage(relation, block, "links to a page that is not there");
        }
        entries += page.header().count;
      }
      UnlockReleaseBuffer(buffer);
    });
  }
  pg::guarded([&] { table_close(relation, NoLock); });
  return entries;
}

void merge(Relation relation, const entry& from) {
  entry given = from;
  pg::guarded([&] {
    change_entry(
        relation, given.id, true,
        [](entry& found, void* state) {
          vrm::lockout::merge(found, *static_cast<const entry*>(state));
          // With "strict" on disk at once, like what the entry says.
          return outcome::charged;
        },
        &given);
  });
}

void define_settings() {
  DefineCustomEnumVariable(
      "vrm.lockout_durability",
      "Which changes of the lockout store are flushed to WAL before the reply.",
      "lock: locks; strict: reservations, too; async: none, a crash may forget the last moments.",
      &durability_now, static_cast<int>(durability::lock), durability_names, PGC_SUSET, 0, nullptr,
      nullptr, nullptr);
}

}  // namespace vrm::sql::lockout_store
