// Threads for a loop of our own: one team per call, none at all for one thread. They are OpenMP's,
// or std::thread's where the compiler has no OpenMP and where NGAE_THREADS_STD asks for them:
// ThreadSanitizer sees how those synchronise, but not how OpenMP's do.
#pragma once

#include <cstdint>

#if defined(_OPENMP) && !defined(NGAE_THREADS_STD)
#define NGAE_THREADS_OPENMP
#include <omp.h>
#else
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>
#endif

namespace ngae {

#if !defined(NGAE_THREADS_OPENMP)
// Where the threads of a team wait for each other, round after round.
class Meeting {
 public:
  // From now on a round is complete with `size` threads; before, none is.
  void open(int64_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    size_ = size;
  }

  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    const int64_t round = round_;
    if (++waiting_ == size_) {
      waiting_ = 0;
      ++round_;
      complete_.notify_all();
    } else {
      complete_.wait(lock, [&] { return round_ != round; });
    }
  }

  int64_t size() const { return size_; }

 private:
  std::mutex mutex_;
  std::condition_variable complete_;
  int64_t size_ = 0, waiting_ = 0, round_ = 0;
};
#endif

// A thread's place in its team.
struct Team {
  int64_t thread, size;
#if !defined(NGAE_THREADS_OPENMP)
  Meeting* meeting = nullptr;  // of a team of more than one
#endif

  // Waits for all threads of the team.
  void barrier() const {
    if (size == 1) return;
#if defined(NGAE_THREADS_OPENMP)
#pragma omp barrier
#else
    meeting->wait();
#endif
  }

  // This thread's share [begin, end) of `count` items.
  int64_t begin(int64_t count) const { return count * thread / size; }
  int64_t end(int64_t count) const { return count * (thread + 1) / size; }
};

// Threads worth starting for so many multiplications.
inline int64_t useful_threads(int64_t threads, int64_t multiplications) {
  constexpr int64_t kLeastWork = 4'000'000;  // about what starting a team costs
  return multiplications < kLeastWork ? 1 : threads;
}

// Calls body(team) on `threads` threads, or fewer where the system gives fewer. One thread calls
// it without entering OpenMP, so that a forked child can. The body must not throw.
template <class Body>
void parallel(int64_t threads, const Body& body) {
  if (threads <= 1) {
    body(Team{0, 1});
    return;
  }
#if defined(NGAE_THREADS_OPENMP)
#pragma omp parallel num_threads(static_cast<int>(threads))
  body(Team{omp_get_thread_num(), omp_get_num_threads()});
#else
  Meeting meeting;
  const auto work = [&](int64_t thread) {
    meeting.wait();
    body(Team{thread, meeting.size(), &meeting});
  };
  std::vector<std::thread> others;
  others.reserve(static_cast<size_t>(threads - 1));
  try {
    for (int64_t thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
  } catch (const std::system_error&) {  // the system gives no more
  }
  meeting.open(static_cast<int64_t>(others.size()) + 1);
  work(0);
  for (std::thread& other : others) other.join();
#endif
}

}  // namespace ngae
