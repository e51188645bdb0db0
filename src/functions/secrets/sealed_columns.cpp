// Columns whose values open only in their own row: the trigger that binds what is written,
// vrm.reveal_row(), what rotation does to rows, and values on their way to another database.
//
// The trigger is the registration that counts.  Its argument is the column's id, its column list
// names the sealed column first; PostgreSQL keeps the list right when columns are renamed or a dump
// is restored.  A value's context is the column's id, then for each column of the primary key a
// byte for its type and its value (doc/secrets/secrets.md).
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/call/spi.h"
#include "boundary/call/trigger.h"
#include "boundary/table/relation.h"
#include "boundary/table/row_at.h"
#include "boundary/table/row_updater.h"
#include "boundary/value/tuple.h"
#include "boundary/value/varlena.h"
#include "core/secrets/envelope.h"
#include "core/secrets/record_text.h"
#include "functions/secrets/keyring.h"
#include "functions/secrets/secret.h"

extern "C" {
#include "access/relation.h"
#include "catalog/namespace.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace vrm::sql {
namespace {

using vrm::byte_view;

constexpr std::size_t most_key_columns = 8;

/// A sealed column, as trivially destructible as a guard wants it.
struct sealed_column {
  vrm::uuid id;
  AttrNumber attribute;
  bool per_subject;  ///< the first column of the primary key is the subject
  std::size_t key_count;
  std::array<AttrNumber, most_key_columns> key;
  std::array<Oid, most_key_columns> key_types;
};

enum class key_type : std::uint8_t { none = 0, uuid = 1, integer = 2, bytes = 3 };

key_type kind_of(Oid type) noexcept {
  switch (type) {
    case UUIDOID:
      return key_type::uuid;
    case INT2OID:
    case INT4OID:
    case INT8OID:
      return key_type::integer;
    case TEXTOID:
    case VARCHAROID:
    case BYTEAOID:
      return key_type::bytes;
    default:
      return key_type::none;
  }
}

/// Adds the primary key of `relation`.  Runs inside a guard.
void describe_key(Relation relation, sealed_column& column) {
  const char* const table = RelationGetRelationName(relation);
  list_free(RelationGetIndexList(relation));
  if (!OidIsValid(relation->rd_pkindex)) {
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("table \"%s\" has no primary key", table),
            errdetail("Its sealed values are bound to it."),
            errhint("ALTER TABLE %s ADD PRIMARY KEY (...);", table));
  }
  const Relation index = relation_open(relation->rd_pkindex, AccessShareLock);
  column.key_count =
      std::min(static_cast<std::size_t>(index->rd_index->indnkeyatts), most_key_columns);
  for (std::size_t i = 0; i < column.key_count; ++i) {
    column.key[i] = index->rd_index->indkey.values[i];
    column.key_types[i] = getBaseType(TupleDescAttr(relation->rd_att, column.key[i] - 1)->atttypid);
  }
  relation_close(index, AccessShareLock);
}

/// Reads of `relation` and its trigger what binds the column.  Runs inside a guard.
sealed_column describe(Relation relation, const Trigger& trigger) {
  const std::span arguments(trigger.tgargs, static_cast<std::size_t>(trigger.tgnargs));
  const auto id = vrm::parse_uuid(arguments.empty() ? "" : arguments[0]);
  if (trigger.tgnattr == 0 || !id) {
    ereport(
        ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
        errmsg("trigger \"%s\" does not name a sealed column", trigger.tgname),
        errhint("SELECT vrm.seal_column('%s', 'column_name');", RelationGetRelationName(relation)));
  }
  sealed_column column{};
  column.id = *id;
  column.attribute = trigger.tgattr[0];
  column.per_subject = arguments.size() > 1 && std::string_view(arguments[1]) == "subject";
  describe_key(relation, column);
  return column;
}

/// The context of one row, and whose it is.
class row_binding {
 public:
  void start(const sealed_column& column) {
    context_.reserve(64);
    append(column.id.bytes.data(), column.id.bytes.size());
  }

  /// Appends one column of the primary key.
  void add(const sealed_column& column, std::size_t position, Datum value) {
    const key_type kind = kind_of(column.key_types[position]);
    context_.push_back(static_cast<std::byte>(kind));
    if (kind == key_type::uuid) {
      const auto id = pg::datum_traits<vrm::uuid>::from(value);
      append(id.bytes.data(), id.bytes.size());
      if (position == 0) subject_ = id;
    } else if (kind == key_type::integer) {
      append_number(static_cast<std::uint64_t>(integer(column.key_types[position], value)), 8);
    } else if (kind == key_type::bytes) {
      const auto text = pg::guarded([&] { return pg::detail::payload(value); });
      append_number(text.size(), 4);
      append(text.data(), text.size());
    } else {
      throw vrm::error("0A000", "values cannot be bound to a primary key of this type")
          .detail("Supported types: uuid, smallint, integer, bigint, text, varchar, bytea.")
          .hint(
              "Give the table a primary key of such types, for example: id uuid DEFAULT "
              "vrm.uuid7().");
    }
  }

  [[nodiscard]] keyring::binding_of binding(const sealed_column& column) const noexcept {
    return {.bound = vrm::binding::row,
            .context = context_,
            .subject = column.per_subject && subject_ ? &*subject_ : nullptr};
  }

  friend bool operator==(const row_binding&, const row_binding&) = default;

 private:
  static std::int64_t integer(Oid type, Datum value) noexcept {
    return type == INT2OID   ? DatumGetInt16(value)
           : type == INT4OID ? DatumGetInt32(value)
                             : DatumGetInt64(value);
  }
  void append(const void* data, std::size_t size) {
    const auto bytes = std::span(static_cast<const std::byte*>(data), size);
    context_.insert(context_.end(), bytes.begin(), bytes.end());
  }
  void append_number(std::uint64_t number, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) {
      context_.push_back(static_cast<std::byte>(number >> (8 * i) & 0xFF));
    }
  }

  std::vector<std::byte> context_;
  std::optional<vrm::uuid> subject_;
};

