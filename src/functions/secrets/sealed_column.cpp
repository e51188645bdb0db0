#include "functions/secrets/sealed_column.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "boundary/value/varlena.h"
#include "core/platform/error.h"

extern "C" {
#include "access/relation.h"
#include "catalog/namespace.h"
#include "parser/parse_func.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace vrm::sql {
namespace {

/// Numbers are part of what values are authenticated with: never renumber.
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
  // For what it does besides: it finds out which index is that of the primary key.
  list_free(RelationGetIndexList(relation));
  if (!OidIsValid(relation->rd_pkindex)) {
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("table \"%s\" has no primary key", table),
            errdetail("Its sealed values are bound to it."),
            errhint("ALTER TABLE %s ADD PRIMARY KEY (...);", table));
  }
  const Relation index = relation_open(relation->rd_pkindex, AccessShareLock);
  // Of a longer key only the first columns bind.
  column.key_count =
      std::min(static_cast<std::size_t>(index->rd_index->indnkeyatts), most_key_columns);
  for (std::size_t i = 0; i < column.key_count; ++i) {
    column.key[i] = index->rd_index->indkey.values[i];
    // Domains are bound as the type below them.
    column.key_types[i] = getBaseType(TupleDescAttr(relation->rd_att, column.key[i] - 1)->atttypid);
  }
  relation_close(index, AccessShareLock);
}

std::int64_t integer(Oid type, Datum value) noexcept {
  return type == INT2OID   ? DatumGetInt16(value)
         : type == INT4OID ? DatumGetInt32(value)
                           : DatumGetInt64(value);
}

}  // namespace

sealed_column describe(Relation relation, const Trigger& trigger) {
  // Arguments of triggers are text, and part of the catalog: a dump brings them along.
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

Oid bind_trigger_function() {
  return pg::guarded([] {
    List* const name = list_make2(makeString(pstrdup("vrm")), makeString(pstrdup("bind_sealed")));
    return LookupFuncName(name, 0, nullptr, false);
  });
}

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

std::optional<byte_view> envelope_in(const sealed_column& column, TupleDesc descriptor,
                                     HeapTuple row) {
  bool null = false;
  const Datum value = heap_getattr(row, column.attribute, descriptor, &null);
  if (null) return std::nullopt;
  return pg::guarded([&] { return pg::datum_traits<byte_view>::from(value); });
}

row_binding::row_binding(const sealed_column& column) {
  // Room for the id and for a key of two uuids: 16 + 2 * 17 bytes.
  context_.reserve(64);
  append(column.id.bytes.data(), column.id.bytes.size());
}

void row_binding::add(const sealed_column& column, std::size_t position, Datum value) {
  const key_type kind = kind_of(column.key_types[position]);
  // The kind, then a fixed size or a length before the bytes: no two keys give one context.
  context_.push_back(static_cast<std::byte>(kind));
  if (kind == key_type::uuid) {
    const auto id = pg::datum_traits<vrm::uuid>::from(value);
    append(id.bytes.data(), id.bytes.size());
    if (position == 0) subject_ = id;
  } else if (kind == key_type::integer) {
    // Always 8 bytes, so that values still open when the key's type becomes bigint.
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

void row_binding::append(const void* data, std::size_t size) {
  const auto bytes = std::span(static_cast<const std::byte*>(data), size);
  context_.insert(context_.end(), bytes.begin(), bytes.end());
}

void row_binding::append_number(std::uint64_t number, std::size_t size) {
  // Big endian on every platform: a dump may be restored on another.
  for (std::size_t i = size; i-- > 0;) {
    context_.push_back(static_cast<std::byte>(number >> (8 * i) & 0xFF));
  }
}

row_binding bind(const sealed_column& column, HeapTuple row, TupleDesc descriptor) {
  row_binding bound(column);
  for (std::size_t i = 0; i < column.key_count; ++i) {
    bool null = false;
    const Datum value = heap_getattr(row, column.key[i], descriptor, &null);
    if (null) throw vrm::error("23502", "a column of the primary key is null");
    bound.add(column, i, value);
  }
  return bound;
}

sealed_column require_sealed(const pg::relation_scope& relation, pg::name_view column_name) {
  const AttrNumber attribute =
      pg::guarded([&] { return get_attnum(RelationGetRelid(relation.get()), column_name.text); });
  const auto column = find_column(relation.get(), attribute);
  if (column) return *column;
  const std::string name = relation.quoted_name();
  throw vrm::error("55000", "column is not sealed")
      .detail("Column \"" + std::string(column_name.text) + "\" of " + name + ".")
      .hint("SELECT vrm.seal_column('" + name + "', '" + column_name.text + "');");
}

}  // namespace vrm::sql
