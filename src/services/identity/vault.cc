#include "services/identity/vault.h"

#include <sodium.h>

#include <array>
#include <mutex>

#include "core/bytes.h"
#include "sqlite/connection.h"

namespace headrace::identity {

using core::Code;
using core::fail;
using core::Result;

namespace {

using Key = std::array<unsigned char, crypto_secretbox_KEYBYTES>;
using Nonce = std::array<unsigned char, crypto_secretbox_NONCEBYTES>;

// A row that opens only with the right key: what tells a wrong key from a damaged row.
constexpr std::string_view check_kind = "vault";
constexpr std::string_view check_id = "check";
constexpr std::string_view check_text = "headrace vault 1";

constexpr sqlite::Sql migrations[] = {
    "CREATE TABLE sealed (kind TEXT NOT NULL, id TEXT NOT NULL, box BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT "
    "ROWID"};

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// 64 hexadecimal digits, and white space around them.
Result<Key> parse_key(std::string_view text, const std::string& path) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  auto wrong =
      fail(Code::invalid, "The vault's key file is not one: it holds 64 hexadecimal digits, in lower case.", path);
  Key key{};
  if (text.size() != 2 * key.size()) return wrong;
  for (size_t i = 0; i < key.size(); ++i) {
    int high = nibble(text[2 * i]);
    int low = nibble(text[2 * i + 1]);
    if (high < 0 || low < 0) return wrong;
    key[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return key;
}

Result<Key> read_key(core::Disk& disk, const std::string& path) {
  auto text = core::read_file(disk, path, 4096);
  if (!text) return core::pass_on(text.error(), "reading the vault's key");
  auto key = parse_key(*text, path);
  sodium_memzero(text->data(), text->size());
  return key;
}

Result<> make_key(core::Disk& disk, core::Random& random, const std::string& path) {
  auto text = core::random_hex(random, crypto_secretbox_KEYBYTES) + "\n";
  auto written = core::write_file(disk, path, text);
  sodium_memzero(text.data(), text.size());
  return written;
}

// kind, id and secret in one, so that a row put in another's place does not open.
std::string framed(std::string_view kind, std::string_view id, std::string_view secret) {
  std::string plain;
  plain.append(kind).append(1, '\0').append(id).append(1, '\0').append(secret);
  return plain;
}

}  // namespace

struct Vault::Impl {
  core::Random& random;
  std::mutex mutex;  // guards the connection
  std::unique_ptr<sqlite::Connection> tables;
  Key key{};

  explicit Impl(core::Random& chance) : random(chance) {}
  ~Impl() { sodium_memzero(key.data(), key.size()); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::string sealed(std::string_view kind, std::string_view id, std::string_view secret) {
    Nonce nonce;
    random.fill(std::as_writable_bytes(std::span(nonce)));
    auto plain = framed(kind, id, secret);
    std::string box(nonce.size() + crypto_secretbox_MACBYTES + plain.size(), '\0');
    std::copy(nonce.begin(), nonce.end(), box.begin());
    auto* bytes = reinterpret_cast<unsigned char*>(box.data());
    crypto_secretbox_easy(bytes + nonce.size(), reinterpret_cast<const unsigned char*>(plain.data()), plain.size(),
                          nonce.data(), key.data());
    sodium_memzero(plain.data(), plain.size());
    return box;
  }

  std::optional<std::string> opened(std::string_view kind, std::string_view id, std::string_view box) const {
    constexpr size_t around = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    if (box.size() < around) return std::nullopt;
    std::string plain(box.size() - around, '\0');
    const auto* bytes = reinterpret_cast<const unsigned char*>(box.data());
    if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plain.data()), bytes + crypto_secretbox_NONCEBYTES,
                                   box.size() - crypto_secretbox_NONCEBYTES, bytes, key.data()) != 0)
      return std::nullopt;
    auto frame = framed(kind, id, {});
    if (!plain.starts_with(frame)) return std::nullopt;
    return plain.substr(frame.size());
  }

  Result<> write(std::string_view kind, std::string_view id, std::string_view secret) {
    auto box = sealed(kind, id, secret);
    auto done = tables->execute(
        "INSERT INTO sealed (kind, id, box) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET box = excluded.box",
        kind, id, sqlite::Blob{box});
    if (!done) return core::pass_on(done.error(), "writing to the vault");
    return {};
  }

  Result<std::optional<std::string>> box_of(std::string_view kind, std::string_view id) {
    return tables->first(
        "SELECT box FROM sealed WHERE kind = ? AND id = ?", [](const sqlite::Row& row) { return row.text(0); }, kind,
        id);
  }

