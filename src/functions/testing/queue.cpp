// vrm.claim_test_run(): takes calls out of the queue for a runner.
//
// Where runners have found calls last it looks on (queue_places.h): what was taken since the last
// vacuum, and what others are about to take, lies before.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "boundary/call/row_set.h"
#include "boundary/call/statement.h"
#include "boundary/table/fresh_snapshot.h"
#include "core/platform/error.h"
#include "functions/calls/caller.h"
#include "functions/platform/table.h"
#include "functions/testing/begun_calls.h"
#include "functions/testing/claimed_case.h"
#include "functions/testing/queue_places.h"

extern "C" {
#include "tcop/utility.h"
}

namespace vrm::sql {
namespace {

constexpr pg::known_table run_queue = platform_table("vrm", "run_queue");

pg::known_column queued_run("run_id");
pg::known_column queued_attempts("attempts");
pg::known_column lease_end("lease_until");

pg::statement<2> give_back("SELECT vrm_private.give_back($1, $2)", {UUIDOID, INT4OID});
pg::statement<1> check_lease("SELECT vrm_private.check_lease($1)", {INTERVALOID});
pg::statement<6> take_calls(
    "SELECT t.taken_id, t.attempt, t.lease_until"
    " FROM vrm_private.take_calls($1, $2, $3, $4, $5, $6) AS t",
    {UUIDOID, TEXTOID, INTERVALOID, UUIDOID, BOOLOID, INT4OID});

enum class part : std::uint8_t { given_back, all };

/// Calls that wait, in their order.
class waiting_calls {
 public:
  waiting_calls() : queue_(pg::open_for_writing(run_queue)) {}

  void seek(part of, const vrm::uuid& owner, const vrm::uuid& beginning) {
    if (reader_) reader_->finish();
    owner_ = owner;  // kept, as the index reader refers to them
    beginning_ = beginning;
    if (of == part::given_back) {
      reader_.emplace(queue_, "run_queue_given_back", run_queue.remedy);
      reader_->seek({owner_});
    } else {
      reader_.emplace(queue_, "run_queue_pkey", run_queue.remedy);
      reader_->seek({owner_, {beginning_, pg::index_key::comparison::at_least}});
    }
  }
  [[nodiscard]] bool next() { return reader_->next(); }
  [[nodiscard]] vrm::uuid run() const { return *reader_->value<vrm::uuid>(queued_run); }
  [[nodiscard]] std::int32_t attempts() const {
    return *reader_->value<std::int32_t>(queued_attempts);
  }

  [[nodiscard]] Relation relation() const noexcept { return queue_; }
  /// False when somebody else has it.
  [[nodiscard]] bool remove() {
    return !pg::is_being_changed(reader_->row()) && pg::remove_row(queue_, reader_->row());
  }

  void finish() {
    reader_->finish();
    pg::guarded([&] { table_close(queue_, NoLock); });
  }

 private:
  Relation queue_;
  std::optional<pg::index_reader> reader_;
  vrm::uuid owner_{};
  vrm::uuid beginning_{};
};

/// So many calls that others hold are passed over, before it is asked where they are by now.
constexpr int held_before_looking = 4;

/// One call of vrm.claim_test_run(): first what was given back, then what lies ahead, then all.
class claim {
 public:
  claim(const call_taker::lease_of& lease, const queue_place& place, std::int32_t most)
      : lease_(lease), place_(place), missing_(most) {}

  void take() {
    if (!take_natively()) take_by_statements();
    if (!has_met_ && missing_ > 0) place_.move(std::nullopt, true);
  }
  [[nodiscard]] const std::vector<taken_call>& taken() const noexcept { return taken_; }

 private:
  struct stage {
    part of;
    vrm::uuid beginning;
  };
  [[nodiscard]] std::vector<stage> stages() const {
    const vrm::uuid nowhere{};
    std::vector<stage> all = {{.of = part::given_back, .beginning = nowhere}};
    if (place_.beginning()) all.push_back({.of = part::all, .beginning = *place_.beginning()});
    all.push_back({.of = part::all, .beginning = nowhere});
    return all;
  }
  void note(const stage& now, const vrm::uuid& run) {
    if (now.of == part::given_back) return;
    has_met_ = true;
    place_.move(run, now.beginning == vrm::uuid{});
  }

  [[nodiscard]] bool take_natively();
  void take_met(waiting_calls& queue, call_taker& taker, const stage& now, int& held);
  void take_by_statements();
  [[nodiscard]] bool take_by_statement(const stage& now);

