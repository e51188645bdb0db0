// A run of a retention policy: does what is due in batches, each a transaction that takes about as
// long as the policy says.  What is due, and what becomes of it, is SQL in sql/retention/; here is
// when, how much at a time, and what if it fails.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "boundary/call/procedure.h"
#include "boundary/call/spi.h"
#include "core/platform/error.h"
#include "functions/platform/grants.h"
#include "functions/retention/retention.h"

namespace vrm::sql {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using clock = retention_limits::clock;

constexpr int most_retries = 10;
constexpr std::int64_t most_batch_rows = 100000;
// Bytes as well as rows, since calls differ a thousandfold in size; adapt() moves both.
constexpr std::int64_t first_batch_bytes = 8 << 20;
constexpr std::int64_t fewest_batch_bytes = 1 << 20;
constexpr std::int64_t most_batch_bytes = 64 << 20;
/// So many rows refused one after the other, each because of something that is not there or not
/// allowed, mean that the fault is not the rows'.
constexpr int most_alike = 20;

bool archiving = false;

/// Tells triggers for the length of a scope that deletions are moves to the archive.
class archiving_scope {
 public:
  explicit archiving_scope(bool moves) noexcept { archiving = moves; }
  ~archiving_scope() { archiving = outer_; }
  archiving_scope(const archiving_scope&) = delete;
  archiving_scope& operator=(const archiving_scope&) = delete;

 private:
  bool outer_ = archiving;
};

/// A range of places in a table with about as many due rows as a batch should have.
struct window {
  std::int64_t relation;
  std::string after;  ///< ctid of the last row before it
  std::string last;
  std::int64_t expected;
  std::int64_t bytes;
  bool again;  ///< a row that was refused before
};

struct run {
  std::int64_t id;
  std::int64_t batch_rows;
  std::int64_t batch_bytes;
  double batch_ms;
  double nice_ratio;
  std::optional<double> max_lag_ms;
};

struct batch_result {
  std::optional<std::int64_t> rows;  ///< nothing when another batch was under way
  std::int64_t seen;
  std::int64_t bytes;
  std::string reached;  ///< ctid of the last row that was looked at, when there are more
  bool go_on;
};

bool is_in_class(int sqlerrcode, sqlstate state) {
  return ERRCODE_TO_CATEGORY(sqlerrcode) == state.packed();
}

/// Errors of which a second try may be free.
bool is_passing(int sqlerrcode) {
  return sqlerrcode == sqlstate{"55P03"}.packed() ||  // lock_not_available
         sqlerrcode == sqlstate{"40P01"}.packed() ||  // deadlock_detected
         sqlerrcode == sqlstate{"40001"}.packed();    // serialization_failure
}

std::string with_state(int sqlerrcode, const std::exception& error) {
  return std::string(unpack_sql_state(sqlerrcode)) + ": " + error.what();
}

}  // namespace

bool is_fatal(int sqlerrcode) {
  return is_in_class(sqlerrcode, "08000") || is_in_class(sqlerrcode, "25000") ||
         is_in_class(sqlerrcode, "53000") || is_in_class(sqlerrcode, "57000") ||
         is_in_class(sqlerrcode, "58000") || is_in_class(sqlerrcode, "F0000") ||
         is_in_class(sqlerrcode, "XX000");
}

namespace {

batch_result do_batch(std::int64_t run_id, const window& place, std::int64_t most,
                      std::optional<std::int64_t> most_bytes) {
  const pg::spi_session spi;
  if (spi.execute("SELECT policy LIKE 'calls.%' FROM vrm.retention_runs WHERE run_id = $1",
                  run_id) == 0) {
    throw vrm::error("P0002", "retention run " + std::to_string(run_id) + " is not in the log")
        .detail("Its row of vrm.retention_runs was deleted while it ran.")
        .hint("CALL vrm.run_retention();");
  }
  const archiving_scope moving(spi.column<bool>(0, 1).value_or(false));
  spi.execute(
      "SELECT rows_done, rows_seen, bytes_done, reached::text, go_on"
      " FROM vrm_private.retention_batch($1, $2, nullif($3, 0)::oid, $4::tid, $5::tid, $6,"
      " nullif($7, 0))",
      run_id, place.again, place.relation, place.after, place.last, most, most_bytes.value_or(0));
  return {.rows = spi.column<std::int64_t>(0, 1),
          .seen = spi.column<std::int64_t>(0, 2).value_or(0),
          .bytes = spi.column<std::int64_t>(0, 3).value_or(0),
          .reached = spi.column<std::string>(0, 4).value_or(""),
          .go_on = spi.column<bool>(0, 5).value_or(true)};
}

/// Runs one policy; destroyed runs leave their row in vrm.retention_runs as it was committed.
class policy_run {
 public:
  policy_run(pg::procedure_call& call, std::string policy, retention_limits& allowed)
      : call_(call), policy_(std::move(policy)), allowed_(allowed) {}

