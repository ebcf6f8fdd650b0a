#include "log/ids.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "log/record.h"

namespace headrace::log {

namespace {

constexpr std::string_view magic = "HRLOGIDS";
constexpr size_t header_bytes = 128;
constexpr size_t header_sum_at = header_bytes - 4;
constexpr size_t entry_bytes = 12;
constexpr size_t filter_probes = 7;
constexpr size_t table_slots_min = 64;
constexpr size_t write_chunk = 64 * 1024;
constexpr std::string_view new_name = "new.ids";  // while it is written; a run may be saved during a merge
constexpr std::string_view merge_name = "merge.ids";

Identity hashed(const HashKey& key, char kind, std::string_view text) {
  std::string bytes(1, kind);
  bytes += text;
  return {siphash(key, core::as_bytes(bytes)), 0};
}

// Filter blocks are ordered as hashes are, so that a filter is written front to back beside the sorted entries.
uint64_t block_of(uint64_t hash, uint64_t blocks) { return (hash >> 32) * blocks >> 32; }

// The bits of a hash within its block; from the low bits, as the high ones chose the block.
template <class Visit>
void each_bit(uint64_t hash, Visit visit) {
  uint64_t mixed = hash * 0x9e3779b97f4a7c15U;
  for (size_t i = 0; i < filter_probes; ++i, mixed >>= 9) visit(static_cast<size_t>(mixed % (filter_block_bytes * 8)));
}

uint64_t blocks_for(uint64_t entries) {
  return std::max<uint64_t>(1, entries * filter_bits_per_hash / (filter_block_bytes * 8) + 1);
}

std::string encode(const IdRun::Header& header) {
  std::string bytes(magic);
  append_number(bytes, format_version);
  append_number(bytes, header.tier);
  append_number(bytes, header.key[0]);
  append_number(bytes, header.key[1]);
  append_number(bytes, header.first);
  append_number(bytes, header.last);
  append_number(bytes, header.entries);
  append_number(bytes, header.earliest);
  append_number(bytes, header.latest);
  append_number(bytes, header.filter_blocks);
  bytes.resize(header_bytes);
  store(bytes.data() + header_sum_at, core::crc32c(core::as_bytes(bytes).first(header_sum_at)));
  return bytes;
}

std::optional<IdRun::Header> decode_header(ByteView bytes) {
  if (bytes.size() < header_bytes) return std::nullopt;
  if (load<uint32_t>(bytes.data() + header_sum_at) != core::crc32c(bytes.first(header_sum_at))) return std::nullopt;
  Taker from(bytes);
  if (text_of(from.take(magic.size())) != magic || from.number<uint32_t>() != format_version) return std::nullopt;
  IdRun::Header header;
  header.tier = from.number<uint32_t>();
  header.key[0] = from.number<uint64_t>();
  header.key[1] = from.number<uint64_t>();
  header.first = from.number<uint64_t>();
  header.last = from.number<uint64_t>();
  header.entries = from.number<uint64_t>();
  header.earliest = from.number<uint64_t>();
  header.latest = from.number<uint64_t>();
  header.filter_blocks = from.number<uint64_t>();
  return header;
}

// Writes a run front to back: entries come sorted, filter blocks fill up in the same order.
class RunWriter {
 public:
  static core::Result<std::unique_ptr<RunWriter>> create(core::Disk& disk, const std::string& directory,
                                                         std::string_view name, IdRun::Header header) {
    std::string path = directory + "/" + std::string(name);
    auto file = disk.open(path, core::Disk::Open::ensure);
    if (!file) return std::unexpected(file.error());
    if (auto emptied = (*file)->truncate(0); !emptied) return std::unexpected(emptied.error());
    header.filter_blocks = blocks_for(header.entries);
    return std::make_unique<RunWriter>(disk, directory, std::move(path), header, std::move(*file));
  }

  RunWriter(core::Disk& disk, std::string directory, std::string path, IdRun::Header header,
            std::unique_ptr<core::File> file)
      : disk_(disk),
        directory_(std::move(directory)),
        path_(std::move(path)),
        header_(header),
        file_(std::move(file)),
        entries_at_(header_bytes + header.filter_blocks * filter_block_bytes),
        block_(filter_block_bytes, '\0') {}

