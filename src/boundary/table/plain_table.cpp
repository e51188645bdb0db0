// Writes rows below the executor where that leaves nothing out.
#include "boundary/table/plain_table.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "boundary/table/access_method.h"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "nodes/bitmapset.h"
#include "nodes/nodes.h"
#include "optimizer/optimizer.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
}

namespace pg {
namespace {

bool is_among(const char* name, std::span<const char* const> names) {
  return std::ranges::any_of(names,
                             [name](const char* one) { return std::strcmp(name, one) == 0; });
}

bool fires_on(const Trigger& trigger, write how) noexcept {
  switch (how) {
    case write::insert:
      return TRIGGER_FOR_INSERT(trigger.tgtype);
    case write::update:
      return TRIGGER_FOR_UPDATE(trigger.tgtype);
    case write::remove:
      break;
  }
  return TRIGGER_FOR_DELETE(trigger.tgtype);
}

bool is_off(const Trigger& trigger) noexcept {
  return trigger.tgenabled == TRIGGER_DISABLED || trigger.tgenabled == TRIGGER_FIRES_ON_REPLICA;
}

/// Whether a new row without some columns would have to get something there.
bool needs_more_columns(Relation table, std::span<known_column* const> given) {
  TupleDesc columns = RelationGetDescr(table);
  for (int number = 1; number <= columns->natts; ++number) {
    const FormData_pg_attribute* column = TupleDescAttr(columns, number - 1);
    if (column->attisdropped || !(column->attnotnull || column->atthasdef)) continue;
    bool is_given = false;
    for (known_column* const one : given) is_given = is_given || one->number_in(table) == number;
    if (!is_given) return true;
  }
  return false;
}

/// Columns that CHECK constraints of a table are about, but for some; kept in the backend.
class checked_columns {
 public:
  /// Lasts until the next call.
  const Bitmapset* of(Relation table, std::span<const char* const> known) {
    const TupleConstr* const rules = RelationGetDescr(table)->constr;
    const std::span<const ConstrCheck> checks(rules->check, rules->num_check);
    seen& kept = tables_[RelationGetRelid(table)];
    if (!kept.is_of(checks)) kept.look_at(checks, known);
    return kept.columns;
  }

 private:
  struct seen {
    std::vector<std::string> texts;
    Bitmapset* columns = nullptr;

    [[nodiscard]] bool is_of(std::span<const ConstrCheck> checks) const {
      return std::ranges::equal(checks, texts, [](const ConstrCheck& check, const auto& text) {
        return text == check.ccbin;
      });
    }
    void look_at(std::span<const ConstrCheck> checks, std::span<const char* const> known) {
      texts.clear();
      guarded([&] {
        Bitmapset* found = nullptr;
        for (const ConstrCheck& check : checks) {
          if (is_among(check.ccname, known)) continue;
          pull_varattnos(static_cast<Node*>(stringToNode(check.ccbin)), 1, &found);
        }
        const MemoryContext outer = MemoryContextSwitchTo(TopMemoryContext);
        bms_free(columns);
        columns = bms_copy(found);
        MemoryContextSwitchTo(outer);
      });
      for (const ConstrCheck& check : checks) texts.emplace_back(check.ccbin);
    }
  };
  std::map<Oid, seen> tables_;
};

/// Made by who asks first, so that loading the module makes nothing.
checked_columns& checked() {
  static auto* const kept = new checked_columns;
  return *kept;
}

bool checks_hold(Relation table, write how, const plain_rules& rules) {
  const TupleConstr* const constraints = RelationGetDescr(table)->constr;
  if (how == write::remove || constraints == nullptr) return true;
  if (how == write::insert) {
    const std::span<const ConstrCheck> checks(constraints->check, constraints->num_check);
    return std::ranges::all_of(
        checks, [&](const ConstrCheck& check) { return is_among(check.ccname, rules.checks); });
  }
  if (constraints->num_check == 0) return true;
  const Bitmapset* const about = checked().of(table, rules.checks);
  return std::ranges::none_of(rules.columns, [&](known_column* column) {
    const int number = guarded([&] { return column->number_in(table); });
    return bms_is_member(number - FirstLowInvalidHeapAttributeNumber, about) ||
           bms_is_member(-FirstLowInvalidHeapAttributeNumber, about);  // the whole row
  });
}

bool has_other_triggers(const TriggerDesc* triggers, write how, const plain_rules& rules) {
  int keys = 0;
  for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
    const Trigger& trigger = triggers->triggers[i];
    if (!fires_on(trigger, how) || is_off(trigger)) continue;
    if (RI_FKey_trigger_type(trigger.tgfoid) == RI_TRIGGER_NONE) {
      if (!rules.knows(trigger)) return true;
    } else if (how != write::update) {  // which leaves keys as they are
      ++keys;
    }
  }
  return keys > rules.keys;
}

}  // namespace