  void execute() {
    if (!begin()) return;
    std::exception_ptr thrown;
    std::string reason;
    try {
      find_places(false);
      work();
      if (std::string_view(state_) == "done") {
        find_places(true);
        work();
      }
    } catch (const pg::error& e) {
      thrown = std::current_exception();
      reason = with_state(e.sqlerrcode(), e);
    } catch (const vrm::error& e) {
      thrown = std::current_exception();
      reason = with_state(e.state().packed(), e);
    } catch (const std::exception& e) {
      thrown = std::current_exception();
      reason = e.what();
    }
    finish(thrown != nullptr ? "failed" : state_, reason);
    if (thrown != nullptr) std::rethrow_exception(thrown);
  }

 private:
  bool begin() {
    bool begun = false;
    call_.step([&] {
      const pg::spi_session spi;
      spi.execute(
          "SELECT run_id, batch_rows, batch_ms, nice_ratio, max_lag_ms, max_runtime_ms"
          " FROM vrm_private.begin_retention_run($1)",
          policy_);
      const auto id = spi.column<std::int64_t>(0, 1);
      if (!id) return;
      begun = true;
      run_ = {.id = *id,
              .batch_rows = spi.column<std::int32_t>(0, 2).value(),
              .batch_bytes = first_batch_bytes,
              .batch_ms = spi.column<double>(0, 3).value(),
              .nice_ratio = spi.column<double>(0, 4).value(),
              .max_lag_ms = spi.column<double>(0, 5)};
      if (const auto most = spi.column<double>(0, 6)) {
        own_end_ = clock::now() + milliseconds(static_cast<std::int64_t>(*most));
      }
    });
    call_.commit();
    return begun;
  }

  /// Where rows are due, or again: what was refused before.
  void find_places(bool again) {
    places_.clear();
    call_.step([&] {
      const pg::spi_session spi;
      const auto found = spi.execute(
          "SELECT relation::bigint, after::text, last::text, due, bytes"
          " FROM vrm_private.retention_blocks($1, $2)",
          run_.id, again);
      std::int64_t all = 0;
      // Copied, because the rows go with the session and the transaction ends below.
      places_.reserve(found);
      for (std::uint64_t row = 0; row < found; ++row) {
        places_.push_back({.relation = spi.column<std::int64_t>(row, 1).value(),
                           .after = spi.column<std::string>(row, 2).value(),
                           .last = spi.column<std::string>(row, 3).value(),
                           .expected = spi.column<std::int64_t>(row, 4).value(),
                           .bytes = spi.column<std::int64_t>(row, 5).value(),
                           .again = again});
        all += places_.back().expected;
      }
      if (again) return;
      spi.execute("UPDATE vrm.retention_runs SET estimated_rows = $2 WHERE run_id = $1", run_.id,
                  all);
    });
    call_.commit();
  }

  [[nodiscard]] bool is_over() const {
    return allowed_.is_over() || (own_end_ && clock::now() >= *own_end_);
  }

  void work() {
    std::size_t next = 0;
    while (next < places_.size()) {
      window place = places_[next];
      std::size_t after = next + 1;
      // Neighbours become one batch, as long as that stays within its aim.
      while (!place.again && after < places_.size() && places_[after].relation == place.relation &&
             place.expected < run_.batch_rows && place.bytes < run_.batch_bytes) {
        place.last = places_[after].last;
        place.expected += places_[after].expected;
        place.bytes += places_[after].bytes;
        ++after;
      }
      if (!take(place)) return;
      next = after;
    }
  }

