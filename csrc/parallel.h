// Threads for a loop of our own: one team per call, none at all for one thread.
#pragma once

#include <cstdint>

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace ngae {

// A thread's place in its team.
struct Team {
  int64_t thread, size;

  // Waits for all threads of the team.
  void barrier() const {
#if defined(_OPENMP)
    if (size > 1) {
#pragma omp barrier
    }
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
#if defined(_OPENMP)
  if (threads > 1) {
#pragma omp parallel num_threads(static_cast<int>(threads))
    body(Team{omp_get_thread_num(), omp_get_num_threads()});
    return;
  }
#else
  static_cast<void>(threads);
#endif
  body(Team{0, 1});
}

}  // namespace ngae