Relation open_for_writing(const known_table& table) {
  return guarded([&] { return table_open(placement_of(oid_of(table)), RowExclusiveLock); });
}

Relation open_for_reading(const known_table& table) {
  return guarded([&] { return table_open(placement_of(oid_of(table)), AccessShareLock); });
}

bool is_plain(Relation table, write how, const plain_rules& rules) {
  const bool asks_nobody = guarded([&] {
    return stands_alone(table) &&
           (how != write::insert || !needs_more_columns(table, rules.columns)) &&
           // A copy: who is asked may look into catalogs, and news that come with that free the
           // relation's own.
           !has_other_triggers(CopyTriggerDesc(table->trigdesc), how, rules);
  });
  return asks_nobody && checks_hold(table, how, rules);
}

bool is_open_to_user(Relation table) {
  return guarded([&] {
    return SessionReplicationRole == SESSION_REPLICATION_ROLE_ORIGIN &&
           check_enable_rls(RelationGetRelid(table), InvalidOid, true) != RLS_ENABLED;
  });
}

plain_table::plain_table(const known_table& table) {
  const Relation opened = open_for_writing(table);
  guarded([&] {
    target_.open({RelationGetRelid(opened)});
    table_close(opened, NoLock);
    written_ = MakeSingleTupleTableSlot(target_.descriptor(), &TTSOpsHeapTuple);
    scratch_ =
        AllocSetContextCreate(CurrentMemoryContext, "row being written", ALLOCSET_SMALL_SIZES);
  });
}

void plain_table::insert(std::span<const new_value> values) {
  guarded([&] {
    MemoryContextReset(scratch_);
    target_.forget_row();
    const MemoryContext outer = MemoryContextSwitchTo(scratch_);
    const auto columns = static_cast<Size>(target_.descriptor()->natts);
    auto* const all = static_cast<Datum*>(palloc0(columns * sizeof(Datum)));
    auto* const nulls = static_cast<bool*>(palloc(columns));
    std::memset(nulls, 1, columns);
    for (const new_value& one : values) {
      const AttrNumber number = one.column->number_in(relation());
      all[number - 1] = one.value;
      nulls[number - 1] = false;
    }
    ExecStoreHeapTuple(heap_form_tuple(target_.descriptor(), all, nulls), written_, false);
    written_->tts_tableOid = RelationGetRelid(relation());
    table_tuple_insert(relation(), written_, GetCurrentCommandId(true), 0, nullptr);
    target_.add_index_entries(written_);
    ExecClearTuple(written_);
    MemoryContextSwitchTo(outer);
  });
}

bool plain_table::replace(TupleTableSlot* row, std::initializer_list<new_value> values) {
  return guarded([&] {
    constexpr std::size_t most = 8;
    std::array<int, most> numbers{};
    std::array<Datum, most> fresh{};
    std::array<bool, most> nulls{};
    int count = 0;
    for (const new_value& one : values) {
      const auto place = static_cast<std::size_t>(count++);
      numbers[place] = one.column->number_in(relation());
      fresh[place] = one.value;
    }
    MemoryContextReset(scratch_);
    target_.forget_row();
    const MemoryContext outer = MemoryContextSwitchTo(scratch_);
    const HeapTuple old = ExecFetchSlotHeapTuple(row, false, nullptr);
    const HeapTuple made = heap_modify_tuple_by_cols(old, target_.descriptor(), count,
                                                     numbers.data(), fresh.data(), nulls.data());
    ExecStoreHeapTuple(made, written_, false);
    const bool done = target_.update(row->tts_tid, written_);
    ExecClearTuple(written_);
    MemoryContextSwitchTo(outer);
    return done;
  });
}

void plain_table::finish() {
  guarded([&] {
    ExecDropSingleTupleTableSlot(written_);
    target_.close();
  });
}

bool is_being_changed(TupleTableSlot* row) {
  // A change that had ended before would have made the row another, or left a hint.
  const HeapTupleHeader header =
      reinterpret_cast<BufferHeapTupleTableSlot*>(row)->base.tuple->t_data;
  return (header->t_infomask & HEAP_XMAX_INVALID) == 0 &&
         !HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask);
}

bool remove_row(Relation table, TupleTableSlot* row) {
  return guarded([&] {
    TM_FailureData failure;
    return delete_row(table, &row->tts_tid, GetActiveSnapshot(), false, &failure) == TM_Ok;
  });
}

}  // namespace pg