row_binding bind(const sealed_column& column, HeapTuple row, TupleDesc descriptor) {
  row_binding bound;
  bound.start(column);
  for (std::size_t i = 0; i < column.key_count; ++i) {
    bool null = false;
    const Datum value = heap_getattr(row, column.key[i], descriptor, &null);
    if (null) throw vrm::error("23502", "a column of the primary key is null");
    bound.add(column, i, value);
  }
  return bound;
}

/// Plaintext on its way from one envelope to another.
class passing_plaintext {
 public:
  explicit passing_plaintext(byte_view envelope) {  // NOLINT(*-member-init): small_ is costly
    const std::size_t size = keyring::opened_size(envelope);
    if (size > small_.size()) large_.resize(size);
    bytes_ = size > small_.size() ? std::span(large_) : std::span(small_).first(size);
  }
  ~passing_plaintext() { vrm::openssl::wipe(bytes_); }
  passing_plaintext(const passing_plaintext&) = delete;
  passing_plaintext& operator=(const passing_plaintext&) = delete;

  [[nodiscard]] byte_view bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool opened(const keyring::binding_of& binding, byte_view envelope) {
    return keyring::try_open(binding, envelope, bytes_);
  }
  [[nodiscard]] bool opened(vrm::data_key& key, const vrm::envelope_header& header,
                            byte_view context, byte_view envelope) {
    return key.open(header, context, envelope, bytes_);
  }
  [[nodiscard]] Datum sealed(const keyring::binding_of& binding) const {
    const pg::bytea_result envelope(keyring::sealed_size(bytes_.size()));
    keyring::seal(binding, bytes_, envelope.bytes());
    return envelope.datum();
  }

 private:
  std::array<std::byte, 256> small_;
  std::vector<std::byte> large_;
  std::span<std::byte> bytes_;
};

/// What the column holds in this row; nothing when it is null.
std::optional<byte_view> envelope_in(const sealed_column& column, TupleDesc descriptor,
                                     HeapTuple row) {
  bool null = false;
  const Datum value = heap_getattr(row, column.attribute, descriptor, &null);
  if (null) return std::nullopt;
  return pg::guarded([&] { return pg::datum_traits<byte_view>::from(value); });
}

/// Whether the column held the same bytes before.
bool is_unchanged(const sealed_column& column, byte_view envelope, TupleDesc descriptor,
                  HeapTuple old_row) {
  const auto before = envelope_in(column, descriptor, old_row);
  return before && std::ranges::equal(*before, envelope);
}

