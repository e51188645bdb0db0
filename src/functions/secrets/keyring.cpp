// The keys of this database, as one backend knows them.
//
// vrm_private.keyring is read whole when something is first asked of it and again after it has
// changed; a key is unwrapped when a value first needs it and kept, ready to use, until the keyring
// changes.  Keys of subjects are derived and kept likewise.
#include "functions/secrets/keyring.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>

#include "boundary/call/function.h"
#include "boundary/call/spi.h"
#include "boundary/table/number_lock.h"
#include "boundary/table/owner.h"
#include "boundary/table/scan.h"
#include "core/platform/on_first_use.h"
#include "core/platform/random.h"
#include "functions/platform/grants.h"
#include "functions/platform/settings.h"
#include "functions/platform/table.h"

extern "C" {
#include "utils/fmgroids.h"
#include "utils/uuid.h"
}

namespace vrm::sql {
namespace {

using vrm::byte_view;

constinit pg::watched_table keyring_table("vrm_private", "keyring", "keyring_pkey");
constinit pg::watched_table subject_table("vrm_private", "subject_keys", "subject_keys_pkey");

enum class key_state : std::uint8_t { active, decrypt_only, destroyed };

constexpr std::string_view data_purpose = "data";

/// A row of the keyring, and its key once it was needed.
struct keyring_entry {
  std::int64_t id = 0;
  std::string purpose;
  bool is_for_data = false;  ///< what `purpose` says, compared once
  key_state state = key_state::destroyed;
  std::string master_id;
  std::string wrapped;
  std::unique_ptr<vrm::data_key> key;
  std::unique_ptr<vrm::blind_indexer> indexer;
};

struct subject_key {
  std::int64_t key_id;
  vrm::uuid subject;

