// What is written to sealed columns: the trigger that binds it to its row.
#include <algorithm>
#include <optional>

#include "boundary/call/function.h"
#include "boundary/call/trigger.h"
#include "core/secrets/envelope.h"
#include "functions/secrets/fresh_envelopes.h"
#include "functions/secrets/passing_plaintext.h"
#include "functions/secrets/sealed_column.h"

extern "C" {
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"
}

namespace vrm::sql {
namespace {

/// Whether the column held the same bytes before.
bool is_unchanged(const sealed_column& column, byte_view envelope, TupleDesc descriptor,
                  HeapTuple old_row) {
  const auto before = envelope_in(column, descriptor, old_row);
  return before && std::ranges::equal(*before, envelope);
}

/// Of this backend, over all tables: tags say whose value it is.
fresh_envelopes fresh;

/// What is bound to a row already may be an earlier value of it, which somebody has kept: from
/// others than the table's owner, who restores dumps, it is taken only where it stands already.
void refuse_put_back(const sealed_column& column, byte_view envelope,
                     const pg::trigger_call& call) {
  const auto header = vrm::read_envelope_header(envelope, envelope.size());
  if (!header || header->bound == vrm::binding::none) return;
  const Relation relation = call.relation();
  if (call.old_row() != nullptr &&
      is_unchanged(column, envelope, RelationGetDescr(relation), call.old_row()))
    return;
  const Oid owner = RelationGetForm(relation)->relowner;
  if (fresh.has(envelope) || pg::guarded([=] { return has_privs_of_role(GetUserId(), owner); }))
    return;
  throw vrm::error("42501", "a sealed value that is bound to a row cannot be put back")
      .detail("It may be an earlier value of the row; only the owner of the table restores those.")
      .hint("Write vrm.seal($1).");
}

/// The value to store in place of `envelope` in `new_row`; nothing when it is right as it is.
std::optional<Datum> bound_value(const sealed_column& column, byte_view envelope,
                                 TupleDesc descriptor, HeapTuple new_row, HeapTuple old_row) {
  const auto header = vrm::read_envelope_header(envelope, envelope.size());
  if (!header) return std::nullopt;  // the column's CHECK refuses it
  const row_binding row = bind(column, new_row, descriptor);
  const keyring::binding_of here = row.binding(column);
  passing_plaintext plaintext(envelope);

  // Not bound yet: vrm.seal() makes these, and this is where they become the row's.
  if (header->bound == vrm::binding::none) {
    if (!plaintext.opened({}, envelope)) keyring::throw_cannot_be_opened();
    return plaintext.sealed(here);
  }
  if (plaintext.opened(here, envelope)) {
    const bool is_current = header->key_id == keyring::active_key_id() &&
                            header->per_subject == (here.subject != nullptr);
    return is_current ? std::nullopt : std::optional(plaintext.sealed(here));
  }
  // It comes from somewhere else, the row's primary key changes, or nobody can open it.
  if (old_row == nullptr) keyring::throw_cannot_be_opened();
  const row_binding before = bind(column, old_row, descriptor);
  // Nobody can open it, but it was there before: an UPDATE of other columns must not fail for that.
  if (before == row && is_unchanged(column, envelope, descriptor, old_row)) return std::nullopt;
  if (!plaintext.opened(before.binding(column), envelope)) keyring::throw_cannot_be_opened();
  return plaintext.sealed(here);
}

/// What binds the column of this trigger, read once for a statement.
const sealed_column& described(const pg::trigger_call& call) {
  FmgrInfo& function = call.function();
  if (function.fn_extra == nullptr) {
    const auto column = pg::guarded([&] { return describe(call.relation(), call.trigger()); });
    function.fn_extra = pg::construct_in<sealed_column>(function.fn_mcxt, column);
  }
  return *static_cast<const sealed_column*>(function.fn_extra);
}

}  // namespace

/// BEFORE INSERT OR UPDATE trigger: what is written is bound to its row, and sealed with the active
/// key.  What belongs to another row is refused; what nobody can open stays in its own.
HeapTuple bind_sealed(const pg::trigger_call& call) {
  const sealed_column& column = described(call);
  const TupleDesc descriptor = RelationGetDescr(call.relation());
  const auto envelope = envelope_in(column, descriptor, call.row());
  if (!envelope) return call.row();
  refuse_put_back(column, *envelope, call);
  const auto changed = bound_value(column, *envelope, descriptor, call.row(), call.old_row());
  if (!changed) return call.row();
  // In case the same command hands this row to the trigger once more.
  fresh.keep(pg::guarded([&] { return pg::datum_traits<byte_view>::from(*changed); }));
  return call.row_with(column.attribute, *changed);
}

}  // namespace vrm::sql

PG_EXPORT(vrm_bind_sealed, vrm::sql::bind_sealed);
