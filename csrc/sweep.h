// One group of graphs on its way through the levels of a batch: which rows a level holds, which of
// them send messages and which receive any.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "dag_gru.h"
#include "partition.h"

namespace ngae {

struct RowList {
  const int32_t* rows;
  int64_t count;
};

// Groups of graphs, each one thread's at a time; rows of a group are disjoint from all others'.
class Groups {
 public:
  Groups(const GraphView& graphs, int64_t threads)
      : graphs_(graphs),
        bounds_(balanced_groups(graphs.graph_ptr, graphs.num_graphs, threads)),
        scratch_(graphs.num_nodes) {}

  int64_t count() const { return static_cast<int64_t>(bounds_.size()) - 1; }

  RowList level(int64_t group, int64_t level) const {
    const int32_t* first = graphs_.level_node + graphs_.level_ptr[level];
    const int32_t* last = graphs_.level_node + graphs_.level_ptr[level + 1];
    const int32_t* from = std::lower_bound(first, last, first_node(group));
    return {from, std::lower_bound(from, last, first_node(group + 1)) - from};
  }

  // Those of `list` that keep(v) accepts; valid until the group's next call.
  template <class Keep>
  RowList filter(int64_t group, const RowList& list, const Keep& keep) {
    int32_t* out = scratch_.data() + first_node(group);
    return {out, std::copy_if(list.rows, list.rows + list.count, out, keep) - out};
  }

 private:
  int32_t first_node(int64_t group) const { return graphs_.graph_ptr[bounds_[group]]; }

  const GraphView& graphs_;
  std::vector<int32_t> bounds_;
  std::vector<int32_t> scratch_;
};

// Threads worth starting for `products` products of a row with a hidden x hidden matrix.
inline int64_t useful_threads(int64_t threads, int64_t products, int64_t hidden) {
  constexpr int64_t kLeastWork = 4'000'000;  // multiplications; about what starting a team costs
  return products * hidden * hidden < kLeastWork ? 1 : threads;
}

}  // namespace ngae