  core::Result<> add(uint64_t hash, uint32_t relative) {
    uint64_t block = block_of(hash, header_.filter_blocks);
    while (block_number_ < block)
      if (auto done = end_block(); !done) return done;
    each_bit(hash, [&](size_t bit) { block_[bit / 8] = static_cast<char>(block_[bit / 8] | 1 << (bit % 8)); });
    append_number(entries_, hash);
    append_number(entries_, relative);
    return entries_.size() < write_chunk ? core::Result<>() : flush(entries_, entries_at_);
  }

  core::Result<> finish() {
    while (block_number_ < header_.filter_blocks)
      if (auto done = end_block(); !done) return done;
    if (auto done = flush(filter_, filter_at_); !done) return done;
    if (auto done = flush(entries_, entries_at_); !done) return done;
    if (auto done = file_->write_at(0, core::as_bytes(encode(header_))); !done) return done;
    if (auto done = file_->sync(); !done) return done;
    if (auto done = disk_.rename(path_, directory_ + "/" + run_name(header_.first, header_.last)); !done) return done;
    return disk_.sync_directory(directory_);
  }

 private:
  core::Result<> end_block() {
    filter_ += block_;
    block_.assign(filter_block_bytes, '\0');
    ++block_number_;
    return filter_.size() < write_chunk ? core::Result<>() : flush(filter_, filter_at_);
  }

  core::Result<> flush(std::string& bytes, uint64_t& at) {
    if (bytes.empty()) return {};
    auto written = file_->write_at(at, core::as_bytes(bytes));
    at += bytes.size();
    bytes.clear();
    return written;
  }

  core::Disk& disk_;
  std::string directory_, path_;
  IdRun::Header header_;
  std::unique_ptr<core::File> file_;
  uint64_t filter_at_ = header_bytes;
  uint64_t entries_at_;
  uint64_t block_number_ = 0;
  std::string block_, filter_, entries_;
};

// The entries of a run front to back, a chunk at a time.
class RunReader {
 public:
  explicit RunReader(const IdRun& run) : run_(run) {}

  core::Result<bool> next() {  // false at the end
    if (at_ == run_.header().entries) return false;
    if (at_ == chunk_start_ + chunk_.size() / entry_bytes)
      if (auto filled = fill(); !filled) return std::unexpected(filled.error());
    const std::byte* from = chunk_.data() + (at_ - chunk_start_) * entry_bytes;
    hash = load<uint64_t>(from);
    offset = run_.header().first + load<uint32_t>(from + 8);
    ++at_;
    return true;
  }

  uint64_t hash = 0;
  Offset offset = 0;

 private:
  core::Result<> fill() {
    uint64_t left = run_.header().entries - at_;
    chunk_.resize(static_cast<size_t>(std::min<uint64_t>(left, write_chunk / entry_bytes)) * entry_bytes);
    auto read = run_.file().read_at(run_.entries_at() + at_ * entry_bytes, chunk_);
    if (!read) return std::unexpected(read.error());
    if (*read != chunk_.size()) return core::fail(core::Code::corrupt, "A file of stored ids is shorter than it says.");
    chunk_start_ = at_;
    return {};
  }