/// The value to store in place of `envelope` in `new_row`; nothing when it is right as it is.
std::optional<Datum> bound_value(const sealed_column& column, byte_view envelope,
                                 TupleDesc descriptor, HeapTuple new_row, HeapTuple old_row) {
  const auto header = vrm::read_envelope_header(envelope, envelope.size());
  if (!header) return std::nullopt;  // the column's CHECK refuses it
  const row_binding row = bind(column, new_row, descriptor);
  const keyring::binding_of here = row.binding(column);
  passing_plaintext plaintext(envelope);

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
  if (before == row && is_unchanged(column, envelope, descriptor, old_row)) return std::nullopt;
  if (!plaintext.opened(before.binding(column), envelope)) keyring::throw_cannot_be_opened();
  return plaintext.sealed(here);
}

/// A value in a row that somebody asks about, and what binds it there.
struct stored_value {
  byte_view envelope;
  std::optional<vrm::envelope_header> header;
  row_binding row;

  [[nodiscard]] bool opens(const sealed_column& column, passing_plaintext& plaintext) const {
    const bool is_free = header && header->bound == vrm::binding::none;
    return plaintext.opened(is_free ? keyring::binding_of{} : row.binding(column), envelope);
  }
};

/// Nothing when the column is null.
std::optional<stored_value> value_in(const sealed_column& column, TupleDesc descriptor,
                                     HeapTuple row) {
  const auto envelope = envelope_in(column, descriptor, row);
  if (!envelope) return std::nullopt;
  return stored_value{.envelope = *envelope,
                      .header = vrm::read_envelope_header(*envelope, envelope->size()),
                      .row = bind(column, row, descriptor)};
}

/// The value of the row under the active key; nothing when it is under `key_id`, null, or when
/// nobody can open it.
std::optional<Datum> resealed(const sealed_column& column, TupleDesc descriptor, HeapTuple row,
                              std::int64_t key_id) {
  const auto value = value_in(column, descriptor, row);
  if (!value || !value->header || value->header->key_id == key_id) return std::nullopt;
  passing_plaintext plaintext(value->envelope);
  if (!value->opens(column, plaintext)) return std::nullopt;
  return plaintext.sealed(value->row.binding(column));
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

Oid bind_trigger_function() {
  return pg::guarded([] {
    List* const name = list_make2(makeString(pstrdup("vrm")), makeString(pstrdup("bind_sealed")));
    return LookupFuncName(name, 0, nullptr, false);
  });
}

/// The column's trigger among those of the table.
std::optional<sealed_column> find_column(Relation relation, AttrNumber attribute) {
  const Oid function = bind_trigger_function();
  const TriggerDesc* const triggers = relation->trigdesc;
  for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
    const Trigger& trigger = triggers->triggers[i];
    if (trigger.tgfoid == function && trigger.tgnattr > 0 && trigger.tgattr[0] == attribute) {
      return pg::guarded([&] { return describe(relation, trigger); });
    }
  }
  return std::nullopt;
}

/// The sealed column of this name; SQLSTATE 55000 when it is none.
sealed_column require_column(const pg::relation_scope& relation, pg::relation_id table,
                             pg::name_view column_name) {
  const AttrNumber attribute = pg::guarded([&] { return get_attnum(table.oid, column_name.text); });
  const auto column = find_column(relation.get(), attribute);
  if (column) return *column;
  const std::string name = relation.quoted_name();
  throw vrm::error("55000", "column is not sealed")
      .detail("Column \"" + std::string(column_name.text) + "\" of " + name + ".")
      .hint("SELECT vrm.seal_column('" + name + "', '" + column_name.text + "');");
}

/// What two databases share for a transfer, 32 bytes in base64.
vrm::secret_key transfer_key(const secret& argument) {
  const unmasked text(argument);
  const auto key = vrm::decode_key(text.text());
  if (key) return *key;
  throw vrm::error("22023", "the transfer key is not 32 bytes in base64")
      .detail("It has " + std::to_string(text.text().size()) + " characters, not 44.")
      .hint("Make one in the shell: openssl rand -base64 32");
}

