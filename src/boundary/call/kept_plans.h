#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "boundary/call/spi.h"

namespace pg {

/// Plans of queries whose text is put together at run time; a backend plans each once and keeps it.
/// Of a text that is known beforehand, see statement.h.
class kept_plans {
 public:
  /// Runs a read-only query with the snapshot of the calling statement, inside an spi_session,
  /// which then has its rows; how many.  Names are qualified.
  /// None of `values` may be null.
  std::uint64_t query(const std::string& text, std::span<const Oid> types,
                      std::span<const Datum> values) {
    const SPIPlanPtr plan = plan_of(text, types);
    return guarded([&] {
      SPI_execute_plan(plan, const_cast<Datum*>(values.data()), nullptr, true, 0);
      return SPI_processed;
    });
  }

 private:
  /// A bound on memory; past it everything is planned anew, which is rare enough.
  static constexpr std::size_t most = 64;

  SPIPlanPtr plan_of(const std::string& text, std::span<const Oid> types) {
    const auto query = std::pair(text, std::vector<Oid>(types.begin(), types.end()));
    const auto known = plans_.find(query);
    if (known != plans_.end()) return known->second;
    if (plans_.size() >= most) forget();
    const SPIPlanPtr made = guarded([&] {
      // Generic, because a custom plan would be made for the values of each execution anew.
      const SPIPlanPtr plan =
          SPI_prepare_cursor(text.c_str(), static_cast<int>(types.size()),
                             const_cast<Oid*>(types.data()), CURSOR_OPT_GENERIC_PLAN);
      if (plan == nullptr) elog(ERROR, "could not plan: %s", text.c_str());
      // Moves the plan out of SPI's memory, which goes with the connection.
      SPI_keepplan(plan);
      return plan;
    });
    return plans_.emplace(query, made).first->second;
  }
  void forget() {
    for (const auto& [query, plan] : plans_) SPI_freeplan(plan);
    plans_.clear();
  }

  std::map<std::pair<std::string, std::vector<Oid>>, SPIPlanPtr> plans_;
};

}  // namespace pg