  Result<> check_key() {
    auto box = box_of(check_kind, check_id);
    if (!box) return std::unexpected(box.error());
    if (!*box) return write(check_kind, check_id, check_text);
    if (opened(check_kind, check_id, **box) == check_text) return {};
    return fail(Code::invalid,
                "This is not the key of this vault; give the key file it was made with (--vault-key-file).");
  }
};

namespace {

std::unexpected<core::Error> damaged(std::string_view kind, std::string_view id) {
  return fail(Code::corrupt,
              "An entry of the vault is damaged; restore the vault from a backup, or make that secret anew.",
              std::string(kind) + " " + std::string(id));
}

// The key of a vault that is there must be there as well: a new one would lock it for good.
Result<> prepare_files(core::Disk& disk, core::Random& random, const std::string& database,
                       const std::string& key_file) {
  auto has_vault = disk.exists(database);
  if (!has_vault) return std::unexpected(has_vault.error());
  auto has_key = disk.exists(key_file);
  if (!has_key) return std::unexpected(has_key.error());
  if (*has_vault && !*has_key)
    return fail(Code::not_found,
                "The vault is there, but its key file is not; put it back, or name it with --vault-key-file.",
                key_file);
  if (!*has_key) {
    if (auto made = make_key(disk, random, key_file); !made) return made;
  }
  if (*has_vault) return {};
  auto file = disk.open(database, core::Disk::Open::ensure);  // so that it is 0600 from the start; SQLite keeps that
  if (!file) return std::unexpected(file.error());
  return {};
}

}  // namespace

Result<std::unique_ptr<Vault>> Vault::open(core::Disk& disk, core::Random& random, std::string database,
                                           std::string key_file) {
  if (sodium_init() < 0) return fail(Code::unavailable, "The cryptography library does not start.");
  if (auto prepared = prepare_files(disk, random, database, key_file); !prepared)
    return std::unexpected(prepared.error());
  auto key = read_key(disk, key_file);
  if (!key) return std::unexpected(key.error());
  auto impl = std::make_unique<Impl>(random);
  impl->key = *key;
  sodium_memzero(key->data(), key->size());
  auto tables = sqlite::Connection::open(database, {.durable = true});
  if (!tables) return core::pass_on(tables.error(), "opening the vault");
  impl->tables = std::move(*tables);
  if (auto migrated = impl->tables->migrate(migrations); !migrated)
    return core::pass_on(migrated.error(), "opening the vault");
  if (auto checked = impl->check_key(); !checked) return std::unexpected(checked.error());
  return std::unique_ptr<Vault>(new Vault(std::move(impl)));
}

Vault::Vault(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Vault::~Vault() = default;

Result<> Vault::put(std::string_view kind, std::string_view id, std::string_view secret) {
  if (secret.size() > vault_secret_bytes_max) return fail(Code::exhausted, "A secret is at most 64 KiB.");
  std::lock_guard lock(impl_->mutex);
  return impl_->write(kind, id, secret);
}

Result<std::optional<std::string>> Vault::get(std::string_view kind, std::string_view id) {
  std::lock_guard lock(impl_->mutex);
  auto box = impl_->box_of(kind, id);
  if (!box) return core::pass_on(box.error(), "reading the vault");
  if (!*box) return std::optional<std::string>();
  auto secret = impl_->opened(kind, id, **box);
  if (!secret) return damaged(kind, id);
  return secret;
}

Result<> Vault::remove(std::string_view kind, std::string_view id) {
  std::lock_guard lock(impl_->mutex);
  auto done = impl_->tables->execute("DELETE FROM sealed WHERE kind = ? AND id = ?", kind, id);
  if (!done) return core::pass_on(done.error(), "removing from the vault");
  return {};
}

Result<std::vector<std::string>> Vault::ids(std::string_view kind) {
  std::lock_guard lock(impl_->mutex);
  auto rows = impl_->tables->all(
      "SELECT id FROM sealed WHERE kind = ? ORDER BY id", [](const sqlite::Row& row) { return row.text(0); }, kind);
  if (!rows) return core::pass_on(rows.error(), "reading the vault");
  return rows;
}

Result<std::vector<std::pair<std::string, std::string>>> Vault::all(std::string_view kind) {
  std::lock_guard lock(impl_->mutex);
  auto rows = impl_->tables->all(
      "SELECT id, box FROM sealed WHERE kind = ? ORDER BY id",
      [](const sqlite::Row& row) { return std::pair(row.text(0), row.text(1)); }, kind);
  if (!rows) return core::pass_on(rows.error(), "reading the vault");
  for (auto& [id, box] : *rows) {
    auto secret = impl_->opened(kind, id, box);
    if (!secret) return damaged(kind, id);
    box = std::move(*secret);
  }
  return rows;
}

}  // namespace headrace::identity
