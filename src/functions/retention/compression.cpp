// Results of archived calls, packed: rewriting a partition, reading one call, and what dictionaries
// are made of.  Packed results are the text of the document, which a server of any kind reads
// again.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/call/statement.h"
#include "boundary/table/owner.h"
#include "boundary/table/row_mover.h"
#include "boundary/value/jsonb.h"
#include "boundary/value/record.h"
#include "core/platform/digest.h"
#include "core/platform/error.h"
#include "core/retention/packed_document.h"
#include "core/retention/shared_phrases.h"
#include "functions/platform/grants.h"
#include "functions/platform/table.h"
#include "functions/retention/retention.h"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
}

namespace vrm::sql {
namespace {

constexpr pg::known_table dictionaries = platform_table("vrm_private", "archive_dictionaries");

document_packer& packer() {
  static document_packer made;
  return made;
}

/// What cannot be read without it is said in the words of vrm.archive_compressions.
[[noreturn]] void throw_lost(const std::string& number, const char* how, const std::string& lost) {
  throw error("XX001", "dictionary " + number + " of the archive is " + how)
      .detail("Archived calls that were packed with it cannot be read: " + lost + ".")
      .hint(
          "Bring back its row of vrm_private.archive_dictionaries from a backup;"
          " SELECT * FROM vrm.archive_compressions WHERE dictionary = " +
          number + ";");
}

/// Read with the owner's rights: whoever reads a call reads it through the view.
pack_dictionary load(std::int32_t number) {
  const std::string text = std::to_string(number);
  const pg::owner_scope owner(dictionaries);
  const pg::spi_session spi;
  const auto count =
      spi.query(("SELECT d.content, d.content_sha256 FROM vrm_private.archive_dictionaries d"
                 " WHERE d.dictionary OPERATOR(pg_catalog.=) " +
                 text)
                    .c_str());
  if (count > 0) {
    const auto content = spi.column<byte_view>(0, 1).value();
    if (std::ranges::equal(sha256_of({content}), spi.column<byte_view>(0, 2).value())) {
      return {number, content};
    }
  }
  const auto lost = spi.value<std::string>(
      "SELECT coalesce(pg_catalog.string_agg(pg_catalog.concat(c.packed_rows, ' of ',"
      " c.partition_name), ', '), 'of which the log knows nothing')"
      " FROM vrm.archive_compressions c WHERE c.dictionary OPERATOR(pg_catalog.=) $1",
      number);
  throw_lost(text, count > 0 ? "damaged" : "missing", lost.value_or(""));
}

/// Kept as long as the backend: they never change, and digesting one costs as much as many calls.
const pack_dictionary& dictionary_of(std::int32_t number) {
  static std::map<std::int32_t, pack_dictionary> known;
  const auto found = known.find(number);
  if (found != known.end()) return found->second;
  if (number == built_in_dictionary) {
    return known.emplace(number, pack_dictionary(number, bytes_of(built_in_dictionary_content())))
        .first->second;
  }
  return known.emplace(number, load(number)).first->second;
}

/// The text of packed bytes, as a C string in the current memory context.
char* unpack(byte_view packed, const packed_head& head, const pack_dictionary& dictionary) {
  auto* text = static_cast<char*>(pg::allocate(head.text_size + 1));
  packer().unpack(packed, dictionary, std::as_writable_bytes(std::span(text, head.text_size)));
  text[head.text_size] = '\0';
  return text;
}

/// An ERROR 22021 or 22P02 of a text that nobody here has packed.
Datum document_in(const char* text, std::size_t size) {
  return pg::guarded([&] {
    (void)pg_verifymbstr(text, static_cast<int>(size), false);
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
  });
}

std::string_view bytes_of_document(Datum document) {
  return pg::guarded([&] { return pg::detail::payload(document); });
}

/// Packed results, unless they are too large, or would not come back as the same bytes.
std::optional<std::vector<std::byte>> pack(Datum results, const pack_dictionary& dictionary) {
  const auto document = bytes_of_document(results);
  const auto text = pg::guarded([&] {
    Jsonb* const value = DatumGetJsonbP(results);
    StringInfoData out;
    initStringInfo(&out);
    (void)JsonbToCString(&out, &value->root, static_cast<int>(VARSIZE(value)));
    return std::string_view(out.data, static_cast<std::size_t>(out.len));
  });
  if (text.size() > most_packed_text) return std::nullopt;
  auto packed = packer().pack(text, dictionary);
  const char* const again = unpack(packed, read_packed_head(packed), dictionary);
  if (bytes_of_document(document_in(again, text.size())) != document) return std::nullopt;
  return packed;
}

struct pack_names {
  static constexpr std::array<const char*, 2> columns = {"row_count", "packed_rows"};
};
using pack_result = pg::named_record<pack_names, std::int64_t, std::int64_t>;

struct phrase_names {
  static constexpr std::array<const char*, 3> columns = {"content", "tenants", "messages"};
};
using phrase_result = pg::named_record<phrase_names, byte_view, std::int32_t, std::int64_t>;

// Accounts that are to be erased are left out, as what they alone have said would have to go.
pg::statement<0> all_tenants(
    "SELECT p.id FROM vrm.user_profiles p WHERE p.deleted_at IS NULL ORDER BY p.id", {});
pg::statement<2> messages_of(
    "SELECT t.value ->> 'message' FROM (SELECT r.results FROM vrm.all_test_runs r"
    " WHERE r.user_id = $1 AND r.completed_at IS NOT NULL ORDER BY r.started_at DESC LIMIT $2) r,"
    " LATERAL jsonb_array_elements(CASE jsonb_typeof(r.results -> 'transcript')"
    " WHEN 'array' THEN r.results -> 'transcript' ELSE '[]' END) t (value)"
    " WHERE jsonb_typeof(t.value -> 'message') = 'string'",
    {UUIDOID, INT8OID});

std::vector<vrm::uuid> tenants() {
  const pg::spi_session session;
  std::vector<vrm::uuid> found;
  const std::uint64_t count = all_tenants.run({});
  found.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) found.push_back(*session.column<vrm::uuid>(i, 1));
  return found;
}

}  // namespace

