#include "dag_batch.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace ngae {
namespace {

[[noreturn]] void fail(const std::string& place, const std::string& expected,
                       const std::string& found) {
  throw std::invalid_argument(place + ": expected " + expected + ", found " + found);
}

std::string pair(int32_t u, int32_t v) {
  return "(" + std::to_string(u) + ", " + std::to_string(v) + ")";
}

std::string edge_place(int64_t graph, int64_t edge) {
  return "graph " + std::to_string(graph) + ", edge " + std::to_string(edge);
}

void check_ptr(const char* name, const Ints& ptr, int64_t size, int32_t least) {
  if (ptr.size < 1) fail(name, "at least one entry", "none");
  if (ptr[0] != 0) fail(std::string(name) + "[0]", "0", std::to_string(ptr[0]));
  for (int64_t i = 1; i < ptr.size; ++i) {
    const int64_t next = int64_t{ptr[i - 1]} + least;
    if (ptr[i] >= next) continue;
    fail(std::string(name) + "[" + std::to_string(i) + "]", "at least " + std::to_string(next),
         std::to_string(ptr[i]));
  }
  if (ptr[ptr.size - 1] != size) {
    fail(std::string(name) + "[-1]", std::to_string(size), std::to_string(ptr[ptr.size - 1]));
  }
}

// Sorts edges by (target, source) into lists of predecessors; an edge given twice is an error.
void fill_predecessors(const EdgeLists& graphs, DagBatch& batch) {
  const int64_t num_nodes = graphs.node_type.size;
  std::vector<std::vector<int32_t>> lists;
  batch.pred.ptr.assign(1, 0);
  batch.pred.ptr.reserve(num_nodes + 1);
  batch.pred.list.reserve(graphs.edge_src.size);
  for (int64_t g = 0; g < graphs.num_graphs(); ++g) {
    const int32_t first = graphs.graph_ptr[g];
    const int32_t count = graphs.graph_ptr[g + 1] - first;
    lists.assign(count, {});
    for (int32_t e = graphs.edge_ptr[g]; e < graphs.edge_ptr[g + 1]; ++e) {
      const int32_t u = graphs.edge_src[e], v = graphs.edge_dst[e];
      if (u >= v)
        fail(edge_place(g, e - graphs.edge_ptr[g]), "an edge to a later node", pair(u, v));
      lists[v].push_back(first + u);
    }
    for (int32_t v = 0; v < count; ++v) {
      std::sort(lists[v].begin(), lists[v].end());
      const auto twice = std::adjacent_find(lists[v].begin(), lists[v].end());
      if (twice != lists[v].end()) {
        fail("graph " + std::to_string(g) + ", node " + std::to_string(v), "each predecessor once",
             "node " + std::to_string(*twice - first) + " twice");
      }
      batch.pred.list.insert(batch.pred.list.end(), lists[v].begin(), lists[v].end());
      batch.pred.ptr.push_back(static_cast<int32_t>(batch.pred.list.size()));
    }
  }
}

Neighbours transpose(const Neighbours& lists) {
  const int64_t num_nodes = static_cast<int64_t>(lists.ptr.size()) - 1;
  Neighbours out{std::vector<int32_t>(num_nodes + 1, 0), std::vector<int32_t>(lists.list.size())};
  for (const int32_t u : lists.list) ++out.ptr[u + 1];
  for (int64_t u = 0; u < num_nodes; ++u) out.ptr[u + 1] += out.ptr[u];
  std::vector<int32_t> next(out.ptr.begin(), out.ptr.end() - 1);
  for (int64_t v = 0; v < num_nodes; ++v) {
    for (int32_t e = lists.ptr[v]; e < lists.ptr[v + 1]; ++e) {
      out.list[next[lists.list[e]]++] = static_cast<int32_t>(v);
    }
  }
  return out;
}

// Depth of each node, given neighbours that all stand before it (or all after it: backward).
std::vector<int32_t> depths(const Neighbours& before, bool backward) {
  const int64_t num_nodes = static_cast<int64_t>(before.ptr.size()) - 1;
  std::vector<int32_t> depth(num_nodes, 0);
  for (int64_t i = 0; i < num_nodes; ++i) {
    const int64_t v = backward ? num_nodes - 1 - i : i;
    for (int32_t e = before.ptr[v]; e < before.ptr[v + 1]; ++e) {
      depth[v] = std::max(depth[v], depth[before.list[e]] + 1);
    }
  }
  return depth;
}

Levels group_by_depth(const std::vector<int32_t>& depth) {
  const int32_t count = depth.empty() ? 0 : *std::max_element(depth.begin(), depth.end()) + 1;
  Levels levels{std::vector<int32_t>(count + 1, 0), std::vector<int32_t>(depth.size())};
  for (const int32_t d : depth) ++levels.ptr[d + 1];
  for (int32_t d = 0; d < count; ++d) levels.ptr[d + 1] += levels.ptr[d];
  std::vector<int32_t> next(levels.ptr.begin(), levels.ptr.end() - 1);
  for (size_t v = 0; v < depth.size(); ++v) levels.node[next[depth[v]]++] = static_cast<int32_t>(v);
  return levels;
}

}  // namespace

