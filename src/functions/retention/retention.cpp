// CALL vrm.run_retention(): takes one policy after the other and does what is due in batches, each
// a transaction that takes about as long as the policy says.  What is due, and what becomes of it,
// is SQL in sql/retention/; here is when, how much at a time, and what if it fails.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "boundary/call/procedure.h"
#include "boundary/call/spi.h"
#include "core/platform/error.h"
#include "functions/retention/retention.h"

namespace vrm::sql {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

constexpr const char* example = "CALL vrm.run_retention();";
constexpr int most_retries = 10;
constexpr microseconds longest = std::chrono::days(1000);
constexpr std::int64_t most_batch_rows = 100000;

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

struct limits {
  std::optional<std::int64_t> rows;
  std::optional<clock::time_point> end;

  [[nodiscard]] bool is_over() const {
    return (rows && *rows <= 0) || (end && clock::now() >= *end);
  }
};

/// A range of blocks with about as many due rows as a batch should have.
struct window {
  std::int64_t first;
  std::int64_t last;
  std::int64_t expected;
};

struct run {
  std::int64_t id;
  std::int64_t batch_rows;
  double batch_ms;
  double nice_ratio;
  std::optional<double> max_lag_ms;
};

struct batch_result {
  std::optional<std::int64_t> rows;  ///< nothing when another batch was under way
  bool go_on;
};

/// Errors of which a second try may be free.
bool is_passing(const pg::error& e) {
  switch (e.sqlerrcode()) {
    case sqlstate{"55P03"}.packed():  // lock_not_available
    case sqlstate{"40P01"}.packed():  // deadlock_detected
    case sqlstate{"40001"}.packed():  // serialization_failure
      return true;
    default:
      return false;
  }
}

batch_result do_batch(std::int64_t run_id, const window& blocks, std::int64_t most) {
  const pg::spi_session spi;
  if (spi.execute("SELECT policy LIKE 'calls.%' FROM vrm.retention_runs WHERE run_id = $1",
                  run_id) == 0) {
    throw vrm::error("P0002", "retention run " + std::to_string(run_id) + " is not in the log")
        .detail("Its row of vrm.retention_runs was deleted while it ran.")
        .hint("CALL vrm.run_retention();");
  }
  const archiving_scope moving(spi.column<bool>(0, 1).value_or(false));
  spi.execute("SELECT rows_done, go_on FROM vrm_private.retention_batch($1, $2, $3, $4, $5)",
              run_id, blocks.first, blocks.last, blocks.expected, most);
  return {.rows = spi.column<std::int64_t>(0, 1), .go_on = spi.column<bool>(0, 2).value_or(true)};
}

/// Runs one policy; destroyed runs leave their row in vrm.retention_runs as it was committed.
class policy_run {
 public:
  policy_run(pg::procedure_call& call, std::string policy, limits& allowed)
      : call_(call), policy_(std::move(policy)), allowed_(allowed) {}

