#include "large_hash.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "colours.h"

namespace ngae {
namespace {

constexpr int64_t kMostSteps = int64_t{1} << 27;   // of nodes and edges, in all rounds of colouring
constexpr int32_t kOfParts = -1, kOfColours = -2;  // begin what no small graph's description does
constexpr uint64_t kNode = 0xff51afd7ed558ccdULL, kSource = 0x9e3779b97f4a7c15ULL,
                   kTarget = 0xc2b2ae3d27d4eb4fULL;

using Colours = std::vector<uint64_t>;  // (num_nodes,)

// The connected parts of one graph, each a graph of its own.
struct Parts {
  Sequence node_type, graph_ptr, edge_ptr, edge_src, edge_dst;

  EdgeLists view() const {
    const auto ints = [](const Sequence& list) {
      return Ints{list.data(), static_cast<int64_t>(list.size())};
    };
    return {ints(node_type), ints(graph_ptr), ints(edge_ptr), ints(edge_src), ints(edge_dst)};
  }
};

int32_t find(Sequence& parent, int32_t v) {
  while (parent[v] != v) v = parent[v] = parent[parent[v]];
  return v;
}

// For each node the number of its part; parts are numbered by their first nodes.
Sequence part_of_nodes(int32_t nodes, const int32_t* src, const int32_t* dst, int32_t edges,
                       int32_t& count) {
  Sequence parent(static_cast<size_t>(nodes)), part(parent.size());
  std::iota(parent.begin(), parent.end(), 0);
  for (int32_t e = 0; e < edges; ++e) {
    const int32_t u = find(parent, src[e]), v = find(parent, dst[e]);
    parent[std::max(u, v)] = std::min(u, v);
  }
  count = 0;
  for (int32_t v = 0; v < nodes; ++v) {
    const int32_t root = find(parent, v);
    part[v] = root == v ? count++ : part[root];
  }
  return part;
}

// Runs of equal numbers below `count`: where each begins, and the end.
Sequence pointers(const Sequence& numbers, int32_t count) {
  Sequence ptr(static_cast<size_t>(count) + 1, 0);
  for (const int32_t number : numbers) ++ptr[number + 1];
  std::partial_sum(ptr.begin(), ptr.end(), ptr.begin());
  return ptr;
}

Parts parts_of(const EdgeLists& graphs, int64_t graph) {
  const int32_t first_node = graphs.graph_ptr[graph], first_edge = graphs.edge_ptr[graph];
  const int32_t nodes = graphs.graph_ptr[graph + 1] - first_node;
  const int32_t edges = graphs.edge_ptr[graph + 1] - first_edge;
  const int32_t *src = graphs.edge_src.data + first_edge, *dst = graphs.edge_dst.data + first_edge;
  int32_t count = 0;
  const Sequence part = part_of_nodes(nodes, src, dst, edges, count);
  Sequence part_of_edge(static_cast<size_t>(edges));
  for (int32_t e = 0; e < edges; ++e) part_of_edge[e] = part[src[e]];
  Parts out{Sequence(part.size()), pointers(part, count), pointers(part_of_edge, count),
            Sequence(part_of_edge.size()), Sequence(part_of_edge.size())};
  Sequence next = out.graph_ptr, local(part.size());
  for (int32_t v = 0; v < nodes; ++v) {
    const int32_t place = next[part[v]]++;
    out.node_type[place] = graphs.node_type[first_node + v];
    local[v] = place - out.graph_ptr[part[v]];
  }
  next = out.edge_ptr;
  for (int32_t e = 0; e < edges; ++e) {
    const int32_t place = next[part_of_edge[e]]++;
    out.edge_src[place] = local[src[e]];
    out.edge_dst[place] = local[dst[e]];
  }
  return out;
}

// The longest path that leads to each node along the edges of `out`; 0 for nodes behind a cycle.
Sequence longest_paths(const Adjacency::Side& in, const Adjacency::Side& out, int32_t nodes) {
  Sequence depth(static_cast<size_t>(nodes)), waiting(depth.size()), ready;
  ready.reserve(depth.size());
  for (int32_t v = 0; v < nodes; ++v) {
    waiting[v] = static_cast<int32_t>(in[v].end() - in[v].begin());
    if (waiting[v] == 0) ready.push_back(v);
  }
  for (size_t i = 0; i < ready.size(); ++i) {
    for (const int32_t v : out[ready[i]]) {
      depth[v] = std::max(depth[v], depth[ready[i]] + 1);
      if (--waiting[v] == 0) ready.push_back(v);
    }
  }
  for (int32_t v = 0; v < nodes; ++v) depth[v] = waiting[v] == 0 ? depth[v] : 0;
  return depth;
}

Colours first_colours(const Adjacency& graph, const int32_t* types) {
  const Sequence depth = longest_paths(graph.in, graph.out, graph.num_nodes);
  const Sequence height = longest_paths(graph.out, graph.in, graph.num_nodes);
  Colours colours(depth.size());
  for (size_t v = 0; v < colours.size(); ++v) {
    const auto word = [](int32_t value) {
      return static_cast<uint64_t>(static_cast<uint32_t>(value));
    };
    colours[v] = mix(mix(word(types[v]) + kNode) + (word(depth[v]) << 32 | word(height[v])));
  }
  return colours;
}

// What each node sees: its colour, those of its sources and those of its targets, in any order.
void look_round(const Adjacency& graph, const Colours& before, Colours& after) {
  for (int32_t v = 0; v < graph.num_nodes; ++v) {
    uint64_t sources = 0, targets = 0;
    for (const int32_t u : graph.in[v]) sources += mix(before[u] + kSource);
    for (const int32_t u : graph.out[v]) targets += mix(before[u] + kTarget);
    after[v] = mix(before[v] * kNode + mix(sources) + targets * kSource);
  }
}

size_t number_of(const Colours& colours) {
  Colours sorted = colours;
  std::sort(sorted.begin(), sorted.end());
  return static_cast<size_t>(std::unique(sorted.begin(), sorted.end()) - sorted.begin());
}

// Nodes look round until they learn nothing, or for kMostSteps; both are the same for isomorphic
// graphs.
Digest hash_by_colours(const EdgeLists& parts, int64_t part) {
  const Adjacency graph(parts, part);
  const int32_t edges = parts.edge_ptr[part + 1] - parts.edge_ptr[part];
  Colours colours = first_colours(graph, parts.node_type.data + parts.graph_ptr[part]);
  Colours next(colours.size());
  const int64_t steps = int64_t{graph.num_nodes} + edges;
  size_t known = 0, now = number_of(colours);
  for (int64_t rounds = 1; now > known && rounds * steps <= kMostSteps; rounds *= 2) {
    for (int64_t round = 0; round < rounds; ++round) {
      look_round(graph, colours, next);
      colours.swap(next);
    }
    known = now;
    now = number_of(colours);
  }
  std::sort(colours.begin(), colours.end());
  Sequence description{kOfColours, graph.num_nodes, edges};
  description.reserve(3 + 2 * colours.size());
  for (const uint64_t colour : colours) {
    description.push_back(static_cast<int32_t>(static_cast<uint32_t>(colour)));
    description.push_back(static_cast<int32_t>(static_cast<uint32_t>(colour >> 32)));
  }
  return digest_of(description);
}

}  // namespace

Digest hash_of_large(const EdgeLists& graphs, int64_t graph,
                     Digest (*small)(const EdgeLists& parts, int64_t part)) {
  const Parts parts = parts_of(graphs, graph);
  const EdgeLists view = parts.view();
  std::vector<Digest> digests;
  for (int64_t part = 0; part < view.num_graphs(); ++part) {
    const int32_t nodes = view.graph_ptr[part + 1] - view.graph_ptr[part];
    digests.push_back(nodes > kMostOfPart ? hash_by_colours(view, part) : small(view, part));
  }
  std::sort(digests.begin(), digests.end());
  Sequence description{kOfParts, static_cast<int32_t>(parts.node_type.size())};
  for (const Digest& digest : digests)
    description.insert(description.end(), digest.begin(), digest.end());
  return digest_of(description);
}

}  // namespace ngae
