#pragma once

// Small tables of the platform that a backend keeps something of, and news of tables in general.

#include <array>
#include <cstddef>
#include <cstdint>

#include "boundary/backend.h"
#include "boundary/error/guard.h"
#include "boundary/table/placement.h"
#include "core/platform/uuid.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "storage/sinval.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace pg {

/// A small table that C++ reads without asking for the caller's privileges, and
/// keeps something of in the backend.
///
/// What was read holds until changed() says so: whoever writes the table has
/// CacheInvalidateRelcache() called by a trigger, and PostgreSQL carries that to every backend, on
/// a standby, too.
class watched_table {
 public:
  constexpr watched_table(const char* schema, const char* table, const char* index) noexcept
      : schema_(schema), table_(table), index_(index) {}

  /// Once, from _PG_init; the table lives as long as the process.  All of them share a callback,
  /// because PostgreSQL has ten places for those of all modules together.
  /// Never taken off again: PostgreSQL has no call for that.
  void watch() {
    if (first_ == nullptr) CacheRegisterRelcacheCallback(note_change, Datum{0});
    next_ = first_;
    first_ = this;
  }

  /// Whether the table may have changed since reload() last succeeded.
  [[nodiscard]] bool changed() const noexcept { return changed_; }

  /// The table; InvalidOid before it was read.
  [[nodiscard]] Oid relation() const noexcept { return relation_; }

  /// Counts what the backend has heard of changes to tables, their triggers and constraints among
  /// them: an answer about any of these holds as long as it stands still.
  [[nodiscard]] static std::uint64_t news() noexcept { return news_; }

  /// Has every backend read again, without waiting for a commit: for changes that ROLLBACK does not
  /// take back.  Standbys do not hear of it.
  /// The next lock that a backend takes, or its next transaction, is when it hears.
  void announce_at_once() {
    // At once here as well: this backend reads its own message with the next lock only.
    changed_ = true;
    const Oid known = guarded([&] {
      const Oid table = find();
      return OidIsValid(table) ? placement_of(table) : InvalidOid;
    });
    if (!OidIsValid(known)) return;
    SharedInvalidationMessage message{};
    message.rc.id = SHAREDINVALRELCACHE_ID;
    message.rc.dbId = MyDatabaseId;
    message.rc.relId = known;
    guarded([&] { SendSharedInvalidMessages(&message, 1); });
  }

  /// Runs `read_again`; a change that comes meanwhile, or its failure, leaves changed() true.
  template <typename Reload>
  void reload(Reload&& read_again) {
    // First: a change announced while reading has to be seen afterwards.
    changed_ = false;
    try {
      read_again();
    } catch (...) {
      changed_ = true;
      throw;
    }
  }

  /// Calls `visit` with each row that `keys` selects through the index, as of the latest commit.
  /// It runs inside a guard and must hold no C++ object that needs destroying.  Returns false when
  /// there is no such table.
  /// Has to be in a transaction, for the catalog lookup.
  /// Where Citus has spread it by tenant, `tenant` says whose rows are looked for.
  template <typename Visit>
  bool read(ScanKeyData* keys, int count, Visit&& visit, const vrm::uuid* tenant = nullptr) {
    return guarded([&] {
      relation_ = InvalidOid;
      const Oid table = find();
      if (!OidIsValid(table)) return false;
      const Oid place = placement_of(table, tenant);
      const Oid index = index_on(place, index_);
      if (!OidIsValid(index)) return false;
      // Of several shards the next tenant's may be another: news of any table count then.
      if (tenant == nullptr || place == table) relation_ = place;
      const Relation relation = table_open(place, AccessShareLock);
      // No snapshot given: PostgreSQL takes the catalog's, anew for a table that is no catalog.
      const SysScanDesc scan = systable_beginscan(relation, index, true, nullptr, count, keys);
      for (HeapTuple row = systable_getnext(scan); HeapTupleIsValid(row);
           row = systable_getnext(scan)) {
        visit(row, RelationGetDescr(relation));
      }
      systable_endscan(scan);
      table_close(relation, AccessShareLock);
      return true;
    });
  }

  /// The same for rows whose first columns of the index are `ids`, the first of them the tenant's.
  template <std::size_t Count, typename Visit>
  bool read(const std::array<vrm::uuid, Count>& ids, Visit&& visit) {
    std::array<ScanKeyData, Count> keys{};
    for (std::size_t i = 0; i < Count; ++i) {
      ScanKeyInit(&keys[i], static_cast<AttrNumber>(i + 1), BTEqualStrategyNumber, F_UUID_EQ,
                  PointerGetDatum(ids[i].bytes.data()));
    }
    return read(keys.data(), static_cast<int>(Count), visit, ids.data());
  }

 private:
  /// Runs inside a guard.
  [[nodiscard]] Oid find() const {
    const Oid schema = get_namespace_oid(schema_, true);
    return OidIsValid(schema) ? get_relname_relid(table_, schema) : InvalidOid;
  }

  /// For all watched tables of the module.  Runs wherever messages are read: it must not fail.
  static void note_change(Datum /*argument*/, Oid relation) {
    ++news_;
    for (watched_table* table = first_; table != nullptr; table = table->next_) {
      const Oid known = table->relation_;
      // InvalidOid means all relations; and before the first read any of them may be the table.
      if (relation == InvalidOid || known == InvalidOid || relation == known)
        table->changed_ = true;
    }
  }

  static inline watched_table* first_ = nullptr;  ///< all that are watched
  static inline std::uint64_t news_ = 0;

  const char* schema_;
  const char* table_;
  const char* index_;
  watched_table* next_ = nullptr;
  Oid relation_ = InvalidOid;
  bool changed_ = true;  ///< true at first: nothing was read yet
};

}  // namespace pg
