// The graphs that a propagation computes: those given or, where that saves work, their merged form,
// in which each sub-computation stands once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dag_gru.h"
#include "dag_merge.h"

namespace ngae {

class MergedGraphs {
 public:
  // Keeps references to `graphs`, which must have been checked.
  MergedGraphs(const GraphView& graphs, bool may_merge, bool use_index) : view_(graphs) {
    if (!may_merge || graphs.num_graphs < 2) return;
    merged_ = merge(input(graphs), num_groups(graphs.num_graphs), use_index);
    const auto num_nodes = static_cast<int64_t>(merged_.batch.node_type.size());
    if (num_nodes * 8 > graphs.num_nodes * 7) return;
    is_merged_ = true;
    view_ = view(merged_.batch);
  }
  MergedGraphs(const MergedGraphs&) = delete;

  const GraphView& view() const { return view_; }

  // The computed node of each given one; nullptr where they are the same.
  const int32_t* node_to_merged() const {
    return is_merged_ ? merged_.node_to_merged.data() : nullptr;
  }

 private:
  // The number of threads has no say, because sums of gradients run over merged nodes: two groups
  // so that two threads need no barrier, larger ones where they find more to merge.
  static int64_t num_groups(int64_t num_graphs) {
    return std::clamp<int64_t>(num_graphs / 512, 2, 16);
  }

  static MergeInput input(const GraphView& g) {
    return {{g.node_type, g.num_nodes},      {g.node_index, g.num_nodes},
            {g.graph_ptr, g.num_graphs + 1}, {g.pred_ptr, g.num_nodes + 1},
            {g.pred_src, g.num_edges},       {g.level_ptr, g.num_levels + 1},
            {g.level_node, g.num_nodes}};
  }

  static GraphView view(const DagBatch& b) {
    const auto size = [](const auto& array) { return static_cast<int64_t>(array.size()); };
    return {size(b.node_type),  size(b.pred.list),   size(b.root),        size(b.levels.ptr) - 1,
            b.node_type.data(), b.node_index.data(), b.node_graph.data(), b.graph_ptr.data(),
            b.root.data(),      b.pred.ptr.data(),   b.pred.list.data(),  b.succ.ptr.data(),
            b.succ.list.data(), b.levels.ptr.data(), b.levels.node.data()};
  }

  GraphView view_;
  bool is_merged_ = false;
  MergedBatch merged_;
};

}  // namespace ngae