/// Runs the query that finds the row as the caller, so that privileges and policies hold: sealed
/// value first, then the primary key.
bool find_row(const pg::spi_session& spi, const pg::relation_scope& relation,
              const sealed_column& column, const std::vector<std::string>& values) {
  const auto quoted = [&](AttrNumber attribute) {
    return pg::guarded([&] {
      return quote_identifier(
          NameStr(TupleDescAttr(relation.get()->rd_att, attribute - 1)->attname));
    });
  };
  std::string query = std::string("SELECT ") + quoted(column.attribute);
  std::string condition;
  for (std::size_t i = 0; i < column.key_count; ++i) {
    const std::string name = quoted(column.key[i]);
    const char* const type = pg::guarded([&] { return format_type_be(column.key_types[i]); });
    const char* const literal = pg::guarded([&] { return quote_literal_cstr(values[i].c_str()); });
    query.append(", ").append(name);
    condition.append(i == 0 ? " WHERE " : " AND ").append(name);
    condition.append(" OPERATOR(pg_catalog.=) ").append(literal).append("::").append(type);
  }
  query.append(" FROM ").append(relation.quoted_name()).append(condition);
  return spi.query(query.c_str()) > 0;
}

}  // namespace

/// BEFORE INSERT OR UPDATE trigger: what is written is bound to its row, and sealed with the active
/// key.  What belongs to another row is refused; what nobody can open stays in its own.
HeapTuple bind_sealed(const pg::trigger_call& call) {
  const sealed_column& column = described(call);
  const TupleDesc descriptor = RelationGetDescr(call.relation());
  const auto envelope = envelope_in(column, descriptor, call.row());
  if (!envelope) return call.row();
  const auto changed = bound_value(column, *envelope, descriptor, call.row(), call.old_row());
  return changed ? call.row_with(column.attribute, *changed) : call.row();
}

/// What the sealed column of one row holds, for a caller who may read the row; null when there is
/// none.  `key` is the primary key as text, of several columns like a row: (first,second).
std::optional<pg::text_result> reveal_row(pg::relation_id table, pg::name_view column_name,
                                          std::string_view key) {
  const pg::relation_scope relation(table);
  const sealed_column column = require_column(relation, table, column_name);
  const std::vector<std::string> values = vrm::split_record(key, column.key_count);
  if (values.size() != column.key_count) {
    throw vrm::error("22023", "the primary key does not have that many columns")
        .detail("It has " + std::to_string(column.key_count) + ".")
        .hint("Several values read '(first,second)'.");
  }

  const MemoryContext result_context = CurrentMemoryContext;
  const pg::spi_session spi;
  if (!find_row(spi, relation, column, values)) return std::nullopt;
  row_binding bound;
  bound.start(column);
  for (std::size_t i = 0; i < column.key_count; ++i) {
    bound.add(column, i, spi.datum(0, static_cast<int>(i) + 2).value_or(Datum{0}));
  }
  const auto envelope = spi.column<std::span<const std::byte>>(0, 1);
  if (!envelope) return std::nullopt;
  const pg::context_scope outlives_spi(result_context);
  return revealed(bound.binding(column), *envelope);
}

/// Seals the column anew in the rows at `places` as the query sees them, unless it is under this
/// key already; how many it was.  What others have locked or changed, and what nobody can open,
/// stays.  Null, and nothing is done, where only an UPDATE does all that is to be done.
std::optional<std::int64_t> reseal_rows(pg::relation_id table, pg::name_view column_name,
                                        std::int64_t key_id, pg::tuple_addresses rows) {
  sealed_column column{};
  {
    const pg::relation_scope relation(table);
    const AttrNumber number = pg::guarded([&] { return get_attnum(table.oid, column_name.text); });
    const auto found = find_column(relation.get(), number);
    const bool suits =
        found && pg::row_updater::suits(relation.get(), number, bind_trigger_function());
    if (!suits) return std::nullopt;
    column = *found;
  }
  pg::row_updater updater(table);
  std::int64_t count = 0;
  for (const Datum place : rows.places) {
    pg::check_for_interrupts();
    const HeapTuple row = updater.find(pg::tuple_addresses::at(place));
    if (row == nullptr) continue;
    const pg::context_scope temporary(updater.scratch());
    const auto value = resealed(column, updater.descriptor(), row, key_id);
    if (value && updater.replace(column.attribute, *value)) ++count;
  }
  updater.finish();
  return count;
}

