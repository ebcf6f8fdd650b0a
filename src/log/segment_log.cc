#include "log/segment_log.h"

#include <fmt/format.h>

#include <future>
#include <thread>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "log/checkpoint.h"
#include "log/completions.h"
#include "log/housekeeper.h"
#include "log/queue.h"
#include "log/record.h"
#include "log/recovery.h"
#include "log/scrub.h"
#include "log/verify.h"
#include "log/watchers.h"

namespace headrace::log {

namespace {

constexpr std::string_view lock_name = "lock";

core::Result<std::unique_ptr<core::Disk::Lock>> lock_folder(core::Disk& disk, const std::string& directory) {
  auto lock = disk.lock(directory + "/" + std::string(lock_name));
  if (lock || lock.error().code != core::Code::conflict) return lock;
  return core::fail(
      core::Code::conflict,
      fmt::format("The folder {} is in use by another Headrace. Stop that one first (`headrace down`), or "
                  "choose another folder with --data.",
                  directory),
      lock.error().message + " " + lock.error().detail);
}

// Of the submissions that make one batch, from `next` on.
size_t bytes_of_next(const std::vector<Submission>& submissions, size_t next, size_t bytes_max) {
  size_t bytes = submissions[next].items.size();
  while (++next < submissions.size() && bytes + submissions[next].items.size() <= bytes_max)
    bytes += submissions[next].items.size();
  return bytes;
}

}  // namespace

struct SegmentLog::Impl {
  Impl(core::Disk& on, const core::Clock& by, std::string in, Options with, Meta of,
       std::unique_ptr<core::Disk::Lock> held)
      : disk(on),
        clock(by),
        directory(std::move(in)),
        options(with),
        meta(of),
        lock(std::move(held)),
        catalog(disk, directory, options.tail_cache_bytes),
        ids(meta.key, options.filter_bytes_max),
        spare(disk, directory, options.segment_bytes),
        queue(options.pending_bytes_max),
        scrubber(disk, directory),
        keeper(options.housekeeping == Options::Housekeeping::own_thread) {}

  core::Disk& disk;
  const core::Clock& clock;
  const std::string directory;
  const Options options;
  Meta meta;
  std::unique_ptr<core::Disk::Lock> lock;
  Catalog catalog;
  IdIndex ids;
  Spare spare;
  Queue queue;
  Watchers watchers;
  Scrubber scrubber;
  std::optional<Writer> writer;  // none where nothing may be written
  std::atomic<uint64_t> batches = 0, events = 0, bytes = 0, duplicates = 0;
  std::atomic<core::Duration> last_sync{};
  std::atomic<bool> prefilled = false;
  bool spare_asked = false;  // for the segment behind the open one
  Covered checkpointed;      // what the last checkpoint covers
  std::atomic<bool> checkpointing = false;
  mutable std::mutex stopped_mutex;
  std::optional<core::Error> stopped;
  std::mutex trim_mutex;
  std::mutex save_mutex;
  Housekeeper keeper;
  std::thread thread;

  void start(core::Random& random, Recovered recovered);
  void finish();
  void stop(core::Error error);
  std::optional<core::Error> why_stopped() const;

  // The log's thread.
  void run();
  void work(std::vector<Submission> submissions);
  void commit(Group& group, size_t bytes_taken);
  void measure();
  core::Result<> seal();
  void keep_checkpoint(uint64_t bytes_least);  // if so much was appended since the last
  void answer_seal(Submission& submission);

