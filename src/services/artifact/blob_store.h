// BlobStore keeps the bytes of artifacts and caches on disk: an outside truth of the platform, whose owner is the
// artifact service.
//
//   FOLDER/blobs/ab/ab12...            a blob, named by the SHA-256 of its bytes; never changed
//   FOLDER/uploads/<id>.json           an upload that has begun: what its owner wrote, and its digest once it is whole
//   FOLDER/uploads/<id>.<block>        a block of it, named by the SHA-256 of its id
//   FOLDER/uploads/<id>.whole          all of it
//   FOLDER/uploads/<id>.<n>.new        what is being written
//
// A blob is synced, and its folder, before keep() returns: so what an event names is there. What no event names is an
// orphan: its owner removes it (digests(), remove()), but for what is held meanwhile (Hold). Nothing is ever whole in
// memory. What blocks runs on the pool; loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/disk.h"
#include "core/result.h"
#include "core/task.h"

namespace headrace::artifact {

inline constexpr size_t blob_piece_bytes = 256 * 1024;  // read and written at once
inline constexpr size_t uploads_max = 10'000;           // that have begun and not ended

struct Blob {
  std::string digest;  // "sha256:..."
  uint64_t size = 0;
  bool operator==(const Blob&) const = default;
};
// "sha256:" and 64 hexadecimal digits, lower case.
bool is_digest(std::string_view text);

struct Upload {
  std::string id;
  std::string about;                      // its owner's, JSON
  std::map<std::string, uint64_t> parts;  // sizes by file
  std::optional<Blob> whole;
  uint64_t bytes() const;
};

class BlobStore {
 public:
  // All outlive it. `pool` is where reading and writing block.
  BlobStore(core::Executor loop, core::Disk& disk, core::Pool& pool, std::string folder);
  ~BlobStore();  // after close()
  BlobStore(const BlobStore&) = delete;
  BlobStore& operator=(const BlobStore&) = delete;

  core::Task<core::Result<>> open();  // makes the folders, reads what was being uploaded
  core::Task<> close();

  // ---- uploads
  core::Task<core::Result<>> begin(std::string id, std::string about);  // exhausted: uploads_max
  const Upload* upload(std::string_view id) const;                      // until the next call of another function
  std::vector<std::string> uploads() const;
  core::Task<> forget(std::string id);  // with its parts, not with the blob it became

  // What comes in, to a file of its own; gone again where finish() was not reached.
  class Incoming {
   public:
    Incoming(BlobStore& store, std::string id, std::string path, std::string name);
    ~Incoming();
    Incoming(const Incoming&) = delete;
    Incoming& operator=(const Incoming&) = delete;
    core::Task<core::Result<>> write(std::span<const std::byte> bytes);
    // It takes the place of what was put under that name before. Answers with what came; not_found: the upload ended.
    core::Task<core::Result<Blob>> finish();
    uint64_t size() const;

   private:
    friend class BlobStore;
    struct Writing;
    BlobStore& store_;
    std::string id_, path_, name_;
    std::shared_ptr<Writing> writing_;  // shared with the piece that is being written
    bool finished_ = false;
  };
  // `block`: its id; empty: the whole blob. not_found: no such upload.
  core::Task<core::Result<std::unique_ptr<Incoming>>> receive(std::string upload, std::string block);
  // Puts the blocks together. The same again gives the same. invalid: a block that was not put.
  core::Task<core::Result<Blob>> commit(std::string upload, std::vector<std::string> blocks);

  // ---- blobs
  class Hold {  // while it lives, remove() leaves the blob alone
   public:
    Hold(BlobStore& store, std::string digest);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    BlobStore& store_;
    std::string digest_;
  };
  // The upload becomes a blob, durable on return. invalid: it is not whole.
  core::Task<core::Result<std::unique_ptr<Hold>>> keep(std::string upload);
  core::Task<core::Result<std::shared_ptr<core::File>>> open_blob(std::string digest);
  core::Task<core::Result<std::vector<std::string>>> digests();  // of all blobs on disk
  // True: it is gone. False: somebody holds it, or an upload is it.
  core::Task<core::Result<bool>> remove(std::string digest);

 private:
  std::string upload_path(std::string_view id, std::string_view rest) const;
  std::string blob_path(std::string_view digest) const;
  bool held(const std::string& digest) const;
  core::Result<> note(const Upload& upload);  // on the pool
  core::Result<std::map<std::string, Upload>> find_uploads();
  core::Task<> remove_files(std::vector<std::string> paths);

  core::Executor loop_;
  core::Disk& disk_;
  core::Pool& pool_;
  std::string folder_;
  std::map<std::string, Upload, std::less<>> uploads_;
  std::map<std::string, int, std::less<>> holds_;
  uint64_t next_file_ = 1;
  core::Scope tasks_;
  // One thread: what is removed and what is kept follow each other in the order in which they were asked for.
  core::Pool shelving_{"artifact blobs", {.threads = 1, .queue_max = 100'000, .wait_max = std::chrono::minutes(10)}};
};

}  // namespace headrace::artifact
