#pragma once

#include <cstdint>

#include "boundary/backend.h"
#include "boundary/error/guard.h"
#include "core/accounts/lockout_page.h"
#include "core/accounts/lockout_ticket.h"

extern "C" {
#include "access/tableam.h"
#include "access/xlogdefs.h"
#include "storage/bufpage.h"
#include "utils/rel.h"
}

/// The counter store: a relation whose changes are WAL-logged at once and belong to no transaction,
/// as a sequence's do.  Neither ROLLBACK nor the end of a connection takes anything back.
namespace vrm::sql::lockout_store {

using vrm::lockout::entry;
using vrm::lockout::key;

/// The clock that moments in the store are taken from: a timestamptz as it is.
[[nodiscard]] vrm::lockout::moment now() noexcept;

/// When a change has to be on disk.
enum class durability : int {
  lock,    ///< a lock before its reply, a reservation within moments
  strict,  ///< every reservation, too
  async,   ///< within moments
};

/// OID of the tree's table in vrm_private; SQLSTATE 55000 when there is none.
[[nodiscard]] Oid relation(vrm::lockout::tree tree);

/// Throws 25006 where nothing can be counted: on a standby and in a read-only transaction.
void require_writable();

/// Whether vrm.lockout_durability has more than locks on disk before the reply.
[[nodiscard]] bool flushes_attempts() noexcept;

/// How much of a change must not be lost.
enum class outcome : std::uint8_t {
  unchanged,
  changed,  ///< a crash may undo it: what was reserved then counts as a failure
  charged,  ///< durability::strict keeps it
  grave,    ///< durability::lock keeps it, too
};

/// update() without its template.
void change(Oid store, const key& id, bool make, outcome (*visit)(entry&, void*), void* state);

/// Runs `visit` on the entry of `id`, with its page locked, and stores what it returns as changed.
/// Without an entry, one is made when `make` is set, otherwise nothing is visited.
/// `visit` takes entry& and returns an outcome; it may run more than once, on fresh copies.
template <typename Visit>
void update(Oid store, const key& id, bool make, Visit&& visit) {
  change(
      store, id, make,
      [](entry& found, void* state) {
        return (*static_cast<std::remove_reference_t<Visit>*>(state))(found);
      },
      &visit);
}

/// Copies the entry of `id` to `found`; false when there is none.  Works on a standby.
[[nodiscard]] bool read(Oid store, const key& id, entry& found);

/// Looks at every page; the number of entries.  SQLSTATE XX001 names the first page that is
/// damaged.
[[nodiscard]] std::int64_t check(Oid store);

/// Makes an entry at least as strict as `from`: what INSERT and COPY do.
void merge(Relation relation, const entry& from);

/// The part of a page that entries are kept in.
[[nodiscard]] inline vrm::lockout::page view(Page page) noexcept {
  constexpr std::size_t head = MAXALIGN(SizeOfPageHeaderData);
  // Behind PostgreSQL's own header, whose LSN and checksum are looked after by the buffer manager.
  return vrm::lockout::page({reinterpret_cast<std::byte*>(PageGetContents(page)), BLCKSZ - head});
}

/// Tells PostgreSQL how much of the page is used.
/// What lies behind pd_lower is the page's hole, which full-page images leave out.
inline void set_used(Page page) noexcept {
  reinterpret_cast<PageHeader>(page)->pd_lower =
      static_cast<LocationIndex>(MAXALIGN(SizeOfPageHeaderData) + view(page).used());
}

/// The access method's callbacks.
[[nodiscard]] const TableAmRoutine* table_routine() noexcept;

void define_settings();

}  // namespace vrm::sql::lockout_store
