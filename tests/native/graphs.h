// Graphs for the tests, in arrays that hold not one number too many.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "dag_batch.h"
#include "dag_gru.h"
#include "dag_merge.h"
#include "random.h"

namespace native {

using Edges = std::vector<std::pair<int32_t, int32_t>>;

inline ngae::Ints ints(const std::vector<int32_t>& values) {
  return {values.data(), static_cast<int64_t>(values.size())};
}

// The arrays behind ngae::EdgeLists.
struct Graphs {
  std::vector<int32_t> node_type, graph_ptr{0}, edge_ptr{0}, edge_src, edge_dst;

  void add(const std::vector<int32_t>& types, const Edges& edges);
  ngae::EdgeLists view() const;
};

constexpr int32_t kTypes = 4;

// `count` graphs of 1 to `most_nodes` nodes with types below kTypes; every node but the first may
// be without predecessors.
Graphs random_graphs(Random& random, int64_t count, int32_t most_nodes);

// All edges turned round; the last node of a graph is its root.
ngae::DagBatch reverse(const ngae::DagBatch& batch);

ngae::GraphView view(const ngae::DagBatch& batch);
ngae::MergeInput merge_input(const ngae::DagBatch& batch);

}  // namespace native
