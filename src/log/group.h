// What one write and one sync will make durable: the submissions that arrived meanwhile, checked against what is stored
// and against each other, stamped with offsets, as the bytes of one batch. Used by the log's thread alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log/catalog.h"
#include "log/id_index.h"
#include "log/submission.h"

namespace headrace::log {

class Group {
 public:
  Group(Catalog& catalog, const IdIndex& ids, Offset first, size_t bytes_expected);

  // Adds what is new and remembers the answer to give once the group is durable; or the reason it is refused.
  void take(Submission submission);

  size_t bytes() const { return bytes_.size(); }
  uint32_t events() const { return static_cast<uint32_t>(positions_.size()); }
  bool empty() const { return positions_.empty(); }
  Offset first() const { return first_; }
  uint64_t duplicates() const { return duplicates_; }

  // The finished bytes of the batch, once; number and time of the header are the caller's, `seed` is the segment's.
  std::string finish(BatchHeader& header, uint32_t seed);
  void store_ids(IdIndex& ids) const;  // once it is durable

  void answer(Durability durability);   // those that asked for it, as decided
  void fail(const core::Error& error);  // all that are left: nothing of this was stored

 private:
  struct Waiting {
    EventLog::Done done;
    core::Result<Appended> answer;
    Durability durability;
  };

  core::Result<Appended> decide(const Submission& submission);
  core::Result<std::optional<std::vector<Offset>>> offsets_of_key(const std::string& key) const;
  core::Result<std::vector<Offset>> stored_offsets(const Submission& submission) const;  // 0: new
  core::Result<Offset> stored_offset(const Submission& submission, const EncodedEvent& event) const;
  // Whether it is the same event; a conflict if only source and id are.
  core::Result<bool> compare(const Submission& submission, const EncodedEvent& event, Offset offset,
                             const ItemHeader& stored, ByteView content) const;
  core::Result<> check_expected(const Submission& submission) const;
  std::vector<Offset> add(const Submission& submission, const std::vector<Offset>& stored);
  void add_commit(const Submission& submission, const std::vector<Offset>& offsets, uint32_t added);
  void add_event(const Submission& submission, const EncodedEvent& event);

  Catalog& catalog_;
  const IdIndex& ids_;
  Offset first_;
  std::string bytes_;
  struct Place {
    uint32_t position;
    ItemHeader header;
    Identity id;
  };
  std::vector<Place> positions_;  // of the events, by offset - first_
  struct CommitPlace {
    uint32_t position;
    ItemHeader header;
  };
  std::vector<CommitPlace> commits_;
  IdTable table_;  // of the events in it
  std::map<std::string, std::vector<Offset>, std::less<>> keys_;
  std::vector<std::pair<Identity, Offset>> key_ids_;
  std::map<std::string, Named, std::less<>> named_;
  std::vector<Waiting> waiting_;
  uint64_t duplicates_ = 0;
};

// The batch that named an expected key last, stored for good; zeros if none did.
core::Result<Named> named_last(Catalog& catalog, const IdIndex& ids, std::string_view expected);

}  // namespace headrace::log