  friend bool operator==(const subject_key&, const subject_key&) = default;
};

struct subject_key_hash {
  std::size_t operator()(const subject_key& key) const noexcept {
    std::size_t hash = 0;  // the last bytes of a UUID are its random ones
    std::memcpy(&hash, &key.subject.bytes[8], sizeof hash);
    return hash ^ static_cast<std::size_t>(key.key_id);
  }
};

/// Enough for the subjects of one statement; beyond it all are forgotten and derived again.
constexpr std::size_t most_subject_keys = 1024;

/// All that a backend keeps of keys, thrown away as one.  Pointers into `entries` are good until
/// then: the vector is filled once and does not grow.  Plain keys live in here only, in memory that
/// is wiped when an entry goes (see secret_key); master keys are never kept.
struct cache {
  std::vector<keyring_entry> entries;
  std::unordered_map<subject_key, std::unique_ptr<vrm::data_key>, subject_key_hash> subjects;
  keyring_entry* active_data = nullptr;
  keyring_entry* last_found = nullptr;
};
vrm::on_first_use<cache> cached;

std::string_view text_of(HeapTuple row, int column, TupleDesc descriptor) {
  bool null = false;
  const Datum datum = heap_getattr(row, column, descriptor, &null);
  return null ? std::string_view() : pg::datum_traits<std::string_view>::from(datum);
}

// Runs when an invalidation has said that the table changed.  Whoever rotates, destroys or revokes
// a key waits for nobody: backends learn of it with their next lock or statement.
void read_keyring() {
  *cached = {};
  const auto visit = [](HeapTuple row, TupleDesc descriptor) {
    bool null = false;
    // Columns by number, as the keyring was made with: key_id, purpose, state, kek_id, wrapped.
    const std::string_view state = text_of(row, 3, descriptor);
    keyring_entry& entry = cached->entries.emplace_back();
    entry.id = DatumGetInt64(heap_getattr(row, 1, descriptor, &null));
    entry.purpose = text_of(row, 2, descriptor);
    entry.is_for_data = entry.purpose == data_purpose;
    entry.state = state == "active"         ? key_state::active
                  : state == "decrypt_only" ? key_state::decrypt_only
                                            : key_state::destroyed;
    entry.master_id = text_of(row, 4, descriptor);
    entry.wrapped = text_of(row, 5, descriptor);
  };
  // An ERROR halfway leaves half a list, but changed() is true then: nobody works with it.
  keyring_table.read(nullptr, 0, visit);
}

std::vector<keyring_entry>& keyring_entries() {
  // A change that comes in while it reads leaves changed() true, for the next who asks.
  if (keyring_table.changed()) [[unlikely]]
    keyring_table.reload(read_keyring);
  return cached->entries;
}

// keyring_entries() first: `last_found` points into what it may just have thrown away.
keyring_entry* find_entry(std::int64_t id) {
  auto& entries = keyring_entries();
  if (cached->last_found != nullptr && cached->last_found->id == id) return cached->last_found;
  const auto found = std::ranges::find(entries, id, &keyring_entry::id);
  if (found == entries.end() || found->state == key_state::destroyed) return nullptr;
  return cached->last_found = &*found;
}

keyring_entry& active_entry(std::string_view purpose) {
  auto& entries = keyring_entries();
  const auto found = std::ranges::find_if(entries, [&](const keyring_entry& entry) {
    return entry.state == key_state::active && entry.purpose == purpose;
  });
  if (found == entries.end()) {
    throw vrm::error("55000", "there is no key to work with")
        .detail("The keyring has no active key of purpose \"" + std::string(purpose) + "\".")
        .hint("SELECT vrm.key_create('" + std::string(purpose) + "');");
  }
  return *found;
}

keyring_entry& active_data_entry() {
  // Which key is the active one is asked for each value that is sealed; looked up by its purpose
  // once.
  if (cached->active_data == nullptr || keyring_table.changed()) [[unlikely]] {
    keyring_entry& entry = active_entry(data_purpose);
    cached->active_data = &entry;
  }
  return *cached->active_data;
}

/// The key that this transaction has locked last.
struct {
  std::int64_t id = 0;
  pg::transaction_part since{};
} held;

/// The active key, locked until the transaction ends: key_destroy() counts the rows that need a key
/// while nobody can have sealed with it what is not committed yet.
keyring_entry& sealing_entry() {
  for (;;) {
    keyring_entry& entry = active_data_entry();
    const auto now = pg::transaction_part::current();
    if (held.id == entry.id && held.since == now) [[likely]]
      return entry;
    const std::int64_t id = entry.id;
    pg::lock_number_shared(keyring_table.relation(), static_cast<std::uint64_t>(id));
    // `entry` may be gone: what was committed before the lock was had is known only now.
    if (active_data_entry().id == id) held = {.id = id, .since = now};
  }
}

vrm::secret_key unwrap(const keyring_entry& entry) {
  return keyring::unwrap(keyring::master_keys(), entry.id, entry.purpose, entry.master_id,
                         std::as_bytes(std::span(entry.wrapped)));
}

vrm::data_key& usable(keyring_entry& entry) {
  if (entry.key == nullptr) [[unlikely]]
    entry.key = std::make_unique<vrm::data_key>(unwrap(entry));
  return *entry.key;
}

vrm::blind_indexer& indexer_of(keyring_entry& entry) {
  if (entry.indexer == nullptr) [[unlikely]]
    entry.indexer = std::make_unique<vrm::blind_indexer>(unwrap(entry).bytes());
  return *entry.indexer;
}

// --- subjects -----------------------------------------------------------------------------------

using subject_salt = std::array<std::byte, vrm::subject_salt_size>;

std::optional<subject_salt> read_salt(const vrm::uuid& subject) {
  subject_salt found{};
  bool is_there = false;
  ScanKeyData by_subject;
  pg_uuid_t wanted;
  std::memcpy(wanted.data, subject.bytes.data(), sizeof wanted.data);
  ScanKeyInit(&by_subject, 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&wanted));
  // As of the latest commit, not of the query's snapshot: a salt deleted since is not used.
  subject_table.read(&by_subject, 1, [&](HeapTuple row, TupleDesc descriptor) {
    const std::string_view bytes = text_of(row, 2, descriptor);
    is_there = bytes.size() == found.size();
    if (is_there) std::memcpy(found.data(), bytes.data(), bytes.size());
  });
  return is_there ? std::optional(found) : std::nullopt;
}

/// As the table's owner: whoever may write a sealed column may have a subject's key made.
subject_salt make_salt(const vrm::uuid& subject) {
  subject_salt fresh{};
  vrm::random_bytes(fresh);
  {
    const pg::owner_scope owner(platform_table("vrm_private", "subject_keys"));
    const pg::spi_session spi;
    spi.execute(
        "INSERT INTO vrm_private.subject_keys (subject, salt) VALUES ($1, $2)"
        " ON CONFLICT (subject) DO NOTHING",
        subject, byte_view(fresh));
  }
  // Two backends may make the salt of one subject at once.  One INSERT wins, and both read again: a
  // salt that was not stored must never seal anything, for nobody could open it.
  const auto salt = read_salt(subject);  // perhaps somebody else's
  if (!salt) {
    throw vrm::error("40001", "the key of a subject was made or deleted meanwhile")
        .hint("Try the transaction again.");
  }
  return *salt;
}

/// The key of `subject` under `entry`; nullptr when the subject has none and `make` is false.
vrm::data_key* key_of_subject(keyring_entry& entry, const vrm::uuid& subject, bool make) {
  // Deleting a subject's salt is how it is forgotten: derived keys must not outlive it here.
  // A new salt is not announced, and need not be: nothing was kept for its subject before.
  if (subject_table.changed()) [[unlikely]] {
    subject_table.reload([] { cached->subjects.clear(); });
  }
  const subject_key name{.key_id = entry.id, .subject = subject};
  const auto found = cached->subjects.find(name);
  if (found != cached->subjects.end()) return found->second.get();

  auto salt = read_salt(subject);
  if (!salt && make) salt = make_salt(subject);
  if (!salt) return nullptr;
  auto key = std::make_unique<vrm::data_key>(usable(entry).derive(*salt));
  // Whoever holds a reference uses it before the next key is asked for.
  if (cached->subjects.size() >= most_subject_keys) cached->subjects.clear();
  return cached->subjects.emplace(name, std::move(key)).first->second.get();
}

// --- opening ------------------------------------------------------------------------------------

/// Takes the time of an opening that fails, so that an unknown key looks like a wrong tag.
bool pretend_to_open(vrm::algorithm cipher, byte_view context, byte_view envelope,
                     std::span<std::byte> plaintext) {
  static vrm::data_key nobody(vrm::secret_key::random());
  const vrm::envelope_header header{.cipher = cipher};
  static_cast<void>(nobody.open(header, context, envelope, plaintext));
  return false;
}

}  // namespace

