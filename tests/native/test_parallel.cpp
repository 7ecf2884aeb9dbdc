// parallel, its barrier and its shares; balanced_groups.
#include <numeric>

#include "check.h"
#include "parallel.h"
#include "partition.h"
#include "random.h"

namespace native {
namespace {

TEST(every_thread_takes_its_place) {
  for (const int64_t threads : {1, 2, 3, 7}) {
    std::vector<int64_t> seen(static_cast<size_t>(threads), 0), size(seen);
    ngae::parallel(threads, [&](const ngae::Team& team) {
      ++seen[team.thread];
      size[team.thread] = team.size;
    });
    check_equal(seen, std::vector<int64_t>(static_cast<size_t>(threads), 1), "visits");
    check_equal(size, std::vector<int64_t>(static_cast<size_t>(threads), threads), "size");
  }
}

// Each round a thread reads what its neighbour wrote in the round before.
TEST(barrier_separates_rounds) {
  constexpr int64_t kThreads = 3, kRounds = 500;
  std::vector<int64_t> old(kThreads, 0), now(kThreads, 0);
  ngae::parallel(kThreads, [&](const ngae::Team& team) {
    for (int64_t round = 0; round < kRounds; ++round) {
      now[team.thread] = old[(team.thread + 1) % team.size] + 1;
      team.barrier();
      old[team.thread] = now[team.thread];
      team.barrier();
    }
  });
  check_equal(now, std::vector<int64_t>(kThreads, kRounds), "rounds");
}

TEST(shares_cover_everything_once) {
  for (const int64_t size : {1, 2, 3, 8}) {
    for (const int64_t count : {0, 1, 2, 7, 8, 1000}) {
      int64_t next = 0;
      for (int64_t thread = 0; thread < size; ++thread) {
        const ngae::Team team{thread, size};
        check_equal(team.begin(count), next, "begin");
        next = team.end(count);
        check(next - team.begin(count) <= count / size + 1, "share of ", count, " for ", size);
      }
      check_equal(next, count, "end");
    }
  }
}

TEST(groups_are_balanced) {
  Random random(5);
  for (int64_t round = 0; round < 500; ++round) {
    const int64_t num_graphs = random.below(30), asked = random.below(8);
    std::vector<int32_t> ptr{0};
    int32_t largest = 0;
    for (int64_t g = 0; g < num_graphs; ++g) {
      ptr.push_back(ptr.back() + 1 + random.below(9));
      largest = std::max(largest, ptr[g + 1] - ptr[g]);
    }
    const std::vector<int32_t> bounds = ngae::balanced_groups(ptr.data(), num_graphs, asked);
    const int64_t groups = std::min(std::max<int64_t>(asked, 1), num_graphs);
    check_equal(static_cast<int64_t>(bounds.size()), groups + 1, "bounds");
    check_equal(bounds.front(), 0, "first bound");
    check_equal(static_cast<int64_t>(bounds.back()), num_graphs, "last bound");
    for (int64_t i = 0; i < groups; ++i) {
      check(bounds[i] < bounds[i + 1], "group ", i, " is empty");
      const double even = static_cast<double>(ptr.back()) / static_cast<double>(groups);
      const int32_t nodes = ptr[bounds[i + 1]] - ptr[bounds[i]];
      check(nodes <= even + 2 * largest, "group ", i, ": ", nodes, " nodes, evenly ", even);
    }
  }
}

}  // namespace
}  // namespace native
