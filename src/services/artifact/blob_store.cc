#include "services/artifact/blob_store.h"

#include <algorithm>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "core/json.h"
#include "services/artifact/sha256.h"

namespace headrace::artifact {

using core::Code;
using core::Disk;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr std::string_view front = "sha256:";
constexpr size_t about_bytes_max = 64 * 1024;
constexpr size_t joined_at_once = 16;  // pieces of a commit, then others have their turn

std::string text_of(const Upload& upload) {
  json::object kept{{"about", upload.about}};
  if (upload.whole) kept["whole"] = json::object{{"digest", upload.whole->digest}, {"size", upload.whole->size}};
  return core::to_text(kept);
}

Upload upload_of(std::string id, const json::value& kept) {
  Upload upload;
  upload.id = std::move(id);
  upload.about = core::string_at(kept, "about").value_or("");
  const auto* whole = core::find(kept, "whole");
  if (whole != nullptr && whole->is_object())
    upload.whole = Blob{core::string_at(*whole, "digest").value_or(""),
                        static_cast<uint64_t>(core::integer_at(*whole, "size").value_or(0))};
  return upload;
}

}  // namespace

bool is_digest(std::string_view text) {
  return text.size() == front.size() + 64 && text.starts_with(front) &&
         text.find_first_not_of("0123456789abcdef", front.size()) == std::string_view::npos;
}

uint64_t Upload::bytes() const {
  uint64_t sum = 0;
  for (const auto& [name, size] : parts) sum += size;
  return sum;
}

BlobStore::BlobStore(core::Executor loop, Disk& disk, core::Pool& pool, std::string folder)
    : loop_(loop), disk_(disk), pool_(pool), folder_(std::move(folder)), tasks_(loop) {}
BlobStore::~BlobStore() = default;

Task<> BlobStore::close() { co_await tasks_.until_idle(); }

std::string BlobStore::upload_path(std::string_view id, std::string_view rest) const {
  return folder_ + "/uploads/" + std::string(id) + "." + std::string(rest);
}

std::string BlobStore::blob_path(std::string_view digest) const {
  core::require(is_digest(digest), "a blob is named by its digest");
  auto hex = digest.substr(front.size());
  return folder_ + "/blobs/" + std::string(hex.substr(0, 2)) + "/" + std::string(hex);
}

// ---- What was there before

Result<std::map<std::string, Upload>> BlobStore::find_uploads() {
  for (const char* name : {"/blobs", "/uploads"})
    if (auto made = disk_.make_directories(folder_ + name); !made) return std::unexpected(made.error());
  auto names = disk_.list(folder_ + "/uploads");
  if (!names) return std::unexpected(names.error());
  std::map<std::string, Upload> found;
  for (const auto& name : *names) {
    if (!name.ends_with(".json")) continue;
    auto text = core::read_file(disk_, folder_ + "/uploads/" + name, about_bytes_max);
    auto kept = text ? core::parse_json(*text) : Result<json::value>(std::unexpected(text.error()));
    std::string id = name.substr(0, name.size() - 5);
    if (kept) found.emplace(id, upload_of(id, *kept));
  }
  for (const auto& name : *names) {
    auto dot = name.find('.');
    auto upload = found.find(name.substr(0, dot));
    std::string rest = dot == std::string::npos ? std::string() : name.substr(dot + 1);
    if (upload != found.end() && rest == "json") continue;
    auto file = disk_.open(folder_ + "/uploads/" + name, Disk::Open::read);
    auto size = file ? (*file)->size() : Result<uint64_t>(std::unexpected(file.error()));
    if (upload != found.end() && size && !rest.ends_with("new")) {
      upload->second.parts[rest] = *size;
    } else if (auto removed = disk_.remove(folder_ + "/uploads/" + name); !removed) {
      return std::unexpected(removed.error());
    }
  }
  return found;
}

Task<Result<>> BlobStore::open() {
  auto look = [this] { return find_uploads(); };
  auto found = co_await core::blocking(pool_, std::move(look));
  if (!found) co_return std::unexpected(found.error());
  for (auto& [id, upload] : *found) uploads_.emplace(id, std::move(upload));
  co_return Result<>{};
}

// ---- Uploads

Result<> BlobStore::note(const Upload& upload) {
  return core::write_file(disk_, upload_path(upload.id, "json"), text_of(upload));
}

Task<Result<>> BlobStore::begin(std::string id, std::string about) {
  if (uploads_.size() >= uploads_max)
    co_return core::fail(Code::exhausted, "Too many uploads have begun and not ended; try again later.");
  core::require(!uploads_.contains(id), "an upload begins once");
  Upload upload{.id = id, .about = std::move(about), .parts = {}, .whole = {}};
  uploads_.emplace(id, upload);
  auto write = [this, upload] { return note(upload); };
  auto written = co_await core::blocking(pool_, std::move(write));
  if (!written) uploads_.erase(id);
  co_return written;
}

const Upload* BlobStore::upload(std::string_view id) const {
  auto found = uploads_.find(id);
  return found == uploads_.end() ? nullptr : &found->second;
}