  const IdRun& run_;
  uint64_t at_ = 0;
  uint64_t chunk_start_ = 0;
  std::vector<std::byte> chunk_;
};

}  // namespace

Identity identity_of_event(const HashKey& key, ByteView identity) {
  return {siphash(key, identity), id_milliseconds(identity)};
}
Identity identity_of_batch_key(const HashKey& key, std::string_view batch_key) { return hashed(key, 'k', batch_key); }
Identity identity_of_expected(const HashKey& key, std::string_view expected) { return hashed(key, 'x', expected); }

void IdTable::grow(size_t slots) {
  std::vector<uint64_t> hashes(slots);
  std::vector<uint32_t> relatives(slots);
  hashes.swap(hashes_);
  relatives.swap(relatives_);
  for (size_t i = 0; i < hashes.size(); ++i)
    if (hashes[i] != 0) place({hashes[i], relatives[i]});
}

void IdTable::insert(Identity identity, Offset offset) {
  if ((size_ + 1) * 4 > hashes_.size() * 3) grow(std::max(table_slots_min, hashes_.size() * 2));
  place({std::max<uint64_t>(identity.hash, 1), static_cast<uint32_t>(offset - first_)});
  ++size_;
  last_ = std::max(last_, offset);
  if (identity.milliseconds == 0) return;
  earliest_ = std::min(earliest_, identity.milliseconds);
  latest_ = std::max(latest_, identity.milliseconds);
}

void IdTable::place(Entry entry) {
  size_t mask = hashes_.size() - 1;
  size_t slot = static_cast<size_t>(entry.hash) & mask;
  while (hashes_[slot] != 0) slot = (slot + 1) & mask;
  hashes_[slot] = entry.hash;
  relatives_[slot] = entry.relative;
}

core::Result<bool> IdTable::find(uint64_t hash, const Candidate& accept) const {
  if (hashes_.empty()) return false;
  hash = std::max<uint64_t>(hash, 1);
  size_t mask = hashes_.size() - 1;
  for (size_t slot = static_cast<size_t>(hash) & mask; hashes_[slot] != 0; slot = (slot + 1) & mask) {
    if (hashes_[slot] != hash) continue;
    auto accepted = accept(first_ + relatives_[slot]);
    if (!accepted || *accepted) return accepted;
  }
  return false;
}

void IdTable::each(const std::function<void(const Entry&)>& visit) const {
  for (size_t i = 0; i < hashes_.size(); ++i)
    if (hashes_[i] != 0) visit({hashes_[i], relatives_[i]});
}

void IdTable::restore(const std::vector<Entry>& entries, uint64_t earliest, uint64_t latest) {
  grow(std::max(table_slots_min, std::bit_ceil(entries.size() * 4 / 3 + 1)));
  for (const Entry& entry : entries) {
    place({std::max<uint64_t>(entry.hash, 1), entry.relative});
    last_ = std::max(last_, first_ + entry.relative);
  }
  size_ = entries.size();
  earliest_ = earliest;
  latest_ = latest;
}

std::vector<IdTable::Entry> IdTable::sorted() const {
  std::vector<Entry> entries;
  entries.reserve(size_);
  each([&](const Entry& entry) { entries.push_back(entry); });
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.relative > b.relative;
  });
  return entries;
}

core::Result<std::unique_ptr<IdRun>> IdRun::open(core::Disk& disk, const std::string& path, const HashKey& key) {
  auto file = disk.open(path, core::Disk::Open::read);
  if (!file) return std::unexpected(file.error());
  std::vector<std::byte> bytes(header_bytes);
  auto read = (*file)->read_at(0, bytes);
  if (!read) return std::unexpected(read.error());
  auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  auto header = decode_header(std::span(bytes).first(*read));
  if (!header || header->key != key ||
      *size != header_bytes + header->filter_blocks * filter_block_bytes + header->entries * entry_bytes)
    return std::unique_ptr<IdRun>();
  return std::unique_ptr<IdRun>(new IdRun(*header, std::move(*file)));
}

uint64_t IdRun::entries_at() const { return header_bytes + header_.filter_blocks * filter_block_bytes; }

core::Result<> IdRun::load_filter() {
  std::vector<std::byte> filter(filter_bytes());
  auto read = file_->read_at(header_bytes, filter);
  if (!read) return std::unexpected(read.error());
  if (*read == filter.size()) filter_ = std::move(filter);
  return {};
}

core::Result<bool> IdRun::may_have(uint64_t hash) const {
  std::array<std::byte, filter_block_bytes> own;
  ByteView block;
  uint64_t at = block_of(hash, header_.filter_blocks) * filter_block_bytes;
  if (!filter_.empty()) {
    block = ByteView(filter_).subspan(static_cast<size_t>(at), filter_block_bytes);
  } else {
    auto read = file_->read_at(header_bytes + at, own);
    if (!read) return std::unexpected(read.error());
    block = own;
  }
  bool all = true;
  each_bit(hash, [&](size_t bit) { all = all && (std::to_integer<unsigned>(block[bit / 8]) >> (bit % 8) & 1) != 0; });
  return all;
}

// Hashes are spread evenly, so where one stands is known to within a few hundred entries: look there, then halve.
core::Result<uint64_t> IdRun::lower_bound(uint64_t hash) const {
  constexpr uint64_t sight = 128;  // entries read at once
  uint64_t low = 0, high = header_.entries;
  uint64_t guess = block_of(hash, header_.entries);
  std::array<std::byte, sight * entry_bytes> bytes;
  for (int step = 0; low < high; ++step) {
    uint64_t start =
        step == 0 ? guess - std::min(guess, sight / 2) : low + (high - low) / 2 - std::min((high - low) / 2, sight / 2);
    start = std::clamp(start, low, high - std::min(high - low, sight));
    auto count = static_cast<size_t>(std::min(sight, high - start));
    auto read = file_->read_at(entries_at() + start * entry_bytes, std::span(bytes).first(count * entry_bytes));
    if (!read) return std::unexpected(read.error());
    if (*read != count * entry_bytes)
      return core::fail(core::Code::corrupt, "A file of stored ids is shorter than it says.");
    auto hash_at = [&](size_t i) { return load<uint64_t>(bytes.data() + i * entry_bytes); };
    size_t below = 0;
    while (below < count && hash_at(below) < hash) ++below;
    if (below == 0) high = start;
    if (below == count) low = start + count;
    if (below > 0 && below < count) return start + below;
  }
  return low;
}