  // The housekeeper's.
  Writer::Hooks hooks();
  void keep_house(core::Result<> done, std::string_view doing);
  core::Result<> save_closed_ids();  // also the log's thread, when it cannot wait
  void save_ids();
  void ask_for_spare();  // on the log's thread: once a segment
  void prepare_spare();
  void measure_prefill();
  core::Result<> scrub(size_t segments_max);
};

void SegmentLog::Impl::start(core::Random& random, Recovered recovered) {
  stopped = recovered.stopped;
  writer.emplace(Writer::Parts{disk, clock, random, directory, options, catalog, ids, spare}, hooks(),
                 std::move(recovered.tail));
  prefilled = writer->prefilled();
  if (recovered.unread) {
    checkpointed = *recovered.unread;
    keeper.post([this, covered = checkpointed] {
      keep_house(check_covered(disk, directory, covered, keeper.stopping()), "re-reading the open segment");
    });
  }
  keeper.start(options.scrub_pause, [this] { keep_house(scrub(1), "re-reading a closed segment"); });
  if (options.prefill == Options::Prefill::always ||
      (meta.prefill && meta.prefill->gains() && options.prefill == Options::Prefill::measured))
    spare.want();
  thread = std::thread([this] { run(); });
}

void SegmentLog::Impl::finish() {
  queue.stop();
  if (thread.joinable()) thread.join();
  keeper.stop();
}

void SegmentLog::Impl::stop(core::Error error) {
  core::diagnose(core::Level::error, "log", error.message + " " + error.detail);
  error.code = core::Code::unavailable;
  std::lock_guard held(stopped_mutex);
  if (!stopped) stopped = std::move(error);
}

std::optional<core::Error> SegmentLog::Impl::why_stopped() const {
  std::lock_guard held(stopped_mutex);
  return stopped;
}

void SegmentLog::Impl::run() {
  keeper.run_posted();
  while (!queue.stopped()) {
    auto patience = writer->sealed() || why_stopped() ? std::chrono::milliseconds(0) : options.idle_seal;
    auto submissions = queue.take(patience);
    if (submissions.empty()) {
      static_cast<void>(seal());  // a full disk: tried again at the next idle moment; else stop() was told
    } else {
      work(std::move(submissions));
    }
    keeper.run_posted();
  }
  static_cast<void>(seal());
  checkpointing = false;  // whatever is under way, this one comes behind it
  keep_checkpoint(options.checkpoint_bytes_least);
}

void SegmentLog::Impl::work(std::vector<Submission> submissions) {
  for (size_t next = 0; next < submissions.size();) {
    Group group(catalog, ids, writer->next_offset(), bytes_of_next(submissions, next, options.batch_bytes_max));
    size_t bytes_taken = 0;
    auto stopped_by = why_stopped();
    while (next < submissions.size() && !submissions[next].seal) {
      Submission& submission = submissions[next];
      if (!group.empty() && group.bytes() + submission.items.size() > options.batch_bytes_max) break;
      bytes_taken += submission.bytes();
      if (stopped_by && !submission.refused) submission.refused = stopped_by;
      group.take(std::move(submission));
      ++next;
    }
    commit(group, bytes_taken);
    if (next < submissions.size() && submissions[next].seal) answer_seal(submissions[next++]);
  }
}

void SegmentLog::Impl::commit(Group& group, size_t bytes_taken) {
  core::Result<> written;
  if (!group.empty())
    written = writer->write(group, [&] {
      AnswerRound round;
      group.answer(Durability::memory);
    });
  if (!written && writer->failure()) stop(*writer->failure());
  measure();
  duplicates += group.duplicates();
  if (written) events += group.events();
  ask_for_spare();
  keep_checkpoint(options.checkpoint_bytes);
  queue.settled(bytes_taken);  // who is answered finds room for the next
  AnswerRound round;
  if (!written) return group.fail(written.error());
  group.answer(Durability::memory);
  group.answer(Durability::disk);
  if (!group.empty()) watchers.tell(catalog.durable());
}

void SegmentLog::Impl::measure() {
  batches = writer->batches_written();
  bytes = writer->bytes_written();
  last_sync = writer->last_sync();
  prefilled = writer->prefilled();
}

core::Result<> SegmentLog::Impl::seal() {
  if (auto why = why_stopped()) return std::unexpected(*why);
  auto sealed = writer->seal();
  if (!sealed && writer->failure()) stop(*writer->failure());
  measure();
  return sealed;
}

// One at a time: while the housekeeper is behind, the next one waits for the next batch.
void SegmentLog::Impl::keep_checkpoint(uint64_t bytes_least) {
  const Tail& tail = writer->tail();
  if (!tail.segment || tail.events == 0 || why_stopped()) return;
  Offset first = tail.segment->header.first_offset;
  uint64_t known = checkpointed.segment == first ? checkpointed.end : segment_header_bytes;
  if (tail.segment->end - known < bytes_least || checkpointing.exchange(true)) return;
  checkpointed = {first, tail.segment->end, tail.sum};
  auto taken = std::make_unique<Checkpoint>(Checkpoint{.segment = first,
                                                       .epoch = tail.segment->header.epoch,
                                                       .end = tail.segment->end,
                                                       .tail = tail,
                                                       .index = catalog.open_index(),
                                                       .ids = ids.open_ids()});
  taken->tail.segment.reset();
  keeper.post([this, held = std::move(taken)] {
    keep_house(write_checkpoint(disk, directory, *held), "saving a checkpoint");
    checkpointing = false;
  });
}

void SegmentLog::Impl::answer_seal(Submission& submission) {
  queue.settled(submission.bytes());
  auto sealed = seal();
  submission.done(sealed ? core::Result<Appended>(Appended{}) : std::unexpected(sealed.error()));
}

Writer::Hooks SegmentLog::Impl::hooks() {
  auto save_index = [this](Offset first, std::string index) {
    keeper.post([this, first, held = std::move(index)] {
      keep_house(core::write_file(disk, directory + "/" + index_name(first), held), "saving an index");
    });
  };
  auto save = [this] {
    spare_asked = false;
    keeper.post([this] { save_ids(); });
  };
  auto saved = [this]() -> core::Result<> { return save_closed_ids(); };
  return {save_index, save, saved};
}

// A full disk is no reason to stop: what was left undone is tried again later, or made again at the next start.
void SegmentLog::Impl::keep_house(core::Result<> done, std::string_view doing) {
  if (done || done.error().code == core::Code::exhausted || done.error().code == core::Code::not_found) return;
  if (done.error().code == core::Code::corrupt) return stop(done.error());
  stop(stopped_error(fmt::format("{} failed", doing), catalog.newest_segment(), catalog.durable() + 1,
                     done.error().message + " " + done.error().detail));
}

core::Result<> SegmentLog::Impl::save_closed_ids() {
  std::lock_guard held(save_mutex);
  while (ids.has_unsaved())
    if (auto saved = ids.save(disk, directory); !saved) return saved;
  return {};
}

void SegmentLog::Impl::save_ids() {
  if (auto saved = save_closed_ids(); !saved) return keep_house(saved, "saving ids");
  for (;;) {
    auto merged = ids.merge(disk, directory, keeper.stopping());
    if (!merged) return keep_house(std::unexpected(merged.error()), "merging ids");
    if (!*merged) return;
  }
}

void SegmentLog::Impl::ask_for_spare() {
  if (spare_asked || options.prefill == Options::Prefill::never || !writer->wants_spare()) return;
  spare_asked = true;
  keeper.post([this] {
    if (options.prefill == Options::Prefill::measured && !meta.prefill) measure_prefill();
    prepare_spare();
  });
}

void SegmentLog::Impl::prepare_spare() { keep_house(spare.make(keeper.stopping()), "preparing the next segment"); }

void SegmentLog::Impl::measure_prefill() {
  auto probe = probe_prefill(disk, clock, directory, keeper.stopping());
  if (!probe) return keep_house(std::unexpected(probe.error()), "measuring the disk");
  meta.prefill = *probe;
  if (probe->gains()) spare.want();
  keep_house(write_meta(disk, directory, meta), "writing what was measured");
}

core::Result<> SegmentLog::Impl::scrub(size_t segments_max) {
  auto done = scrubber.run(catalog.closed(), segments_max, keeper.stopping());
  if (!done && done.error().code == core::Code::corrupt) stop(done.error());
  return done;
}

core::Result<std::unique_ptr<SegmentLog>> SegmentLog::open(core::Disk& disk, const core::Clock& clock,
                                                           core::Random& random, std::string directory,
                                                           Options options) {
  if (auto made = disk.make_directories(directory); !made) return core::pass_on(made.error(), "opening the event log");
  auto lock = lock_folder(disk, directory);
  if (!lock) return std::unexpected(lock.error());
  auto meta = read_meta(disk, directory);
  if (!meta) return core::pass_on(meta.error(), "opening the event log");
  if (!*meta) {
    meta->emplace(Meta{.key = {random.next(), random.next()}, .prefill = {}});
    if (auto written = write_meta(disk, directory, **meta); !written)
      return core::pass_on(written.error(), "creating the event log");
  }
  auto impl = std::make_unique<Impl>(disk, clock, std::move(directory), options, **meta, std::move(*lock));
  auto recovered = recover(disk, impl->directory, Access::write, options, impl->catalog, impl->ids);
  if (!recovered) return core::pass_on(recovered.error(), "recovering the event log");
  if (recovered->stopped) core::diagnose(core::Level::error, "log", recovered->stopped->message);
  if (auto found = impl->spare.find(); !found) return core::pass_on(found.error(), "opening the event log");
  impl->start(random, std::move(*recovered));
  return std::unique_ptr<SegmentLog>(new SegmentLog(std::move(impl)));
}

core::Result<std::unique_ptr<SegmentLog>> SegmentLog::open_read_only(core::Disk& disk, const core::Clock& clock,
                                                                     std::string directory) {
  auto lock = lock_folder(disk, directory);
  if (!lock) return std::unexpected(lock.error());
  auto meta = read_meta(disk, directory);
  if (!meta) return core::pass_on(meta.error(), "opening the event log");
  auto impl =
      std::make_unique<Impl>(disk, clock, std::move(directory), Options{}, meta->value_or(Meta{}), std::move(*lock));
  auto recovered = recover(disk, impl->directory, Access::read_only, impl->options, impl->catalog, impl->ids);
  if (!recovered) return core::pass_on(recovered.error(), "reading the event log");
  impl->stopped = recovered->stopped;
  if (!impl->stopped)
    impl->stopped =
        core::Error{core::Code::unavailable, "This log was opened for reading; it takes no events.", impl->directory};
  return std::unique_ptr<SegmentLog>(new SegmentLog(std::move(impl)));
}

core::Result<VerifyReport> SegmentLog::verify(core::Disk& disk, const std::string& directory) {
  auto lock = lock_folder(disk, directory);
  if (!lock) return std::unexpected(lock.error());
  return verify_folder(disk, directory);
}

SegmentLog::SegmentLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SegmentLog::~SegmentLog() { impl_->finish(); }

void SegmentLog::submit(Batch batch, Done done) {
  size_t bytes_max = impl_->options.pending_bytes_max / 2;
  auto submission = encode_batch(std::move(batch), impl_->ids.key(), bytes_max);
  if (!submission) {
    core::Error refused = std::move(submission.error());
    submission.emplace().refused = std::move(refused);
  }
  submission->done = std::move(done);
  if (!impl_->writer) return submission->done(std::unexpected(*impl_->stopped));
  impl_->queue.push(std::move(*submission));
}

core::Result<std::vector<Stored>> SegmentLog::read(Offset from, size_t max) {
  return impl_->catalog.read(from, max, nullptr);
}

core::Result<std::vector<Stored>> SegmentLog::read_types(Offset from, size_t max,
                                                         const std::vector<std::string>& types) {
  return impl_->catalog.read(from, max, &types);
}

Offset SegmentLog::first() const { return impl_->catalog.first(); }
Offset SegmentLog::durable() const { return impl_->catalog.durable(); }
core::Result<std::optional<Offset>> SegmentLog::at(core::Time time) { return impl_->catalog.at(time); }

core::Result<std::optional<Offset>> SegmentLog::offset_of(std::string_view source, std::string_view id) {
  std::string identity = encode_identity(source, id);
  std::optional<Offset> at;
  auto found = impl_->ids.find(impl_->ids.event(core::as_bytes(identity)), [&](Offset offset) -> core::Result<bool> {
    auto item = impl_->catalog.item(offset, ItemKind::event);
    if (!item) return std::unexpected(item.error());
    if (!*item || !text_of((*item)->bytes()).starts_with(identity)) return false;
    at = offset;
    return true;
  });
  if (!found) return std::unexpected(found.error());
  return at;
}

core::Result<Offset> SegmentLog::last_of(std::string_view expected_key) {
  auto named = named_last(impl_->catalog, impl_->ids, expected_key);
  if (!named) return std::unexpected(named.error());
  return named->ended;
}

core::Result<> SegmentLog::trim(Offset before) {
  if (!impl_->writer) return std::unexpected(*impl_->why_stopped());
  std::lock_guard held(impl_->trim_mutex);
  std::vector<std::string> names;
  // Oldest first, so that a crash on the way leaves no hole.
  for (Offset first : impl_->catalog.forget_before(before)) {
    names.push_back(segment_name(first));
    names.push_back(index_name(first));
  }
  if (names.empty()) return {};
  impl_->ids.drop_before(impl_->catalog.first(), names);
  for (const auto& name : names) {
    auto removed = impl_->disk.remove(impl_->directory + "/" + name);
    if (!removed && removed.error().code != core::Code::not_found) return removed;
  }
  return impl_->disk.sync_directory(impl_->directory);
}

std::optional<core::Error> SegmentLog::stopped() const { return impl_->why_stopped(); }

EventLog::Watch SegmentLog::watch(std::function<void(Offset durable)> heard) {
  return impl_->watchers.add(std::move(heard));
}

LogStat SegmentLog::stat() const {
  const Impl& impl = *impl_;
  return {.segments = impl.catalog.segments(),
          .bytes = impl.catalog.bytes(),
          .first = impl.catalog.first(),
          .durable = impl.catalog.durable(),
          .batches_written = impl.batches,
          .events_written = impl.events,
          .bytes_written = impl.bytes,
          .duplicates = impl.duplicates,
          .pending_bytes = impl.queue.pending_bytes(),
          .last_sync = impl.last_sync,
          .prefilled = impl.prefilled};
}

core::Result<> SegmentLog::seal() {
  if (!impl_->writer) return std::unexpected(*impl_->why_stopped());
  std::promise<core::Result<>> sealed;
  Submission submission;
  submission.seal = true;
  submission.done = [&](core::Result<Appended> answer) {
    sealed.set_value(answer ? core::Result<>() : std::unexpected(answer.error()));
  };
  auto answer = sealed.get_future();
  impl_->queue.push(std::move(submission));
  return answer.get();
}

core::Result<> SegmentLog::scrub(size_t segments_max) { return impl_->scrub(segments_max); }

}  // namespace headrace::log
