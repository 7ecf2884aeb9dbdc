// pack: the arrays of a batch against what its edges say, one entry after the other.
#include <algorithm>
#include <set>

#include "check.h"
#include "graphs.h"

namespace native {
namespace {

using ngae::DagBatch;

std::set<std::pair<int32_t, int32_t>> pairs_of(const ngae::Neighbours& lists, bool swapped) {
  std::set<std::pair<int32_t, int32_t>> pairs;
  for (size_t v = 0; v + 1 < lists.ptr.size(); ++v) {
    for (int32_t e = lists.ptr[v]; e < lists.ptr[v + 1]; ++e) {
      const int32_t u = lists.list[e], w = static_cast<int32_t>(v);
      check(e == lists.ptr[v] || lists.list[e - 1] < u, "neighbours of ", v, ": not ascending");
      pairs.emplace(swapped ? w : u, swapped ? u : w);
    }
  }
  return pairs;
}

int32_t longest_path_to(const ngae::Neighbours& before, int32_t v) {
  int32_t depth = 0;
  for (int32_t e = before.ptr[v]; e < before.ptr[v + 1]; ++e) {
    depth = std::max(depth, longest_path_to(before, before.list[e]) + 1);
  }
  return depth;
}

void check_levels(const ngae::Levels& levels, const ngae::Neighbours& before) {
  const int32_t num_nodes = static_cast<int32_t>(before.ptr.size()) - 1;
  std::vector<std::vector<int32_t>> expected;
  for (int32_t v = 0; v < num_nodes; ++v) {
    const size_t depth = static_cast<size_t>(longest_path_to(before, v));
    if (depth >= expected.size()) expected.resize(depth + 1);
    expected[depth].push_back(v);
  }
  check_equal(levels.ptr.size(), expected.size() + 1, "levels");
  check_equal(levels.node.size(), static_cast<size_t>(num_nodes), "nodes of levels");
  for (size_t d = 0; d < expected.size(); ++d) {
    const std::vector<int32_t> found(levels.node.begin() + levels.ptr[d],
                                     levels.node.begin() + levels.ptr[d + 1]);
    check_equal(found, expected[d], "level ", d);
  }
}

void check_batch(const Graphs& graphs, const DagBatch& batch) {
  std::set<std::pair<int32_t, int32_t>> edges;
  for (size_t g = 0; g + 1 < graphs.graph_ptr.size(); ++g) {
    const int32_t first = graphs.graph_ptr[g];
    for (int32_t e = graphs.edge_ptr[g]; e < graphs.edge_ptr[g + 1]; ++e) {
      edges.emplace(first + graphs.edge_src[e], first + graphs.edge_dst[e]);
    }
    check_equal(batch.root[g], first, "root of graph ", g);
    for (int32_t v = first; v < graphs.graph_ptr[g + 1]; ++v) {
      check_equal(batch.node_graph[v], static_cast<int32_t>(g), "graph of node ", v);
      check_equal(batch.node_index[v], v - first, "index of node ", v);
    }
  }
  check_equal(batch.node_type, graphs.node_type, "node_type");
  check_equal(batch.graph_ptr, graphs.graph_ptr, "graph_ptr");
  check(pairs_of(batch.pred, false) == edges, "predecessors are not the edges");
  check(pairs_of(batch.succ, true) == edges, "successors are not the edges");
  check_levels(batch.levels, batch.pred);
  check_levels(batch.reverse_levels, batch.succ);
}

TEST(pack_random_graphs) {
  Random random(1);
  for (int64_t round = 0; round < 100; ++round) {
    const Graphs graphs = random_graphs(random, random.below(20), 1 + random.below(12));
    check_batch(graphs, ngae::pack(graphs.view()));
  }
}

TEST(pack_corners) {
  Graphs graphs;
  check_batch(graphs, ngae::pack(graphs.view()));
  for (int32_t type = 0; type < 3; ++type) graphs.add({type}, {});
  check_batch(graphs, ngae::pack(graphs.view()));
  graphs.add({0, 0, 0, 0}, {{2, 3}, {0, 3}, {0, 1}});
  check_batch(graphs, ngae::pack(graphs.view()));
}

TEST(pack_names_the_wrong_entry) {
  Graphs graphs;
  graphs.add({0, 1}, {{0, 1}});
  graphs.add({0, 1, 2}, {{0, 1}, {1, 2}});
  const auto refused = [&](std::vector<int32_t> Graphs::* array, size_t place, int32_t value,
                           const std::string& message) {
    Graphs broken = graphs;
    (broken.*array)[place] = value;
    check_invalid([&] { ngae::pack(broken.view()); }, message);
  };
  refused(&Graphs::node_type, 3, -1, "graph 1, node 1: expected a type from 0, found -1");
  refused(&Graphs::edge_src, 2, 3, "graph 1, edge 1: expected nodes 0..2, found (3, 2)");
  refused(&Graphs::edge_dst, 2, INT32_MIN, "graph 1, edge 1: expected nodes 0..2");
  refused(&Graphs::edge_src, 0, 1, "graph 0, edge 0: expected an edge to a later node");
  refused(&Graphs::graph_ptr, 0, 1, "graph_ptr[0]: expected 0, found 1");
  refused(&Graphs::graph_ptr, 1, 0, "graph_ptr[1]: expected at least 1, found 0");
  refused(&Graphs::graph_ptr, 2, 4, "graph_ptr[-1]: expected 5, found 4");
  refused(&Graphs::edge_ptr, 1, INT32_MAX, "edge_ptr[2]: expected at least 2147483647, found 3");
  graphs.edge_dst[2] = 1;
  graphs.edge_src[2] = 0;
  check_invalid([&] { ngae::pack(graphs.view()); },
                "graph 1, node 1: expected each predecessor once, found node 0 twice");
}

// The step from 2147483647 down to -2 must not pass as a step up.
TEST(pack_pointers_whose_steps_leave_32_bits) {
  Graphs graphs;
  graphs.node_type = {0, 0, 0};
  graphs.graph_ptr = {0, INT32_MAX, -2, 3};
  graphs.edge_ptr = {0, 0, 0, 0};
  check_invalid([&] { ngae::pack(graphs.view()); },
                "graph_ptr[2]: expected at least 2147483648, found -2");
}

}  // namespace
}  // namespace native