/// Whether the value opens that the column holds at `address`, as the query sees it.  Of a row that
/// it does not see, because somebody has changed it meanwhile, the trigger will find out; an UPDATE
/// that has waited for it does not say either which partition that is in.
bool opens_at(pg::relation_id table, pg::name_view column_name, pg::tuple_address address) {
  if (!OidIsValid(table.oid)) return true;
  const pg::relation_scope relation(table);
  const AttrNumber attribute = pg::guarded([&] { return get_attnum(table.oid, column_name.text); });
  const auto column = find_column(relation.get(), attribute);
  if (!column) return false;
  const HeapTuple row = pg::row_at(relation.get(), address.place);
  if (row == nullptr) return true;
  const auto value = value_in(*column, RelationGetDescr(relation.get()), row);
  if (!value) return true;
  if (!value->header) return false;
  passing_plaintext plaintext(value->envelope);
  return value->opens(*column, plaintext);
}

/// The sealed column of the row at `place`, sealed for another database that is given the transfer
/// key, too; null where there is none.
std::optional<pg::bytea_result> seal_for_transfer(pg::relation_id table, pg::name_view column_name,
                                                  pg::tuple_address address, secret key,
                                                  std::span<const std::byte> context) {
  const vrm::secret_key shared = transfer_key(key);
  const pg::relation_scope relation(table);
  const sealed_column column = require_column(relation, table, column_name);
  const HeapTuple row = pg::row_at(relation.get(), address.place);
  if (row == nullptr) return std::nullopt;
  const auto value = value_in(column, RelationGetDescr(relation.get()), row);
  if (!value) return std::nullopt;
  passing_plaintext plaintext(value->envelope);
  if (!value->opens(column, plaintext)) keyring::throw_cannot_be_opened();
  const vrm::envelope_header header{.bound = vrm::binding::context,
                                    .key_id = vrm::key_id_of(shared)};
  const pg::bytea_result envelope(keyring::sealed_size(plaintext.bytes().size()));
  vrm::data_key(shared).seal(header, context, plaintext.bytes(), envelope.bytes());
  return envelope;
}

/// The way back: the value as the column holds it in this row, under the active key of this
/// database.  Of the row nothing but the primary key is looked at.
pg::bytea_result seal_from_transfer(pg::relation_id table, pg::name_view column_name,
                                    pg::any_row row, std::span<const std::byte> value, secret key,
                                    std::span<const std::byte> context) {
  const vrm::secret_key shared = transfer_key(key);
  const pg::relation_scope relation(table);
  const sealed_column column = require_column(relation, table, column_name);
  if (HeapTupleHeaderGetTypeId(row.row) != relation.get()->rd_rel->reltype) {
    throw vrm::error("42804", "the row is not one of this table")
        .detail("The table is " + relation.quoted_name() + ".")
        .hint("SELECT ROW(NULL::" + relation.quoted_name() + ");");
  }
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(row.row);
  tuple.t_data = row.row;
  const row_binding bound = bind(column, &tuple, RelationGetDescr(relation.get()));
  const auto header = vrm::read_envelope_header(value, value.size());
  if (!header) keyring::throw_cannot_be_opened();
  passing_plaintext plaintext(value);
  vrm::data_key from(shared);
  if (!plaintext.opened(from, *header, context, value)) {
    throw vrm::error("22000", "the value does not open with this transfer key")
        .detail("It was exported with another one, or from another place.")
        .hint("SELECT vrm.export_tenant($1, transfer_key => $2);");
  }
  const pg::bytea_result envelope(keyring::sealed_size(plaintext.bytes().size()));
  keyring::seal(bound.binding(column), plaintext.bytes(), envelope.bytes());
  return envelope;
}

}  // namespace vrm::sql

PG_EXPORT(vrm_seal_for_transfer, vrm::sql::seal_for_transfer);
PG_EXPORT(vrm_seal_from_transfer, vrm::sql::seal_from_transfer);
PG_EXPORT(vrm_opens_at, vrm::sql::opens_at);
PG_EXPORT(vrm_reseal_rows, vrm::sql::reseal_rows);
PG_EXPORT(vrm_bind_sealed, vrm::sql::bind_sealed);
PG_EXPORT(vrm_reveal_row, vrm::sql::reveal_row);