namespace keyring {

void throw_cannot_be_opened() {
  throw vrm::error("22000", "value cannot be opened")
      .detail(
          "It is not a sealed value, was changed, belongs elsewhere, or its key is unknown or "
          "destroyed.");
}

vrm::secret_key unwrap(const std::vector<vrm::master_key>& masters, std::int64_t key_id,
                       std::string_view purpose, std::string_view master_id, byte_view wrapped) {
  const auto master = std::ranges::find(masters, master_id, &vrm::master_key::id);
  if (master == masters.end()) {
    throw vrm::error("F0000", "the master key is missing")
        .detail("Key " + std::to_string(key_id) + " is wrapped by master key \"" +
                std::string(master_id) + "\", which is not among those that the settings name.")
        .hint("Put its line back where vrm.master_key_file or vrm.master_key_command has it from.");
  }
  auto key = vrm::unwrap_key(*master, purpose, key_id, wrapped);
  if (!key) {
    throw vrm::error("F0000", "the master key does not open the keyring")
        .detail("Master key \"" + std::string(master_id) + "\" is not the one that wrapped key " +
                std::to_string(key_id) + ".")
        .hint(
            "Put the right key behind this id where vrm.master_key_file or vrm.master_key_command "
            "has it from.");
  }
  return *key;
}

void require_master_keys() {
  const std::vector<vrm::master_key> masters = master_keys();
  for (const keyring_entry& entry : keyring_entries()) {
    if (entry.state == key_state::destroyed) continue;
    static_cast<void>(unwrap(masters, entry.id, entry.purpose, entry.master_id,
                             std::as_bytes(std::span(entry.wrapped))));
  }
}

void seal(const binding_of& binding, byte_view plaintext, std::span<std::byte> envelope) {
  keyring_entry& entry = sealing_entry();
  const vrm::envelope_header header{
      .bound = binding.bound, .per_subject = binding.subject != nullptr, .key_id = entry.id};
  // Never nullptr with `true`: a salt that is missing is made.
  vrm::data_key& key =
      header.per_subject ? *key_of_subject(entry, *binding.subject, true) : usable(entry);
  key.seal(header, binding.context, plaintext, envelope);
}

std::size_t opened_size(byte_view envelope) {
  const auto header = vrm::read_envelope_header(envelope, envelope.size());
  if (!header) throw_cannot_be_opened();
  return envelope.size() - vrm::envelope_overhead(header->cipher);
}

bool try_open(const binding_of& binding, byte_view envelope, std::span<std::byte> plaintext) {
  const auto header = vrm::read_envelope_header(envelope, envelope.size());
  if (!header) return false;
  keyring_entry* const entry = find_entry(header->key_id);
  // Whatever does not fit, the answer takes one opening's time and reads the same: who tries values
  // learns neither which keys there are nor what is bound to what.
  const bool alike = header->bound == binding.bound && entry != nullptr && entry->is_for_data &&
                     (!header->per_subject || binding.subject != nullptr);
  vrm::data_key* key = nullptr;
  if (alike) {
    key = header->per_subject ? key_of_subject(*entry, *binding.subject, false) : &usable(*entry);
  }
  if (key == nullptr) return pretend_to_open(header->cipher, binding.context, envelope, plaintext);
  return key->open(*header, binding.context, envelope, plaintext);
}

void open(const binding_of& binding, byte_view envelope, std::span<std::byte> plaintext) {
  if (!try_open(binding, envelope, plaintext)) throw_cannot_be_opened();
}

std::int64_t active_key_id() { return active_data_entry().id; }

std::int64_t blind_index(const vrm::uuid& column, std::string_view value) {
  // One key of its own for all columns, whose ids keep equal values of two columns apart.
  return indexer_of(active_entry("blind_index"))
      .index(std::as_bytes(std::span(column.bytes)), value);
}

std::vector<std::int64_t> blind_probe(const vrm::uuid& column, std::string_view value) {
  std::vector<std::int64_t> indexes = {blind_index(column, value)};
  for (keyring_entry& entry : keyring_entries()) {
    if (entry.purpose != "blind_index" || entry.state != key_state::decrypt_only) continue;
    indexes.push_back(indexer_of(entry).index(std::as_bytes(std::span(column.bytes)), value));
  }
  return indexes;
}

}  // namespace keyring

/// Whether the key can be unwrapped now: for keyring_status.
bool key_usable(std::int64_t key_id) {
  keyring_entry* const entry = find_entry(key_id);
  if (entry == nullptr) return false;
  try {
    static_cast<void>(unwrap(*entry));
    return true;
  } catch (const vrm::error&) {
    return false;
  }
}

/// For key_destroy(): false while a transaction that has sealed with the key has not ended.
bool key_lock(std::int64_t key_id) {
  // Makes sure that the table's OID, which names the lock, has been read.
  static_cast<void>(keyring_entries());
  return pg::lock_number_alone(keyring_table.relation(), static_cast<std::uint64_t>(key_id));
}

void watch_keyring() {
  keyring_table.watch();
  subject_table.watch();
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_key_usable, vrm::sql::require_grant, vrm::sql::key_usable);
PG_EXPORT_CHECKED(vrm_key_lock, vrm::sql::require_grant, vrm::sql::key_lock);
