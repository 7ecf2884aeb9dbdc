#include "dag_merge.h"

#include <algorithm>
#include <unordered_map>

#include "index_checks.h"
#include "partition.h"

namespace ngae {
namespace {

struct KeyHash {
  size_t operator()(const std::vector<int32_t>& key) const {
    uint64_t hash = 0x9e3779b97f4a7c15ULL;
    for (const int32_t value : key) {
      hash = (hash ^ static_cast<uint32_t>(value)) * 0xff51afd7ed558ccdULL;
      hash ^= hash >> 32;
    }
    return hash;
  }
};

using Known = std::unordered_map<std::vector<int32_t>, int32_t, KeyHash>;

void add_node(DagBatch& batch, const std::vector<int32_t>& key, int32_t index, int64_t group) {
  batch.node_type.push_back(key[0]);
  batch.node_index.push_back(index);
  batch.node_graph.push_back(static_cast<int32_t>(group));
  batch.pred.list.insert(batch.pred.list.end(), key.begin() + 2, key.end());
  batch.pred.ptr.push_back(static_cast<int32_t>(batch.pred.list.size()));
}

void check_input(const MergeInput& input) {
  const int64_t num_nodes = input.node_type.size, num_edges = input.pred_src.size;
  check_size("node_index", input.node_index.size, num_nodes);
  check_size("pred_ptr", input.pred_ptr.size, num_nodes + 1);
  check_size("level_node", input.level_node.size, num_nodes);
  if (input.graph_ptr.size == 0) check_size("graph_ptr", 0, 1);
  if (input.level_ptr.size == 0) check_size("level_ptr", 0, 1);
  check_ptr("graph_ptr", input.graph_ptr.data, input.graph_ptr.size - 1, num_nodes);
  check_ptr("pred_ptr", input.pred_ptr.data, num_nodes, num_edges);
  check_range("pred_src", input.pred_src.data, num_edges, num_nodes);
  check_levels(input.level_ptr.data, input.level_node.data, input.level_ptr.size - 1, num_nodes);
}

// Nodes of graphs [begin, end) in the order of their levels.
std::vector<int32_t> nodes_by_level(const MergeInput& input, int32_t begin, int32_t end) {
  std::vector<int32_t> nodes;
  nodes.reserve(end - begin);
  for (int64_t level = 0; level + 1 < input.level_ptr.size; ++level) {
    const int32_t* first = input.level_node.data + input.level_ptr[level];
    const int32_t* last = input.level_node.data + input.level_ptr[level + 1];
    nodes.insert(nodes.end(), std::lower_bound(first, last, begin),
                 std::lower_bound(first, last, end));
  }
  return nodes;
}

}  // namespace

MergedBatch merge(const MergeInput& input, int64_t num_groups, bool use_index) {
  check_input(input);
  MergedBatch out;
  DagBatch& batch = out.batch;
  out.node_to_merged.resize(input.node_type.size);
  batch.graph_ptr = batch.pred.ptr = {0};
  const std::vector<int32_t> groups =
      balanced_groups(input.graph_ptr.data, input.graph_ptr.size - 1, num_groups);
  for (size_t group = 0; group + 1 < groups.size(); ++group) {
    Known known;
    const int32_t begin = input.graph_ptr[groups[group]], end = input.graph_ptr[groups[group + 1]];
    for (const int32_t v : nodes_by_level(input, begin, end)) {
      std::vector<int32_t> key{input.node_type[v], use_index ? input.node_index[v] : 0};
      for (int32_t e = input.pred_ptr[v]; e < input.pred_ptr[v + 1]; ++e) {
        key.push_back(out.node_to_merged[input.pred_src[e]]);
      }
      const auto next = static_cast<int32_t>(batch.node_type.size());
      const auto [place, is_new] = known.emplace(std::move(key), next);
      if (is_new) add_node(batch, place->first, input.node_index[v], static_cast<int64_t>(group));
      out.node_to_merged[v] = place->second;
    }
    batch.root.push_back(batch.graph_ptr.back());
    batch.graph_ptr.push_back(static_cast<int32_t>(batch.node_type.size()));
  }
  finish(batch);
  return out;
}

}  // namespace ngae
