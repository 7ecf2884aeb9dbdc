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

Edges rings(int32_t length, int32_t count) {
  Edges edges;
  for (int32_t ring = 0; ring < count; ++ring) {
    for (int32_t i = 0; i < length; ++i) {
      edges.emplace_back(ring * length + i, ring * length + (i + 1) % length);
    }
  }
  return edges;
}

// Nodes of a grid; each is linked to those of its row and its column, and its column is taken as
// turned by its row where `turned`: both have 6 neighbours and the same colours everywhere.
Edges incidences(bool turned) {
  Edges edges;
  for (int32_t a = 0; a < 16; ++a) {
    for (int32_t b = 0; b < 16; ++b) {
      const int32_t row = (b / 4 - a / 4 + 4) % 4, column = (b - a + 16) % 4;
      const bool aside = row == 0 && column != 2, above = column == 0 && row != 2;
      const bool slanted = row == column && row != 2;
      if (turned ? aside || above || slanted : row == 0 || column == 0) {
        edges.emplace_back(a, 16 + b);
      }
    }
  }
  return edges;
}

Edges copies(const Edges& edges, int32_t num_nodes, int32_t count) {
  Edges out;
  for (int32_t i = 0; i < count; ++i) {
    for (const auto& [u, v] : edges) out.emplace_back(i * num_nodes + u, i * num_nodes + v);
  }
  return out;
}

void check_renumbered(const std::vector<int32_t>& types, const Edges& edges, Random& random) {
  const ngae::Digest expected = hash(types, edges);
  for (int64_t round = 0; round < 5; ++round) {
    const std::vector<int32_t> place = random_order(random, static_cast<int64_t>(types.size()));
    std::vector<int32_t> moved(types.size());
    for (size_t v = 0; v < types.size(); ++v) moved[place[v]] = types[v];
    Edges ends;
    for (const auto& [u, v] : edges) ends.emplace_back(place[u], place[v]);
    check(hash(moved, ends) == expected, "round ", round);
  }
}

// Eight triangles and four hexagons: refinement sees the same in both.
TEST(hash_tells_many_equal_rings_apart) {
  Random random(4);
  const std::vector<int32_t> types(24, 0);
  check(hash(types, rings(3, 8)) != hash(types, rings(6, 4)), "equal");
  check_renumbered(types, rings(3, 8), random);
  check_renumbered(types, rings(6, 4), random);
}

// Neighbourhoods of the 4 x 4 rook's graph and of Shrikhande's, each node among its neighbours.
TEST(hash_tells_strongly_regular_graphs_apart) {
  Random random(5);
  for (const int32_t count : {1, 3}) {
    const std::vector<int32_t> types(static_cast<size_t>(32 * count), 0);
    const Edges rook = copies(incidences(false), 32, count);
    const Edges shrikhande = copies(incidences(true), 32, count);
    check_equal(rook.size(), shrikhande.size(), "edges");
    check(hash(types, rook) != hash(types, shrikhande), "equal");
    check_renumbered(types, rook, random);
    check_renumbered(types, shrikhande, random);
  }
}

// 199 nodes: 99 equal chains of two nodes below one.
TEST(hash_of_many_equal_chains) {
  Random random(6);
  Edges edges;
  for (int32_t v = 1; v < 199; v += 2) {
    edges.emplace_back(0, v);
    edges.emplace_back(v, v + 1);
  }
  check_renumbered(std::vector<int32_t>(199, 0), edges, random);
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
