#include "core/testing/simulated_disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace headrace::core::testing {

namespace {

using Bytes = std::vector<std::byte>;
using Sector = uint64_t;

struct Content {
  Bytes now;               // what a read gives
  Bytes durable;           // what the last sync left
  std::set<Sector> dirty;  // written since

  bool resized() const { return now.size() != durable.size(); }
};
using Inode = std::shared_ptr<Content>;

std::string parent_of(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

struct SimulatedDisk::State {
  // A change to a folder that may or may not outlive a power cut.
  struct Change {
    enum class Kind { link, unlink } kind;
    std::string path;
    Inode inode;
    uint64_t operation;  // of one rename are the link and the unlink
  };

  mutable std::mutex mutex;
  std::map<std::string, Inode> names;          // as seen now
  std::map<std::string, Inode> durable_names;  // as of the last directory syncs
  std::vector<Change> changes;                 // since, in order
  std::set<std::string> directories{"", "/"};
  std::set<std::string> locks;
  uint64_t operations = 0, writes = 0, syncs = 0;
  std::optional<uint64_t> cut_after, failing_write, failing_sync, space;
  size_t failing_write_bytes = 0;
  Error failing_write_error;
  bool off = false;

  Result<> begin() {
    if (off) return no_power();
    if (cut_after && operations >= *cut_after) {
      off = true;
      return no_power();
    }
    ++operations;
    return {};
  }
  static std::unexpected<Error> no_power() { return fail(Code::unavailable, "The simulated disk has no power."); }
  uint64_t used() const {
    std::set<const Content*> counted;
    uint64_t sum = 0;
    for (const auto& [path, inode] : names)
      if (counted.insert(inode.get()).second) sum += inode->now.size();
    return sum;
  }
  void put(Content& content, uint64_t offset, std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    if (content.now.size() < offset + bytes.size()) content.now.resize(offset + bytes.size());
    std::ranges::copy(bytes, content.now.begin() + static_cast<std::ptrdiff_t>(offset));
    for (Sector sector = offset / sector_bytes; sector <= (offset + bytes.size() - 1) / sector_bytes; ++sector)
      content.dirty.insert(sector);
  }
  // How much of a write fits.
  size_t room_for(const Content& content, uint64_t offset, size_t size) const {
    if (!space || offset + size <= content.now.size()) return size;
    uint64_t free = *space > used() ? *space - used() : 0;
    uint64_t within = offset < content.now.size() ? content.now.size() - offset : 0;
    return static_cast<size_t>(std::min<uint64_t>(size, within + free));
  }
  Result<> write(Content& content, uint64_t offset, std::span<const std::byte> bytes);
  Result<> sync(Content& content);
  bool fails_sync();
  void link(const std::string& path, const Inode& inode, uint64_t operation) {
    names[path] = inode;
    changes.push_back({Change::Kind::link, path, inode, operation});
  }
  void unlink(const std::string& path, uint64_t operation) {
    names.erase(path);
    changes.push_back({Change::Kind::unlink, path, nullptr, operation});
  }
  std::vector<uint64_t> change_operations() const {  // each once, in order
    std::vector<uint64_t> found;
    for (const auto& change : changes)
      if (found.empty() || found.back() != change.operation) found.push_back(change.operation);
    return found;
  }
  // Files that either a name or a change refers to, each once, in a fixed order.
  std::vector<Inode> files() const {
    std::vector<Inode> found;
    auto add = [&](const Inode& inode) {
      if (inode && std::ranges::find(found, inode) == found.end()) found.push_back(inode);
    };
    for (const auto& [path, inode] : durable_names) add(inode);
    for (const auto& change : changes) add(change.inode);
    for (const auto& [path, inode] : names) add(inode);
    return found;
  }
};

Result<> SimulatedDisk::State::write(Content& content, uint64_t offset, std::span<const std::byte> bytes) {
  if (off) return no_power();
  bool cut = cut_after && operations >= *cut_after;
  if (cut) {
    put(content, offset, bytes);
    off = true;
    return no_power();
  }
  ++operations;
  ++writes;
  if (failing_write && *failing_write == writes) {
    failing_write.reset();
    put(content, offset, bytes.first(std::min(bytes.size(), failing_write_bytes)));
    return std::unexpected(failing_write_error);
  }
  size_t fits = room_for(content, offset, bytes.size());
  put(content, offset, bytes.first(fits));
  if (fits < bytes.size()) return fail(Code::exhausted, "The simulated disk is full.");
  return {};
}

bool SimulatedDisk::State::fails_sync() {
  ++syncs;
  if (!failing_sync || *failing_sync != syncs) return false;
  failing_sync.reset();
  return true;
}

Result<> SimulatedDisk::State::sync(Content& content) {
  if (auto begun = begin(); !begun) return begun;
  if (fails_sync()) {
    // As Linux does it: the pages are clean afterwards though they never reached the disk, so a second sync "succeeds".
    content.dirty.clear();
    return fail(Code::unavailable, "The simulated disk failed a sync.");
  }
  content.durable.resize(content.now.size());
  for (Sector sector : content.dirty) {
    size_t start = std::min<size_t>(sector * sector_bytes, content.now.size());
    size_t end = std::min<size_t>(start + sector_bytes, content.now.size());
    std::copy(content.now.begin() + static_cast<std::ptrdiff_t>(start),
              content.now.begin() + static_cast<std::ptrdiff_t>(end),
              content.durable.begin() + static_cast<std::ptrdiff_t>(start));
  }
  content.dirty.clear();
  return {};
}

class SimulatedDisk::OpenFile final : public File {
 public:
  OpenFile(std::shared_ptr<State> state, Inode inode, bool writable)
      : state_(std::move(state)), inode_(std::move(inode)), writable_(writable) {}

  Result<size_t> read_at(uint64_t offset, std::span<std::byte> bytes) const override {
    std::lock_guard lock(state_->mutex);
    if (state_->off) return State::no_power();
    if (offset >= inode_->now.size()) return size_t{0};
    size_t size = std::min<size_t>(bytes.size(), inode_->now.size() - offset);
    std::copy_n(inode_->now.begin() + static_cast<std::ptrdiff_t>(offset), size, bytes.begin());
    return size;
  }
  Result<> write_at(uint64_t offset, std::span<const std::byte> bytes) override {
    std::lock_guard lock(state_->mutex);
    if (!writable_) return fail(Code::unavailable, "The file was opened for reading.");
    return state_->write(*inode_, offset, bytes);
  }
  Result<> sync() override {
    std::lock_guard lock(state_->mutex);
    return state_->sync(*inode_);
  }
  Result<> truncate(uint64_t size) override {
    std::lock_guard lock(state_->mutex);
    if (!writable_) return fail(Code::unavailable, "The file was opened for reading.");
    if (auto begun = state_->begin(); !begun) return begun;
    // A sector cut off and written again later starts from zeros.
    for (Sector sector = size / sector_bytes; sector * sector_bytes < inode_->now.size(); ++sector)
      inode_->dirty.insert(sector);
    inode_->now.resize(size);
    return {};
  }
  Result<uint64_t> size() const override {
    std::lock_guard lock(state_->mutex);
    if (state_->off) return State::no_power();
    return inode_->now.size();
  }

 private:
  std::shared_ptr<State> state_;
  Inode inode_;
  bool writable_;
};

class SimulatedDisk::Held final : public Lock {
 public:
  Held(std::shared_ptr<State> state, std::string path) : state_(std::move(state)), path_(std::move(path)) {}
  ~Held() override {
    std::lock_guard lock(state_->mutex);
    state_->locks.erase(path_);
  }

 private:
  std::shared_ptr<State> state_;
  std::string path_;
};

SimulatedDisk::SimulatedDisk() : state_(std::make_shared<State>()) {}
SimulatedDisk::~SimulatedDisk() = default;

Error SimulatedDisk::write_error() { return {Code::unavailable, "The simulated disk failed a write.", {}}; }

Result<std::unique_ptr<File>> SimulatedDisk::open(const std::string& path, Open how) {
  std::lock_guard lock(state_->mutex);
  if (state_->off) return State::no_power();
  auto found = state_->names.find(path);
  bool there = found != state_->names.end();
  if (there && how == Open::create) return fail(Code::conflict, "The file exists.", path);
  if (!there && (how == Open::read || how == Open::write)) return fail(Code::not_found, "There is no such file.", path);
  if (there) return std::make_unique<OpenFile>(state_, found->second, how != Open::read);
  if (!state_->directories.contains(parent_of(path))) return fail(Code::not_found, "There is no such folder.", path);
  if (auto begun = state_->begin(); !begun) return std::unexpected(begun.error());
  auto inode = std::make_shared<Content>();
  state_->link(path, inode, state_->operations);
  return std::make_unique<OpenFile>(state_, inode, true);
}

// Folders are durable at once: a log never loses the folder it lives in.
Result<> SimulatedDisk::make_directories(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  if (state_->off) return State::no_power();
  for (std::string each = path; !each.empty(); each = parent_of(each)) state_->directories.insert(each);
  return {};
}

Result<std::vector<std::string>> SimulatedDisk::list(const std::string& directory) {
  std::lock_guard lock(state_->mutex);
  if (state_->off) return State::no_power();
  if (!state_->directories.contains(directory)) return fail(Code::not_found, "There is no such folder.", directory);
  std::set<std::string> found;
  for (const auto& [path, inode] : state_->names)
    if (parent_of(path) == directory) found.insert(path.substr(path.rfind('/') + 1));
  return std::vector<std::string>(found.begin(), found.end());
}

Result<bool> SimulatedDisk::exists(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  if (state_->off) return State::no_power();
  return state_->names.contains(path) || state_->directories.contains(path);
}

Result<> SimulatedDisk::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(state_->mutex);
  auto found = state_->names.find(from);
  if (found == state_->names.end()) return fail(Code::not_found, "There is no such file.", from);
  if (auto begun = state_->begin(); !begun) return begun;
  Inode inode = found->second;
  state_->link(to, inode, state_->operations);
  state_->unlink(from, state_->operations);
  return {};
}

Result<> SimulatedDisk::remove(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  if (state_->off) return State::no_power();
  if (!state_->names.contains(path)) return fail(Code::not_found, "There is no such file.", path);
  if (auto begun = state_->begin(); !begun) return begun;
  state_->unlink(path, state_->operations);
  return {};
}

Result<> SimulatedDisk::sync_directory(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  if (auto begun = state_->begin(); !begun) return begun;
  if (state_->fails_sync()) return fail(Code::unavailable, "The simulated disk failed a sync of a folder.");
  std::vector<State::Change> left;
  for (const auto& change : state_->changes) {
    if (parent_of(change.path) != path) {
      left.push_back(change);
    } else if (change.kind == State::Change::Kind::link) {
      state_->durable_names[change.path] = change.inode;
    } else {
      state_->durable_names.erase(change.path);
    }
  }
  state_->changes = std::move(left);
  return {};
}

Result<std::unique_ptr<Disk::Lock>> SimulatedDisk::lock(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  if (state_->off) return State::no_power();
  if (!state_->locks.insert(path).second) return fail(Code::conflict, "Another process holds the lock.", path);
  return std::make_unique<Held>(state_, path);
}

uint64_t SimulatedDisk::operations() const {
  std::lock_guard lock(state_->mutex);
  return state_->operations;
}
uint64_t SimulatedDisk::writes() const {
  std::lock_guard lock(state_->mutex);
  return state_->writes;
}
uint64_t SimulatedDisk::syncs() const {
  std::lock_guard lock(state_->mutex);
  return state_->syncs;
}
uint64_t SimulatedDisk::used() const {
  std::lock_guard lock(state_->mutex);
  return state_->used();
}

void SimulatedDisk::cut_power_after(uint64_t operations) {
  std::lock_guard lock(state_->mutex);
  state_->cut_after = state_->operations + operations;
}

void SimulatedDisk::fail_write(uint64_t nth, size_t bytes_written, Error error) {
  std::lock_guard lock(state_->mutex);
  state_->failing_write = state_->writes + nth;
  state_->failing_write_bytes = bytes_written;
  state_->failing_write_error = std::move(error);
}

void SimulatedDisk::fail_sync(uint64_t nth) {
  std::lock_guard lock(state_->mutex);
  state_->failing_sync = state_->syncs + nth;
}

void SimulatedDisk::limit_space(std::optional<uint64_t> bytes) {
  std::lock_guard lock(state_->mutex);
  state_->space = bytes;
}

void SimulatedDisk::flip(const std::string& path, uint64_t offset, std::byte mask) {
  std::lock_guard lock(state_->mutex);
  auto found = state_->names.find(path);
  require(found != state_->names.end() && offset < found->second->now.size(), "a byte to flip is there");
  found->second->now[offset] ^= mask;
  if (offset < found->second->durable.size()) found->second->durable[offset] ^= mask;
}

size_t SimulatedDisk::unsynced() const {
  std::lock_guard lock(state_->mutex);
  size_t choices = state_->change_operations().size();
  for (const Inode& inode : state_->files()) choices += inode->dirty.size() + (inode->resized() ? 1 : 0);
  return choices;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::reboot(const std::function<bool(size_t)>& kept) const {
  std::lock_guard lock(state_->mutex);
  auto disk = std::make_unique<SimulatedDisk>();
  size_t choice = 0;
  std::set<uint64_t> kept_changes;
  for (uint64_t operation : state_->change_operations())
    if (kept(choice++)) kept_changes.insert(operation);
  std::map<Inode, Inode> after;
  for (const Inode& inode : state_->files()) {
    auto left = std::make_shared<Content>();
    left->now = inode->durable;
    if (inode->resized() && kept(choice++)) left->now.resize(inode->now.size());
    for (Sector sector : inode->dirty) {
      if (!kept(choice++)) continue;
      size_t start = sector * sector_bytes;
      size_t end = std::min({start + sector_bytes, inode->now.size(), left->now.size()});
      for (size_t i = start; i < end; ++i) left->now[i] = inode->now[i];
    }
    left->durable = left->now;
    after[inode] = left;
  }
  auto& names = disk->state_->durable_names;
  for (const auto& [path, inode] : state_->durable_names) names[path] = after[inode];
  for (const auto& change : state_->changes) {
    if (!kept_changes.contains(change.operation)) continue;
    if (change.kind == State::Change::Kind::link) names[change.path] = after[change.inode];
    if (change.kind == State::Change::Kind::unlink) names.erase(change.path);
  }
  disk->state_->names = names;
  disk->state_->directories = state_->directories;
  return disk;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::reboot(Random& random) const {
  uint64_t kept_of_eight = random.below(9);
  return reboot([&](size_t) { return random.below(8) < kept_of_eight; });
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::reboot_with_nothing_unsynced() const {
  return reboot([](size_t) { return false; });
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::reboot_with_everything() const {
  return reboot([](size_t) { return true; });
}

}  // namespace headrace::core::testing