  call_taker::lease_of lease_;
  queue_place place_;
  std::int32_t missing_;
  std::vector<taken_call> taken_;
  bool has_met_ = false;  ///< one that nobody has had before
};

/// The call that the queue is at, unless somebody else has it; where many do, it is asked where
/// they are by now.
void claim::take_met(waiting_calls& queue, call_taker& taker, const stage& now, int& held) {
  const vrm::uuid run = queue.run();
  const std::int32_t attempts = queue.attempts();
  if (!queue.remove()) {
    const bool looks = now.beginning != vrm::uuid{} && ++held % held_before_looking == 0;
    const auto further = looks ? place_.further_than(run) : std::nullopt;
    if (further) queue.seek(now.of, lease_.owner, *further);
    return;
  }
  note(now, run);
  const auto call = taker.begin(lease_, run, attempts);
  if (!call) return;
  taken_.push_back(*call);
  --missing_;
}

/// False when a table has more to it, before anything is taken.
bool claim::take_natively() {
  const pg::fresh_snapshot snapshot;
  waiting_calls queue;
  std::optional<call_taker> taker;
  bool plain = true;
  for (const stage& now : stages()) {
    if (missing_ == 0 || !plain) break;
    queue.seek(now.of, lease_.owner, now.beginning);
    int held = 0;
    while (missing_ > 0 && queue.next()) {
      pg::check_for_interrupts();
      if (!taker) plain = taker.emplace().is_plain(queue.relation());
      if (!plain) break;
      take_met(queue, *taker, now, held);
    }
  }
  if (taker) taker->finish();
  queue.finish();
  return plain;
}

void claim::take_by_statements() {
  for (const stage& now : stages()) {
    while (missing_ > 0 && take_by_statement(now)) continue;
  }
}

/// Whether any was met; some of them may have begun, or ended, without a runner.
bool claim::take_by_statement(const stage& now) {
  const pg::spi_session session;
  const std::uint64_t met =
      take_calls.run({lease_.owner, lease_.runner, std::chrono::microseconds(lease_.length),
                      now.beginning, now.of == part::given_back, missing_});
  vrm::uuid last{};
  for (std::uint64_t row = 0; row < met; ++row) {
    const auto run = *session.column<vrm::uuid>(row, 1);
    last = std::max(last, run);
    const auto attempt = session.column<std::int32_t>(row, 2);
    if (!attempt) continue;
    const Datum until = *session.datum(row, 3);
    taken_.push_back({.run = run, .attempt = *attempt, .lease_until = DatumGetTimestampTz(until)});
    --missing_;
  }
  if (met > 0) note(now, last);
  return met > 0;
}

bool has_lapsed_lease(const vrm::uuid& owner) {
  const pg::fresh_snapshot snapshot;
  const Relation leases = pg::open_for_writing(run_leases);
  pg::index_reader by_end(leases, "run_leases_until", run_leases.remedy);
  bool lapsed = false;
  if (by_end.find({owner})) {
    bool null = false;
    lapsed = DatumGetTimestampTz(by_end.datum(lease_end, null)) < GetCurrentTimestamp();
  }
  by_end.finish();
  pg::guarded([&] { table_close(leases, NoLock); });
  return lapsed;
}

void check_most(std::optional<std::int32_t> most) {
  if (most && *most >= 1 && *most <= 1000) return;
  throw error("22023", "most must be from 1 to 1000")
      .detail("Got " + (most ? std::to_string(*most) : "null") + ".")
      .hint("SELECT run_id FROM vrm.claim_test_run(most => 16);");
}

void check_length(std::optional<std::chrono::microseconds> lease) {
  constexpr std::chrono::microseconds longest = std::chrono::hours(24);
  if (lease && lease->count() > 0 && *lease <= longest) return;
  const pg::spi_session session;
  check_lease.run({lease});
}

}  // namespace

void claim_test_run(pg::row_set& rows, std::optional<std::string_view> runner,
                    std::optional<std::chrono::microseconds> lease,
                    std::optional<std::int32_t> most) {
  const vrm::uuid owner = require_caller();
  constexpr std::size_t longest_name = 200;
  if (runner) check_text("runner", runner, longest_name, true);
  check_length(lease);
  check_most(most);
  pg::guarded([] {
    PreventCommandIfReadOnly("vrm.claim_test_run()");
    PreventCommandIfParallelMode("vrm.claim_test_run()");
  });
  if (has_lapsed_lease(owner)) {
    constexpr std::int32_t fewest = 16;
    const pg::spi_session session;
    give_back.run({owner, std::max(*most, fewest)});
  }
  claim calls({.owner = owner, .runner = runner, .length = lease->count()}, queue_place::of(owner),
              *most);
  calls.take();
  if (calls.taken().empty()) return;
  const pg::fresh_snapshot snapshot;
  case_teller teller;
  for (const taken_call& call : calls.taken()) teller.tell(rows, owner, call);
  teller.finish();
}

}  // namespace vrm::sql

PG_EXPORT(vrm_claim_test_run, vrm::sql::claim_test_run);
