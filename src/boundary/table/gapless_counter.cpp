// A sequence without gaps, for rows that belong to no transaction.
#include "boundary/table/gapless_counter.h"

#include "boundary/error/guard.h"
#include "boundary/table/owner.h"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/sequence.h"
#include "fmgr.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace pg {
namespace {

/// A row that outlives ROLLBACK is written in a read-only transaction, too; so is its number.
class writable_scope {
 public:
  writable_scope() noexcept { XactReadOnly = false; }
  ~writable_scope() { XactReadOnly = was_; }
  writable_scope(const writable_scope&) = delete;
  writable_scope& operator=(const writable_scope&) = delete;

 private:
  bool was_ = XactReadOnly;
};

}  // namespace

// Not the sequence itself is locked: its own lock lasts until the transaction ends.
gapless_counter::gapless_counter(const known_table& sequence) {
  sequence_ = guarded([&] {
    const Oid schema = get_namespace_oid(sequence.schema, true);
    const Oid found = OidIsValid(schema) ? get_relname_relid(sequence.name, schema) : InvalidOid;
    return get_rel_relkind(found) == RELKIND_SEQUENCE ? found : InvalidOid;
  });
  if (!is_there()) return;
  const owner_scope owner(sequence);
  guarded([&] { LockDatabaseObject(RelationRelationId, sequence_, 0, ExclusiveLock); });
  // The destructor does not run for a constructor that throws.
  try {
    last_ = guarded([&] {
      LOCAL_FCINFO(call, 1);
      FmgrInfo function;
      fmgr_info(F_PG_SEQUENCE_LAST_VALUE, &function);
      InitFunctionCallInfoData(*call, &function, 1, InvalidOid, nullptr, nullptr);
      call->args[0] = {.value = ObjectIdGetDatum(sequence_), .isnull = false};
      const Datum last = FunctionCallInvoke(call);
      // Null: no number was ever taken.
      return call->isnull ? std::int64_t{0} : DatumGetInt64(last);
    });
  } catch (...) {
    UnlockDatabaseObject(RelationRelationId, sequence_, 0, ExclusiveLock);
    throw;
  }
}

gapless_counter::~gapless_counter() {
  if (is_there()) UnlockDatabaseObject(RelationRelationId, sequence_, 0, ExclusiveLock);
}

// setval() logs the very number; it asks for privileges, which the caller need not have.
void gapless_counter::advance() {
  const Oid owner_of = guarded([&] {
    const HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(sequence_));
    if (!HeapTupleIsValid(row)) elog(ERROR, "cache lookup failed for relation %u", sequence_);
    const Oid found = reinterpret_cast<Form_pg_class>(GETSTRUCT(row))->relowner;
    ReleaseSysCache(row);
    return found;
  });
  const owner_scope owner(owner_of);
  const writable_scope writable;
  guarded(
      [&] { DirectFunctionCall2(setval_oid, ObjectIdGetDatum(sequence_), Int64GetDatum(next())); });
  ++last_;
}

}  // namespace pg