std::vector<std::string> BlobStore::uploads() const {
  std::vector<std::string> ids;
  for (const auto& [id, upload] : uploads_) ids.push_back(id);
  return ids;
}

Task<> BlobStore::remove_files(std::vector<std::string> paths) {
  for (auto& path : paths) {
    auto removal = [this, path] { return disk_.remove(path); };
    auto removed = co_await core::blocking(pool_, std::move(removal));
    if (!removed && removed.error().code != Code::not_found)
      core::diagnose(core::Level::warning, "artifact", removed.error().message + " " + removed.error().detail);
  }
}

Task<> BlobStore::forget(std::string id) {
  auto found = uploads_.find(id);
  if (found == uploads_.end()) co_return;
  std::vector<std::string> paths{upload_path(id, "json")};  // first: what it named then is nobody's
  for (const auto& [name, size] : found->second.parts) paths.push_back(upload_path(id, name));
  uploads_.erase(found);
  co_await remove_files(std::move(paths));
}

// ---- What comes in

struct BlobStore::Incoming::Writing {
  std::unique_ptr<core::File> file;
  Sha256 sum;
  uint64_t size = 0;
};

BlobStore::Incoming::Incoming(BlobStore& store, std::string id, std::string path, std::string name)
    : store_(store),
      id_(std::move(id)),
      path_(std::move(path)),
      name_(std::move(name)),
      writing_(std::make_shared<Writing>()) {}

BlobStore::Incoming::~Incoming() {
  if (finished_) return;
  std::vector<std::string> paths{path_};
  store_.tasks_.spawn("remove an upload that broke off", store_.remove_files(std::move(paths)));
}

uint64_t BlobStore::Incoming::size() const { return writing_->size; }

Task<Result<>> BlobStore::Incoming::write(std::span<const std::byte> bytes) {
  auto put = [writing = writing_, bytes]() -> Result<> {
    if (auto written = writing->file->write_at(writing->size, bytes); !written) return written;
    writing->sum.add(bytes);
    writing->size += bytes.size();
    return {};
  };
  co_return co_await core::blocking(store_.pool_, std::move(put));
}

Task<Result<Blob>> BlobStore::Incoming::finish() {
  Blob blob{writing_->sum.digest(), writing_->size};
  std::string to = store_.upload_path(id_, name_);
  bool whole = name_ == "whole";
  auto end = [writing = writing_, disk = &store_.disk_, from = path_, to, whole]() -> Result<> {
    if (whole)
      if (auto synced = writing->file->sync(); !synced) return synced;
    return disk->rename(from, to);
  };
  auto ended = co_await core::blocking(store_.pool_, std::move(end));
  if (!ended) co_return std::unexpected(ended.error());
  finished_ = true;
  auto found = store_.uploads_.find(id_);
  if (found == store_.uploads_.end()) {
    std::vector<std::string> paths{to};
    co_await store_.remove_files(std::move(paths));
    co_return core::fail(Code::not_found, "The upload has ended meanwhile.");
  }
  found->second.parts[name_] = blob.size;
  if (!whole) co_return blob;
  found->second.whole = blob;
  auto write = [store = &store_, upload = found->second] { return store->note(upload); };
  auto noted = co_await core::blocking(store_.pool_, std::move(write));
  if (!noted) co_return std::unexpected(noted.error());
  co_return blob;
}

Task<Result<std::unique_ptr<BlobStore::Incoming>>> BlobStore::receive(std::string upload, std::string block) {
  if (!uploads_.contains(upload)) co_return core::fail(Code::not_found, "There is no such upload, or it has ended.");
  std::string path = upload_path(upload, std::to_string(next_file_++) + ".new");
  std::string name = block.empty() ? "whole" : core::sha256_hex(block);
  auto incoming = std::make_unique<Incoming>(*this, upload, path, name);
  auto open = [disk = &disk_, path] { return disk->open(path, Disk::Open::create); };
  auto file = co_await core::blocking(pool_, std::move(open));
  if (!file) co_return std::unexpected(file.error());
  incoming->writing_->file = std::move(*file);
  co_return incoming;
}

namespace {

// A blob that is put together from files, some pieces at a time.
struct Joining {
  Disk& disk;
  std::vector<std::string> paths;
  std::unique_ptr<core::File> from = {}, into = {};
  size_t at_path = 0;
  uint64_t at = 0;
  uint64_t size = 0;
  Sha256 sum = {};
  std::vector<std::byte> piece = std::vector<std::byte>(blob_piece_bytes);

  Result<bool> some() {  // true: there is more
    for (size_t i = 0; i < joined_at_once; ++i) {
      if (at_path == paths.size()) return false;
      if (auto done = one(); !done) return std::unexpected(done.error());
    }
    return true;
  }
  Result<> one() {
    if (!from) {
      auto opened = disk.open(paths[at_path], Disk::Open::read);
      if (!opened) return std::unexpected(opened.error());
      from = std::move(*opened);
      at = 0;
    }
    auto got = from->read_at(at, piece);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) {
      from.reset();
      ++at_path;
      return {};
    }
    auto bytes = std::span(piece).first(*got);
    if (auto written = into->write_at(size, bytes); !written) return written;
    sum.add(bytes);
    at += *got;
    size += *got;
    return {};
  }
};

}  // namespace

