// A module for the test suite: its functions count how many C++ objects live and die on every way
// out.  It is made of the boundary and of nothing of the product, and is not installed.
#include <malloc.h>
#include <sys/resource.h>

#include <fstream>
#include <new>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/call/signatures.h"
#include "core/platform/error.h"

extern "C" {
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
}

extern "C" {
#pragma GCC visibility push(default)
PG_MODULE_MAGIC;
#pragma GCC visibility pop
}

namespace selftest {
namespace {

std::int64_t born = 0;
std::int64_t died = 0;

/// A C++ object with a destructor, and malloc'ed memory for a leak checker to find.
class probe {
 public:
  probe() : ballast_(64) { ++born; }
  probe(const probe&) = delete;
  probe& operator=(const probe&) = delete;
  ~probe() { ++died; }

 private:
  std::vector<char> ballast_;
};

struct not_an_exception {};

}  // namespace

std::int64_t probes_born() { return born; }
std::int64_t probes_alive() { return born - died; }

/// Bytes that malloc has given out: an exception that nobody destroys stays among them.
std::int64_t bytes_in_use() { return static_cast<std::int64_t>(mallinfo2().uordblks); }

std::int32_t raise(std::string_view kind) {
  const probe outer;
  const auto inner = [&] {
    const probe local;
    if (kind == "vrm")
      throw vrm::error("28P01", "core says no").detail("the detail").hint("the hint");
    if (kind == "bad_alloc") throw std::bad_alloc();
    if (kind == "length_error") throw std::length_error("too long");
    if (kind == "invalid_argument") throw std::invalid_argument("bad argument");
    if (kind == "out_of_range") throw std::out_of_range("index 7 of 1");
    if (kind == "system_error") throw std::system_error(ENOENT, std::generic_category(), "open");
    if (kind == "runtime_error") throw std::runtime_error("100% %s broken");
    if (kind == "int") throw 42;
    if (kind == "struct") throw not_an_exception();
  };
  inner();
  return 0;
}

/// Raises a PostgreSQL ERROR under live C++ objects.
std::int32_t divide(std::int32_t dividend, std::int32_t divisor) {
  const probe outer;
  const auto nested = [&] {
    const probe local;
    return pg::guarded([&] {
      return DatumGetInt32(
          DirectFunctionCall2(int4div, Int32GetDatum(dividend), Int32GetDatum(divisor)));
    });
  };
  return nested();
}

/// The same without the guard, to show what it is for.
std::int32_t divide_unguarded(std::int32_t dividend, std::int32_t divisor) {
  const probe outer;
  return DatumGetInt32(
      DirectFunctionCall2(int4div, Int32GetDatum(dividend), Int32GetDatum(divisor)));
}

/// Whether a caller that catches an ERROR goes on in the memory context it was in.
bool context_kept() {
  const MemoryContext before = CurrentMemoryContext;
  try {
    divide(1, 0);
  } catch (const pg::error&) {
    return CurrentMemoryContext == before;
  }
  return false;
}

/// Runs until cancelled.
std::int32_t spin(std::int32_t rounds) {
  const probe outer;
  volatile std::int64_t sink = 0;
  for (std::int32_t round = 0; round < rounds; ++round) {
    const probe local;
    for (int i = 0; i < 1000000; ++i) sink = sink + i;
    pg::check_for_interrupts();
  }
  return rounds;
}

/// Allocates `megabytes` while the address space may only grow by `limit` megabytes.
std::int64_t hog(std::string_view how, std::int32_t megabytes, std::int32_t limit) {
  const probe outer;
  class address_space_limit {
   public:
    explicit address_space_limit(rlim_t extra) {
      std::size_t pages = 0;
      std::ifstream("/proc/self/statm") >> pages;
      getrlimit(RLIMIT_AS, &before_);
      rlimit now = before_;
      now.rlim_cur = pages * 4096 + extra;
      setrlimit(RLIMIT_AS, &now);
    }
    address_space_limit(const address_space_limit&) = delete;
    address_space_limit& operator=(const address_space_limit&) = delete;
    ~address_space_limit() { setrlimit(RLIMIT_AS, &before_); }

   private:
    rlimit before_{};
  } const limited(static_cast<rlim_t>(limit) << 20);

  const std::size_t size = static_cast<std::size_t>(megabytes) << 20;
  const auto keep = [](const auto& block) {  // compilers may elide an allocation nobody looks at
    asm volatile("" : : "r"(block.data()) : "memory");
    return static_cast<std::int64_t>(block.size());
  };
  if (how == "new") return keep(std::vector<char>(size));
  if (how == "pmr") {
    pg::context_resource resource;
    return keep(std::pmr::vector<char>(size, &resource));
  }
  if (how == "guarded palloc") {
    return pg::guarded([&] {
      pfree(MemoryContextAllocHuge(CurrentMemoryContext, size));
      return static_cast<std::int64_t>(size);
    });
  }
  if (how == "string result") return keep(std::string(size, 'x'));
  throw vrm::error("22023", "unknown way to allocate");
}

std::string repeat(std::int32_t bytes) {
  const probe outer;
  std::string text;
  text.assign(static_cast<std::size_t>(bytes), 'x');
  return text;
}

/// Nested guards: C++ calls SQL-callable C++ calls PostgreSQL.
std::int32_t nested(std::int32_t depth) {
  const probe outer;
  return pg::guarded([&]() -> std::int32_t {
    if (depth == 0)
      return DatumGetInt32(DirectFunctionCall2(int4div, Int32GetDatum(1), Int32GetDatum(0)));
    LOCAL_FCINFO(inner, 1);
    InitFunctionCallInfoData(*inner, nullptr, 1, InvalidOid, nullptr, nullptr);
    inner->args[0] = {.value = Int32GetDatum(depth - 1), .isnull = false};
    return DatumGetInt32(pg::binding<&nested>::call(inner));
  });
}

}  // namespace selftest

PG_EXPORT(selftest_probes_born, selftest::probes_born);
PG_EXPORT(selftest_probes_alive, selftest::probes_alive);
PG_EXPORT(selftest_bytes_in_use, selftest::bytes_in_use);
PG_EXPORT(selftest_raise, selftest::raise);
PG_EXPORT(selftest_divide, selftest::divide);
PG_EXPORT(selftest_divide_unguarded, selftest::divide_unguarded);
PG_EXPORT(selftest_context_kept, selftest::context_kept);
PG_EXPORT(selftest_spin, selftest::spin);
PG_EXPORT(selftest_hog, selftest::hog);
PG_EXPORT(selftest_repeat, selftest::repeat);
PG_EXPORT(selftest_nested, selftest::nested);
PG_EXPORT(selftest_signatures, pg::signatures);
