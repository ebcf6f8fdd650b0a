#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "core/task.h"

namespace headrace::core {

namespace asio = boost::asio;

namespace {

// One piece of work. Shared by the task that waits and the thread that works, as either may be gone first.
struct Job {
  explicit Job(const Executor& executor) : timer(executor, asio::steady_timer::time_point::max()) {}
  enum class Stage { queued, begun, given_up };
  std::atomic<Stage> stage{Stage::queued};
  std::move_only_function<void()> work;
  std::chrono::steady_clock::time_point deadline;
  asio::steady_timer timer;  // touched on the loop only; cancelled when done
  bool done = false;         // on the loop only, as are the next two
  bool refused = false;
  std::exception_ptr failure;
};

void answer(const std::shared_ptr<Job>& job, bool refused, std::exception_ptr failure) {
  auto executor = job->timer.get_executor();
  asio::post(executor, [job, refused, failure = std::move(failure)] {
    job->done = true;
    job->refused = refused;
    job->failure = failure;
    job->timer.cancel();
  });
}

void work_off(const std::shared_ptr<Job>& job) {
  auto queued = Job::Stage::queued;
  if (!job->stage.compare_exchange_strong(queued, Job::Stage::begun)) return;  // nobody waits for it any more
  if (std::chrono::steady_clock::now() > job->deadline) return answer(job, true, nullptr);
  std::exception_ptr failure;
  try {
    job->work();
  } catch (...) {
    failure = std::current_exception();
  }
  job->work = nullptr;  // what it captured goes on this thread, before the answer
  answer(job, false, std::move(failure));
}

}  // namespace

struct Pool::Impl {
  Impl(std::string called, Limits within) : name(std::move(called)), limits(within) {
    for (size_t i = 0; i < limits.threads; ++i) threads.emplace_back([this] { serve(); });
  }
  ~Impl() {
    {
      std::lock_guard lock(mutex);
      closing = true;
    }
    changed.notify_all();
    for (auto& thread : threads) thread.join();
    for (const auto& job : queue) answer(job, true, nullptr);
  }

  void serve() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return closing || !queue.empty(); });
      if (closing) return;
      auto job = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      work_off(job);
      job.reset();
      lock.lock();
    }
  }

  bool enqueue(std::shared_ptr<Job> job) {
    std::lock_guard lock(mutex);
    if (closing || queue.size() >= limits.queue_max) return false;
    queue.push_back(std::move(job));
    changed.notify_one();
    return true;
  }

  std::string name;
  Limits limits;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Job>> queue;
  bool closing = false;
  std::vector<std::thread> threads;
};

Pool::Pool(std::string name, Limits limits) : impl_(std::make_unique<Impl>(std::move(name), limits)) {}
Pool::~Pool() = default;

Task<Result<>> Pool::run(std::move_only_function<void()> work) {
  auto job = std::make_shared<Job>(co_await asio::this_coro::executor);
  job->work = std::move(work);
  job->deadline = std::chrono::steady_clock::now() + impl_->limits.wait_max;
  std::string busy = "The server is busy: the queue for '" + impl_->name + "' is full. Try again in a moment.";
  if (!impl_->enqueue(job)) co_return fail(Code::exhausted, std::move(busy));
  bool cancelled = false;
  while (!job->done) {
    auto [error] = co_await job->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (job->done || !error) continue;
    // Cancelled. What has not begun never will; what has is waited for, as it may use what the caller owns.
    auto queued = Job::Stage::queued;
    if (job->stage.compare_exchange_strong(queued, Job::Stage::given_up)) throw boost::system::system_error(error);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    cancelled = true;
  }
  if (cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  if (job->refused) co_return fail(Code::exhausted, std::move(busy));
  if (job->failure) std::rethrow_exception(job->failure);
  co_return Result<>{};
}

size_t Pool::queued() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->queue.size();
}

}  // namespace headrace::core