void check_edge_lists(const EdgeLists& graphs) {
  check_ptr("graph_ptr", graphs.graph_ptr, graphs.node_type.size, 1);
  check_ptr("edge_ptr", graphs.edge_ptr, graphs.edge_src.size, 0);
  if (graphs.edge_ptr.size != graphs.graph_ptr.size) {
    fail("edge_ptr", std::to_string(graphs.graph_ptr.size) + " entries, as in graph_ptr",
         std::to_string(graphs.edge_ptr.size));
  }
  if (graphs.edge_dst.size != graphs.edge_src.size) {
    fail("edge_dst", std::to_string(graphs.edge_src.size) + " entries, as in edge_src",
         std::to_string(graphs.edge_dst.size));
  }
  for (int64_t g = 0; g < graphs.num_graphs(); ++g) {
    const int32_t first = graphs.graph_ptr[g], count = graphs.graph_ptr[g + 1] - first;
    for (int32_t v = 0; v < count; ++v) {
      if (graphs.node_type[first + v] >= 0) continue;
      fail("graph " + std::to_string(g) + ", node " + std::to_string(v), "a type from 0",
           std::to_string(graphs.node_type[first + v]));
    }
    for (int32_t e = graphs.edge_ptr[g]; e < graphs.edge_ptr[g + 1]; ++e) {
      const int32_t u = graphs.edge_src[e], v = graphs.edge_dst[e];
      if (u >= 0 && u < count && v >= 0 && v < count) continue;
      fail(edge_place(g, e - graphs.edge_ptr[g]), "nodes 0.." + std::to_string(count - 1),
           pair(u, v));
    }
  }
}

DagBatch pack(const EdgeLists& graphs) {
  check_edge_lists(graphs);
  DagBatch batch;
  const Ints &types = graphs.node_type, &ptr = graphs.graph_ptr;
  batch.node_type.assign(types.data, types.data + types.size);
  batch.graph_ptr.assign(ptr.data, ptr.data + ptr.size);
  batch.root.assign(ptr.data, ptr.data + graphs.num_graphs());
  batch.node_index.reserve(types.size);
  batch.node_graph.reserve(types.size);
  for (int64_t g = 0; g < graphs.num_graphs(); ++g) {
    for (int32_t v = ptr[g]; v < ptr[g + 1]; ++v) {
      batch.node_index.push_back(v - ptr[g]);
      batch.node_graph.push_back(static_cast<int32_t>(g));
    }
  }
  fill_predecessors(graphs, batch);
  finish(batch);
  return batch;
}

void finish(DagBatch& batch) {
  batch.succ = transpose(batch.pred);
  batch.levels = group_by_depth(depths(batch.pred, false));
  batch.reverse_levels = group_by_depth(depths(batch.succ, true));
}

}  // namespace ngae
