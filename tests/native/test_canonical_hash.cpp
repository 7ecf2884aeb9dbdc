// canonical_hash: the same for every order of the nodes, another for other graphs.
#include <numeric>
#include <set>

#include "canonical_hash.h"
#include "check.h"
#include "graphs.h"

namespace native {
namespace {

Graphs one_graph(const std::vector<int32_t>& types, const Edges& edges) {
  Graphs graphs;
  graphs.add(types, edges);
  return graphs;
}

ngae::Digest hash(const std::vector<int32_t>& types, const Edges& edges) {
  const Graphs graphs = one_graph(types, edges);
  ngae::check_edge_lists(graphs.view());
  return ngae::canonical_hash(graphs.view(), 0);
}

std::vector<int32_t> random_order(Random& random, int64_t count) {
  std::vector<int32_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = count - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
  return order;
}

TEST(hash_ignores_the_order_of_nodes_and_edges) {
  Random random(2);
  for (int64_t round = 0; round < 300; ++round) {
    const Graphs graphs = random_graphs(random, 1, 8);
    const std::vector<int32_t> place = random_order(random, graphs.node_type.size());
    const std::vector<int32_t> edge_order = random_order(random, graphs.edge_src.size());
    std::vector<int32_t> types(graphs.node_type.size());
    for (size_t v = 0; v < types.size(); ++v) types[place[v]] = graphs.node_type[v];
    Edges edges;
    for (const int32_t e : edge_order) {
      edges.emplace_back(place[graphs.edge_src[e]], place[graphs.edge_dst[e]]);
    }
    check(hash(types, edges) == ngae::canonical_hash(graphs.view(), 0), "round ", round);
  }
}

TEST(hash_tells_small_graphs_apart) {
  const std::set<ngae::Digest> digests{
      hash({0}, {}),
      hash({1}, {}),
      hash({0, 0}, {}),
      hash({0, 0}, {{0, 1}}),
      hash({0, 1}, {{0, 1}}),
      hash({0, 1}, {{1, 0}}),
      hash({0, 0, 0}, {{0, 1}, {1, 2}}),
      hash({0, 0, 0}, {{0, 1}, {0, 2}}),
      hash({0, 0, 0}, {{0, 2}, {1, 2}}),
  };
  check_equal(digests.size(), size_t{9}, "different digests");
}

// Eight triangles and four hexagons: each has more leaves than the search visits.
TEST(hash_gives_up_after_the_most_leaves) {
  const auto rings = [](int32_t length, int32_t count) {
    Edges edges;
    for (int32_t ring = 0; ring < count; ++ring) {
      for (int32_t i = 0; i < length; ++i) {
        edges.emplace_back(ring * length + i, ring * length + (i + 1) % length);
      }
    }
    return edges;
  };
  const std::vector<int32_t> types(24, 0);
  check(hash(types, rings(3, 8)) == hash(types, rings(6, 4)), "refinement tells rings apart");
}

TEST(hash_of_one_graph_among_others) {
  Random random(3);
  const Graphs graphs = random_graphs(random, 20, 7);
  for (int32_t g = 0; g < 20; ++g) {
    const int32_t first = graphs.graph_ptr[g], last = graphs.graph_ptr[g + 1];
    Edges edges;
    for (int32_t e = graphs.edge_ptr[g]; e < graphs.edge_ptr[g + 1]; ++e) {
      edges.emplace_back(graphs.edge_src[e], graphs.edge_dst[e]);
    }
    const std::vector<int32_t> types(graphs.node_type.begin() + first,
                                     graphs.node_type.begin() + last);
    check(ngae::canonical_hash(graphs.view(), g) == hash(types, edges), "graph ", g);
  }
}

}  // namespace
}  // namespace native