pg::jsonb unpack_results(byte_view packed) {
  const packed_head head = read_packed_head(packed);
  char* const text = unpack(packed, head, dictionary_of(head.dictionary));
  return pg::datum_traits<pg::jsonb>::from(document_in(text, head.text_size));
}

/// A dictionary that is missing is still an error: it is not this call that is damaged.
std::optional<sha256> packed_digest(byte_view packed) {
  char* text = nullptr;
  packed_head head;
  try {
    head = read_packed_head(packed);
  } catch (const error&) {
    return std::nullopt;
  }
  const pack_dictionary& dictionary = dictionary_of(head.dictionary);
  try {
    text = unpack(packed, head, dictionary);
  } catch (const error&) {
    return std::nullopt;
  }
  return digest_of_results(document_in(text, head.text_size));
}

pack_result pack_archive(pg::relation_id archive, pg::relation_id target, std::int32_t number) {
  const pack_dictionary& dictionary = dictionary_of(number);
  pg::row_mover mover(archive, target, {});
  const auto results = static_cast<std::size_t>(mover.column("results"));
  const auto packed_results = static_cast<std::size_t>(mover.column("packed_results"));
  const auto results_sha256 = static_cast<std::size_t>(mover.column("results_sha256"));
  std::int64_t rows = 0;
  std::int64_t packed_rows = 0;
  while (mover.copy_next()) {
    pg::check_for_interrupts();
    ++rows;
    if (!mover.nulls()[results]) {
      const Datum whole = mover.values()[results];
      const pg::context_scope temporary(mover.scratch());
      if (const auto packed = pack(whole, dictionary)) {
        if (mover.nulls()[results_sha256]) {  // archived under 1.0.0
          mover.set(results_sha256, pg::datum_traits<sha256>::to(digest_of_results(whole)));
        }
        mover.set(packed_results, pg::datum_traits<byte_view>::to(*packed));
        mover.set_null(results);
        ++packed_rows;
      }
    }
    mover.put();
  }
  mover.finish();
  return {{rows, packed_rows}};
}

phrase_result phrases_of_tenants(std::int32_t tenants_at_least, std::int32_t calls_of_each) {
  if (calls_of_each < 0) {
    throw error("22023", "calls_of_each must not be negative")
        .detail("Got " + std::to_string(calls_of_each) + ".")
        .hint("SELECT tenants, messages FROM vrm.phrases_of_tenants(5, 100);");
  }
  shared_phrases phrases;
  std::int64_t messages = 0;
  for (const vrm::uuid& tenant : tenants()) {
    pg::check_for_interrupts();
    // One session each, with which the rows go.
    const pg::spi_session session;
    const std::uint64_t count = messages_of.run({tenant, std::int64_t{calls_of_each}});
    if (count == 0) continue;
    phrases.next_tenant();
    messages += static_cast<std::int64_t>(count);
    for (std::uint64_t i = 0; i < count; ++i) phrases.add(*session.column<std::string>(i, 1));
  }
  // What every document has stands last, where it is named most cheaply.
  const std::string_view common = built_in_dictionary_content();
  const std::string content = phrases.content(static_cast<std::uint32_t>(tenants_at_least),
                                              most_dictionary_bytes - common.size()) +
                              std::string(common);
  const Datum made = pg::datum_traits<byte_view>::to(bytes_of(content));
  return {{pg::datum_traits<byte_view>::from(made), static_cast<std::int32_t>(phrases.tenants()),
           messages}};
}

}  // namespace vrm::sql

PG_EXPORT(vrm_unpack_results, vrm::sql::unpack_results);
PG_EXPORT(vrm_packed_digest, vrm::sql::packed_digest);
PG_EXPORT_CHECKED(vrm_pack_archive, vrm::sql::require_grant, vrm::sql::pack_archive);
PG_EXPORT_CHECKED(vrm_phrases_of_tenants, vrm::sql::require_grant, vrm::sql::phrases_of_tenants);
