#include "graphs.h"

namespace native {

void Graphs::add(const std::vector<int32_t>& types, const Edges& edges) {
  node_type.insert(node_type.end(), types.begin(), types.end());
  graph_ptr.push_back(static_cast<int32_t>(node_type.size()));
  for (const auto& [u, v] : edges) {
    edge_src.push_back(u);
    edge_dst.push_back(v);
  }
  edge_ptr.push_back(static_cast<int32_t>(edge_src.size()));
}

ngae::EdgeLists Graphs::view() const {
  return {ints(node_type), ints(graph_ptr), ints(edge_ptr), ints(edge_src), ints(edge_dst)};
}

Graphs random_graphs(Random& random, int64_t count, int32_t most_nodes) {
  Graphs graphs;
  for (int64_t g = 0; g < count; ++g) {
    std::vector<int32_t> types(static_cast<size_t>(random.below(most_nodes) + 1));
    for (int32_t& type : types) type = random.below(kTypes);
    Edges edges;
    for (int32_t v = static_cast<int32_t>(types.size()) - 1; v > 0; --v) {
      for (int32_t u = 0; u < v; ++u) {
        if (random.below(5) < 2) edges.emplace_back(u, v);
      }
    }
    graphs.add(types, edges);
  }
  return graphs;
}

ngae::DagBatch reverse(const ngae::DagBatch& batch) {
  ngae::DagBatch out = batch;
  std::swap(out.pred, out.succ);
  std::swap(out.levels, out.reverse_levels);
  for (size_t g = 0; g < out.root.size(); ++g) out.root[g] = out.graph_ptr[g + 1] - 1;
  return out;
}

ngae::GraphView view(const ngae::DagBatch& batch) {
  const auto size = [](const std::vector<int32_t>& list) {
    return static_cast<int64_t>(list.size());
  };
  return {size(batch.node_type),      size(batch.pred.list),   size(batch.root),
          size(batch.levels.ptr) - 1, batch.node_type.data(),  batch.node_index.data(),
          batch.node_graph.data(),    batch.graph_ptr.data(),  batch.root.data(),
          batch.pred.ptr.data(),      batch.pred.list.data(),  batch.succ.ptr.data(),
          batch.succ.list.data(),     batch.levels.ptr.data(), batch.levels.node.data()};
}

ngae::MergeInput merge_input(const ngae::DagBatch& batch) {
  return {ints(batch.node_type),  ints(batch.node_index), ints(batch.graph_ptr),
          ints(batch.pred.ptr),   ints(batch.pred.list),  ints(batch.levels.ptr),
          ints(batch.levels.node)};
}

}  // namespace native