  void execute() {
    if (!begin()) return;
    std::exception_ptr thrown;
    std::string reason;
    try {
      find_blocks();
      work();
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
              .batch_ms = spi.column<double>(0, 3).value(),
              .nice_ratio = spi.column<double>(0, 4).value(),
              .max_lag_ms = spi.column<double>(0, 5)};
      if (const auto most = spi.column<double>(0, 6)) {
        const auto end = clock::now() + milliseconds(static_cast<std::int64_t>(*most));
        own_end_ = end;
      }
    });
    call_.commit();
    return begun;
  }

  void find_blocks() {
    call_.step([&] {
      const pg::spi_session spi;
      const auto found =
          spi.execute("SELECT block, due FROM vrm_private.retention_blocks($1)", run_.id);
      std::int64_t all = 0;
      blocks_.reserve(found);
      for (std::uint64_t row = 0; row < found; ++row) {
        const auto block = spi.column<std::int64_t>(row, 1).value();
        blocks_.push_back({block, block, spi.column<std::int64_t>(row, 2).value()});
        all += blocks_.back().expected;
      }
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
    while (next < blocks_.size()) {
      if (is_over()) {
        state_ = "stopped";
        return;
      }
      window blocks = blocks_[next];
      std::size_t after = next + 1;
      while (after < blocks_.size() && blocks.expected < run_.batch_rows) {
        blocks.last = blocks_[after].last;
        blocks.expected += blocks_[after].expected;
        ++after;
      }
      const auto began = clock::now();
      const batch_result done = attempt(blocks);
      if (!done.rows) continue;  // another batch was under way
      next = after;
      if (!done.go_on) {
        state_ = "stopped";
        return;
      }
      const auto took = std::chrono::duration_cast<microseconds>(clock::now() - began);
      adapt(blocks.expected, took);
      pause(took);
    }
  }

  /// One batch, committed; waits and tries again when something passing was in the way.
  batch_result attempt(const window& blocks) {
    const std::int64_t most = allowed_.rows.value_or(INT64_MAX);
    for (int retry = 0;; ++retry) {
      batch_result done{};
      bool passing = false;
      try {
        call_.step([&] { done = do_batch(run_.id, blocks, most); });
      } catch (const pg::error& e) {
        if (!is_passing(e) || retry >= most_retries) throw;
        passing = true;
      }
      if (passing) note_retry();
      call_.commit();
      if (!passing && done.rows) {
        if (allowed_.rows) *allowed_.rows -= *done.rows;
        return done;
      }
      if (is_over()) return {.rows = 0, .go_on = false};
      pg::procedure_call::sleep(milliseconds(passing ? 20 << std::min(retry, 6) : 5));
      if (!passing) return done;
    }
  }

  void note_retry() {
    call_.step([&] {
      const pg::spi_session spi;
      spi.execute("UPDATE vrm.retention_runs SET retries = retries + 1 WHERE run_id = $1", run_.id);
    });
    run_.batch_rows = std::max<std::int64_t>(1, run_.batch_rows / 2);
  }

  /// Aims at the time that a batch should take, at most twice or half the rows from one to the
  /// next.
  void adapt(std::int64_t rows, microseconds took) {
    const double factor =
        run_.batch_ms * 1000 / std::max<double>(1, static_cast<double>(took.count()));
    const double wanted =
        static_cast<double>(std::max<std::int64_t>(rows, 1)) * std::clamp(factor, 0.5, 2.0);
    run_.batch_rows =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(wanted), 1, most_batch_rows);
  }

  void pause(microseconds took) {
    const double rest = static_cast<double>(took.count()) * run_.nice_ratio;
    pg::procedure_call::sleep(microseconds(static_cast<std::int64_t>(rest)));
    pg::check_for_interrupts();
    while (run_.max_lag_ms && replica_lag() > *run_.max_lag_ms && !is_over()) {
      pg::procedure_call::sleep(milliseconds(100));
    }
  }

  double replica_lag() {
    double lag = 0;
    call_.step([&] {
      const pg::spi_session spi;
      spi.execute("SELECT vrm_private.replica_lag_ms()");
      lag = spi.column<double>(0, 1).value_or(0);
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
  limits& allowed_;  // NOLINT(*-ref-data-members): outlives the run
  run run_{};
  std::optional<clock::time_point> own_end_;
  std::vector<window> blocks_;
  const char* state_ = "done";
};

/// The policies to run, and what they need before: partitions to put rows into.
std::vector<std::string> prepare(pg::procedure_call& call,
                                 const std::optional<std::string>& policy) {
  std::vector<std::string> names;
  call.step([&] {
    const pg::spi_session spi;
    if (policy) {
      spi.execute("SELECT vrm_private.check_policy($1)", *policy);
      names.push_back(*policy);
    } else {
      const auto found = spi.execute("SELECT name FROM vrm.retention_policies ORDER BY name");
      for (std::uint64_t row = 0; row < found; ++row) {
        names.push_back(spi.column<std::string>(row, 1).value());
      }
    }
    spi.execute("SELECT vrm_private.make_archive_partitions(), vrm_private.make_log_partitions()");
  });
  call.commit();
  return names;
}

}  // namespace

bool is_archiving() { return archiving; }

std::optional<std::int64_t> retention_step(std::int64_t run_id, std::int64_t first_block,
                                           std::int64_t last_block, std::int64_t most) {
  return do_batch(run_id, {.first = first_block, .last = last_block, .expected = 0}, most).rows;
}

void run_retention(pg::procedure_call& call, std::optional<std::string_view> policy,
                   std::optional<std::int64_t> max_rows, std::optional<microseconds> max_runtime) {
  call.require_transaction_control(example);
  // The argument's memory is the first transaction's.
  const std::optional<std::string> wanted(policy);
  limits allowed{.rows = max_rows, .end = {}};
  if (max_runtime) allowed.end = clock::now() + std::min(*max_runtime, longest);
  call.commit();
  for (const std::string& name : prepare(call, wanted)) {
    policy_run(call, name, allowed).execute();
  }
}

}  // namespace vrm::sql

PG_EXPORT(vrm_is_archiving, vrm::sql::is_archiving);
PG_EXPORT(vrm_retention_step, vrm::sql::retention_step);
PG_EXPORT(vrm_run_retention, vrm::sql::run_retention);