Task<Result<Blob>> BlobStore::commit(std::string upload, std::vector<std::string> blocks) {
  auto found = uploads_.find(upload);
  if (found == uploads_.end()) co_return core::fail(Code::not_found, "There is no such upload, or it has ended.");
  auto joining = std::make_shared<Joining>(Joining{.disk = disk_, .paths = {}});
  for (const auto& block : blocks) {
    std::string name = core::sha256_hex(block);
    if (!found->second.parts.contains(name))
      co_return core::fail(Code::invalid, "The list names a block that was not put: " + block + ".");
    joining->paths.push_back(upload_path(upload, name));
  }
  auto incoming = co_await receive(upload, "");
  if (!incoming) co_return std::unexpected(incoming.error());
  joining->into = std::move((*incoming)->writing_->file);
  for (bool more = true; more;) {
    auto join = [joining] { return joining->some(); };
    auto joined = co_await core::blocking(pool_, std::move(join));
    if (!joined) co_return std::unexpected(joined.error());
    more = *joined;
  }
  auto& writing = *(*incoming)->writing_;
  writing.file = std::move(joining->into);
  writing.sum = std::move(joining->sum);
  writing.size = joining->size;
  co_return co_await (*incoming)->finish();
}

// ---- Blobs

BlobStore::Hold::Hold(BlobStore& store, std::string digest) : store_(store), digest_(std::move(digest)) {
  ++store_.holds_[digest_];
}
BlobStore::Hold::~Hold() {
  auto found = store_.holds_.find(digest_);
  if (--found->second == 0) store_.holds_.erase(found);
}

bool BlobStore::held(const std::string& digest) const {
  return holds_.contains(digest) || std::ranges::any_of(uploads_, [&](const auto& one) {
           return one.second.whole && one.second.whole->digest == digest;
         });
}

Task<Result<std::unique_ptr<BlobStore::Hold>>> BlobStore::keep(std::string id) {
  const auto* found = upload(id);
  if (found == nullptr) co_return core::fail(Code::not_found, "There is no such upload, or it has ended.");
  if (!found->whole || !is_digest(found->whole->digest))
    co_return core::fail(Code::invalid, "The upload is not whole: its blocks were not put together.");
  std::string digest = found->whole->digest;
  auto hold = std::make_unique<Hold>(*this, digest);
  auto move = [disk = &disk_, from = upload_path(id, "whole"), to = blob_path(digest)]() -> Result<> {
    std::string folder = to.substr(0, to.rfind('/'));
    auto there = disk->exists(to);
    if (!there || *there) return there ? Result<>{} : std::unexpected(there.error());
    if (auto made = disk->make_directories(folder); !made) return made;
    if (auto renamed = disk->rename(from, to); !renamed) return renamed;
    if (auto synced = disk->sync_directory(folder); !synced) return synced;
    return disk->sync_directory(folder.substr(0, folder.rfind('/')));
  };
  auto moved = co_await core::blocking(shelving_, std::move(move));
  if (!moved) co_return std::unexpected(moved.error());
  co_return hold;
}

Task<Result<std::shared_ptr<core::File>>> BlobStore::open_blob(std::string digest) {
  auto open = [disk = &disk_, path = blob_path(digest)]() -> Result<std::shared_ptr<core::File>> {
    auto file = disk->open(path, Disk::Open::read);
    if (!file) return std::unexpected(file.error());
    return std::shared_ptr<core::File>(std::move(*file));
  };
  co_return co_await core::blocking(pool_, std::move(open));
}

Task<Result<std::vector<std::string>>> BlobStore::digests() {
  auto list = [disk = &disk_, folder = folder_ + "/blobs"]() -> Result<std::vector<std::string>> {
    std::vector<std::string> all;
    auto folders = disk->list(folder);
    if (!folders) return std::unexpected(folders.error());
    for (const auto& one : *folders) {
      auto names = disk->list(folder + "/" + one);
      if (!names) return std::unexpected(names.error());
      for (const auto& name : *names)
        if (is_digest(std::string(front) + name)) all.push_back(std::string(front) + name);
    }
    return all;
  };
  co_return co_await core::blocking(pool_, std::move(list));
}

Task<Result<bool>> BlobStore::remove(std::string digest) {
  if (held(digest)) co_return false;
  auto removal = [disk = &disk_, path = blob_path(digest)]() -> Result<> {
    auto removed = disk->remove(path);
    if (!removed && removed.error().code == Code::not_found) return {};
    return removed;
  };
  auto removed = co_await core::blocking(shelving_, std::move(removal));
  if (!removed) co_return std::unexpected(removed.error());
  co_return true;
}

}  // namespace headrace::artifact