  /// All that is due in one place, in as many batches as that takes; false when the run stops.
  bool take(window place) {
    std::int64_t rows = place.expected + 1;  // one more: fewer are there, so that it is through
    while (!is_over()) {
      const std::int64_t most = std::min(rows, allowed_.rows.value_or(INT64_MAX));
      const auto began = clock::now();
      batch_result done{};
      std::optional<pg::error> failed;
      try {
        done = attempt(place, most);
      } catch (const pg::error& e) {
        if (is_passing(e.sqlerrcode()) || is_fatal(e.sqlerrcode())) throw;
        failed = e;
      }
      if (failed) {
        if (!is_tried_again(place, most, *failed)) return true;
        rows = std::max<std::int64_t>(most / 2, 1);
        continue;
      }
      if (!done.rows) continue;  // another batch was under way
      if (!done.go_on) {
        state_ = "stopped";
        return false;
      }
      const auto took = std::chrono::duration_cast<microseconds>(clock::now() - began);
      if (done.seen > 0) alike_ = 0;
      adapt(done, took);
      pause(took);
      if (stop_requested_) {
        state_ = "stopped";
        return false;
      }
      place.expected -= done.seen;
      if (done.reached.empty() || (is_over() && place.expected <= 0)) return true;
      place.after = done.reached;
      rows = run_.batch_rows;
    }
    state_ = "stopped";
    return false;
  }

  /// Whether half as many rows may go where `most` could not; of a single one the reason is kept.
  bool is_tried_again(const window& place, std::int64_t most, const pg::error& failed) {
    const bool noted = (most == 1 || place.again) && refuse(place, failed);
    return !place.again && (most > 1 || noted);
  }

  /// One batch, committed; waits and tries again when something passing was in the way.
  batch_result attempt(const window& place, std::int64_t most) {
    for (int retry = 0;; ++retry) {
      batch_result done{};
      bool passing = false;
      try {
        // A place ends with a whole block: what that is too much is no batch of its own.  One byte
        // more, as there is one row more: a limit that is not reached needs no batch to find that
        // nothing is left.
        const std::int64_t most_bytes =
            std::clamp(place.bytes + 1, run_.batch_bytes, run_.batch_bytes + run_.batch_bytes / 4);
        call_.step([&] { done = do_batch(run_.id, place, most, most_bytes); });
      } catch (const pg::error& e) {
        if (!is_passing(e.sqlerrcode()) || retry >= most_retries) throw;
        passing = true;
      }
      if (passing) note_retry();
      call_.commit();
      if (!passing && done.rows) {
        if (allowed_.rows) *allowed_.rows -= *done.rows;
        return done;
      }
      if (is_over()) return {.rows = 0, .seen = 0, .bytes = 0, .reached = {}, .go_on = false};
      pg::procedure_call::sleep(milliseconds(passing ? 20 << std::min(retry, 6) : 5));
      if (!passing) return done;
    }
  }

  /// Keeps why the first row of a place could not go, so that the others do; false when it is not
  /// there any more.
  bool refuse(const window& place, const pg::error& why) {
    // Something missing or forbidden, not supported, or a trigger of all rows: not what is in one.
    const bool is_of_rows = !is_in_class(why.sqlerrcode(), "42000") &&
                            !is_in_class(why.sqlerrcode(), "0A000") &&
                            !is_in_class(why.sqlerrcode(), "09000");
    if (!is_of_rows && ++alike_ >= most_alike) throw why;
    const std::string state = unpack_sql_state(why.sqlerrcode());
    bool noted = false;
    call_.step([&] {
      const pg::spi_session spi;
      spi.execute("SELECT vrm_private.note_refusal($1, $2, $3::oid, $4::tid, $5::tid, $6, $7)",
                  run_.id, place.again, place.relation, place.after, place.last, state,
                  std::string(why.what()));
      noted = spi.column<bool>(0, 1).value_or(false);
    });
    call_.commit();
    return noted;
  }

  void note_retry() {
    call_.step([&] {
      const pg::spi_session spi;
      spi.execute("UPDATE vrm.retention_runs SET retries = retries + 1 WHERE run_id = $1", run_.id);
    });
    run_.batch_rows = std::max<std::int64_t>(1, run_.batch_rows / 2);
  }

