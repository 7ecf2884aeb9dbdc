// The way of a team of threads through the levels of a batch, upwards or downwards: which rows
// each thread takes at a time, and where it waits for the others.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "dag_gru.h"
#include "parallel.h"
#include "partition.h"

namespace ngae {

struct RowList {
  const int32_t* rows;
  int64_t count;
};

// Groups of graphs go their own way, without a barrier, one thread each at a time. Where graphs are
// fewer than threads, all threads go level by level instead, as many on each as it is wide enough
// for.
class Sweep {
 public:
  Sweep(const GraphView& graphs, int64_t threads)
      : graphs_(graphs),
        shared_(graphs.num_graphs < threads && widest_level(graphs) >= 2 * kLeastRows),
        bounds_(balanced_groups(graphs.graph_ptr, graphs.num_graphs, shared_ ? 1 : threads)),
        scratch_(graphs.num_nodes) {}

  // Calls body(rows) level by level, predecessors first.
  template <class Body>
  void up(const Team& team, const Body& body) const {
    if (shared_) {
      for (int64_t level = 0; level < graphs_.num_levels; ++level) visit_share(team, level, body);
      return;
    }
    for (int64_t group = team.thread; group < groups(); group += team.size) {
      for (int64_t level = 0; level < graphs_.num_levels; ++level) body(part(group, level));
    }
  }

  // Calls body(rows) level by level, successors first.
  template <class Body>
  void down(const Team& team, const Body& body) const {
    if (shared_) {
      for (int64_t level = graphs_.num_levels; level-- > 0;) visit_share(team, level, body);
      return;
    }
    for (int64_t group = team.thread; group < groups(); group += team.size) {
      for (int64_t level = graphs_.num_levels; level-- > 0;) body(part(group, level));
    }
  }

  // Those of `list` that keep(v) accepts; valid until the next call with the same list.
  template <class Keep>
  RowList filter(const RowList& list, const Keep& keep) {
    int32_t* out = scratch_.data() + (list.rows - graphs_.level_node);
    return {out, std::copy_if(list.rows, list.rows + list.count, out, keep) - out};
  }

 private:
  static constexpr int64_t kLeastRows = 8;  // of a level for each thread that are worth a barrier

  int64_t groups() const { return static_cast<int64_t>(bounds_.size()) - 1; }

  RowList part(int64_t group, int64_t level) const {
    const int32_t* first = graphs_.level_node + graphs_.level_ptr[level];
    const int32_t* last = graphs_.level_node + graphs_.level_ptr[level + 1];
    const int32_t* from = std::lower_bound(first, last, graphs_.graph_ptr[bounds_[group]]);
    return {from, std::lower_bound(from, last, graphs_.graph_ptr[bounds_[group + 1]]) - from};
  }

  template <class Body>
  void visit_share(const Team& team, int64_t level, const Body& body) const {
    const int64_t first = graphs_.level_ptr[level], count = graphs_.level_ptr[level + 1] - first;
    const int64_t sharers = std::clamp<int64_t>(count / kLeastRows, 1, team.size);
    if (team.thread < sharers) {
      const Team share{team.thread, sharers};
      const int64_t begin = share.begin(count), end = share.end(count);
      body(RowList{graphs_.level_node + first + begin, end - begin});
    }
    team.barrier();
  }

  static int64_t widest_level(const GraphView& graphs) {
    int64_t widest = 0;
    for (int64_t level = 0; level < graphs.num_levels; ++level) {
      widest = std::max<int64_t>(widest, graphs.level_ptr[level + 1] - graphs.level_ptr[level]);
    }
    return widest;
  }

  const GraphView& graphs_;
  bool shared_;
  std::vector<int32_t> bounds_;
  std::vector<int32_t> scratch_;
};

}  // namespace ngae