core::Result<bool> IdRun::find(Identity identity, const Candidate& accept) const {
  uint64_t hash = std::max<uint64_t>(identity.hash, 1);
  if (identity.milliseconds != 0 &&
      (identity.milliseconds < header_.earliest || identity.milliseconds > header_.latest))
    return false;
  auto may = may_have(hash);
  if (!may || !*may) return may;
  auto at = lower_bound(hash);
  if (!at) return std::unexpected(at.error());
  for (uint64_t i = *at; i < header_.entries; ++i) {
    std::array<std::byte, entry_bytes> bytes;
    auto read = file_->read_at(entries_at() + i * entry_bytes, bytes);
    if (!read) return std::unexpected(read.error());
    if (*read != entry_bytes || load<uint64_t>(bytes.data()) != hash) return false;
    auto accepted = accept(header_.first + load<uint32_t>(bytes.data() + 8));
    if (!accepted || *accepted) return accepted;
  }
  return false;
}

std::string run_name(Offset first, Offset last) { return fmt::format("{:020}-{:020}{}", first, last, run_suffix); }

std::optional<std::pair<Offset, Offset>> run_range(std::string_view name) {
  if (name.size() != 2 * offset_digits + 1 + run_suffix.size() || name[offset_digits] != '-') return std::nullopt;
  auto first = offset_in_name(name.substr(0, offset_digits), "");
  auto last = offset_in_name(name.substr(offset_digits + 1), run_suffix);
  if (!first || !last) return std::nullopt;
  return std::pair(*first, *last);
}

core::Result<> write_run(core::Disk& disk, const std::string& directory, const HashKey& key, const IdTable& table,
                         Offset last) {
  IdRun::Header header;
  header.key = key;
  header.first = table.first();
  header.last = last;
  header.entries = table.size();
  header.earliest = table.earliest();
  header.latest = table.latest();
  auto writer = RunWriter::create(disk, directory, new_name, header);
  if (!writer) return std::unexpected(writer.error());
  for (const auto& entry : table.sorted())
    if (auto added = (*writer)->add(entry.hash, entry.relative); !added) return added;
  return (*writer)->finish();
}

core::Result<> merge_runs(core::Disk& disk, const std::string& directory, const HashKey& key,
                          const std::vector<std::shared_ptr<const IdRun>>& runs, const std::atomic<bool>& cancelled) {
  IdRun::Header header;
  header.key = key;
  header.first = runs.front()->header().first;
  header.last = runs.back()->header().last;
  std::vector<RunReader> readers;
  for (const auto& run : runs) {
    header.entries += run->header().entries;
    header.earliest = std::min(header.earliest, run->header().earliest);
    header.latest = std::max(header.latest, run->header().latest);
    header.tier = std::max(header.tier, run->header().tier + 1);
    readers.emplace_back(*run);
  }
  auto writer = RunWriter::create(disk, directory, merge_name, header);
  if (!writer) return std::unexpected(writer.error());
  std::vector<RunReader*> open;
  for (auto& reader : readers) {
    auto more = reader.next();
    if (!more) return std::unexpected(more.error());
    if (*more) open.push_back(&reader);
  }
  auto sooner = [](const RunReader* a, const RunReader* b) {
    return a->hash != b->hash ? a->hash < b->hash : a->offset > b->offset;
  };
  while (!open.empty()) {
    if (cancelled) return core::fail(core::Code::exhausted, "The merge was stopped.");
    auto least = std::ranges::min_element(open, sooner);
    if (auto added = (*writer)->add((*least)->hash, static_cast<uint32_t>((*least)->offset - header.first)); !added)
      return added;
    auto more = (*least)->next();
    if (!more) return std::unexpected(more.error());
    if (!*more) open.erase(least);
  }
  return (*writer)->finish();
}

}  // namespace headrace::log