  /// Aims at the time that a batch should take, at most twice or half of it from one to the next.
  /// What was left of a place, quick because it is little, is no reason to take less.
  void adapt(const batch_result& done, microseconds took) {
    const double factor = std::clamp(
        run_.batch_ms * 1000 / std::max<double>(1, static_cast<double>(took.count())), 0.5, 2.0);
    const auto aim = [factor](std::int64_t before, std::int64_t done_now, std::int64_t least,
                              std::int64_t most) {
      const auto wanted = static_cast<std::int64_t>(
          static_cast<double>(std::max<std::int64_t>(done_now, 1)) * factor);
      return std::clamp(factor < 1 ? wanted : std::max(wanted, before), least, most);
    };
    run_.batch_rows = aim(run_.batch_rows, done.seen, 1, most_batch_rows);
    run_.batch_bytes = aim(run_.batch_bytes, done.bytes, fewest_batch_bytes, most_batch_bytes);
  }

  void pause(microseconds took) {
    const double rest = static_cast<double>(took.count()) * run_.nice_ratio;
    pg::procedure_call::sleep(microseconds(static_cast<std::int64_t>(rest)));
    pg::check_for_interrupts();
    if (run_.max_lag_ms) wait_for_standbys(*run_.max_lag_ms);
  }

  /// Waits while the slowest standby catches up.  One that does not, though nothing is written
  /// here, is late on purpose (recovery_min_apply_delay): as late as that it may be from now on.
  void wait_for_standbys(double most_ms) {
    auto since = clock::now();
    double before = replica_lag();
    double lag = before;
    while (lag > most_ms + usual_lag_ms_ && !stop_requested_ && !is_over()) {
      pg::procedure_call::sleep(milliseconds(100));
      lag = replica_lag();
      const auto waited = std::chrono::duration<double, std::milli>(clock::now() - since).count();
      if (waited < std::max(most_ms, 1000.0)) continue;
      if (lag > 0.9 * before) usual_lag_ms_ = lag;
      since = clock::now();
      before = lag;
    }
  }

  /// Also hears whether somebody wants the run to stop.
  double replica_lag() {
    double lag = 0;
    call_.step([&] {
      const pg::spi_session spi;
      spi.execute(
          "SELECT vrm_private.replica_lag_ms(), EXISTS (SELECT FROM vrm.retention_runs r"
          " WHERE r.run_id = $1 AND r.stop_requested)",
          run_.id);
      lag = spi.column<double>(0, 1).value_or(0);
      stop_requested_ = spi.column<bool>(0, 2).value_or(false);
    });
    call_.commit();
    return lag;
  }

  void finish(const char* state, const std::string& reason) {
    call_.step([&] {
      const pg::spi_session spi;
      spi.execute("SELECT vrm_private.end_retention_run($1, $2, nullif($3, ''))", run_.id,
                  std::string(state), reason);
    });
    call_.commit();
  }

  pg::procedure_call& call_;  // NOLINT(*-ref-data-members): outlives the run
  std::string policy_;
  retention_limits& allowed_;  // NOLINT(*-ref-data-members): outlives the run
  run run_{};
  std::optional<clock::time_point> own_end_;
  std::vector<window> places_;
  double usual_lag_ms_ = 0;  ///< of a standby that is late on purpose
  bool stop_requested_ = false;
  int alike_ = 0;  ///< errors one after the other that are hardly the rows'
  const char* state_ = "done";
};

}  // namespace

bool is_archiving() { return archiving; }

std::optional<std::int64_t> retention_step(std::int64_t run_id, std::int64_t first_block,
                                           std::int64_t last_block, std::int64_t most) {
  const window place = {.relation = 0,
                        .after = "(" + std::to_string(first_block) + ",0)",
                        .last = "(" + std::to_string(last_block) + ",65535)",
                        .expected = 0,
                        .bytes = 0,
                        .again = false};
  return do_batch(run_id, place, most, std::nullopt).rows;
}

void run_policy(pg::procedure_call& call, const std::string& policy, retention_limits& allowed) {
  policy_run(call, policy, allowed).execute();
}

}  // namespace vrm::sql

PG_EXPORT(vrm_is_archiving, vrm::sql::is_archiving);
PG_EXPORT_CHECKED(vrm_retention_step, vrm::sql::require_grant, vrm::sql::retention_step);
