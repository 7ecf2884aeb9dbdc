#include "canonical_hash.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace ngae {
namespace {

using Sequence = std::vector<int32_t>;

uint64_t mix(uint64_t x) {  // splitmix64's finaliser: a bijection of 64 bits
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

Digest digest_of(const Sequence& sequence, uint64_t kind) {
  uint64_t lanes[2] = {0x9e3779b97f4a7c15ULL + kind, 0xc2b2ae3d27d4eb4fULL - kind};
  for (const int32_t value : sequence) {
    const uint64_t word = static_cast<uint32_t>(value);
    lanes[0] = mix(lanes[0] + word) * 0xff51afd7ed558ccdULL;
    lanes[1] = mix(lanes[1] ^ (word * 0x9fb21c651e98df25ULL)) + lanes[0];
  }
  Digest digest;
  for (int lane = 0; lane < 2; ++lane) {
    const uint64_t last = mix(lanes[lane] + sequence.size());
    for (int i = 0; i < 8; ++i) digest[8 * lane + i] = static_cast<uint8_t>(last >> (8 * i));
  }
  return digest;
}

// Finds the lexicographically least certificate of one graph: colours are refined by the colours
// of in- and out-neighbours; where that leaves a cell of several nodes, each is tried as its first.
class Canonizer {
 public:
  Canonizer(const EdgeLists& graphs, int64_t graph)
      : first_(graphs.graph_ptr[graph]),
        num_nodes_(graphs.graph_ptr[graph + 1] - first_),
        types_(graphs.node_type.data + first_, graphs.node_type.data + first_ + num_nodes_),
        in_(num_nodes_),
        out_(num_nodes_) {
    for (int32_t e = graphs.edge_ptr[graph]; e < graphs.edge_ptr[graph + 1]; ++e) {
      in_[graphs.edge_dst[e]].push_back(graphs.edge_src[e]);
      out_[graphs.edge_src[e]].push_back(graphs.edge_dst[e]);
    }
    for (Sequence& list : in_) std::sort(list.begin(), list.end());
    for (Sequence& list : out_) std::sort(list.begin(), list.end());
  }

  Digest hash() {
    std::vector<Sequence> keys(num_nodes_);
    for (int32_t v = 0; v < num_nodes_; ++v) keys[v] = {types_[v]};
    Sequence colours(num_nodes_);
    rank(keys, colours);
    refine(colours);
    search(colours);
    if (leaves_ <= kMaxLeaves) return digest_of(best_, 0);
    return digest_of(signature(colours), 1);
  }

 private:
  // Colours become the places of the keys in sorted order (first place among equals); returns
  // the number of different keys.
  int32_t rank(const std::vector<Sequence>& keys, Sequence& colours) const {
    Sequence order(num_nodes_);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return keys[a] < keys[b]; });
    int32_t cells = 0, colour = 0;
    for (int32_t i = 0; i < num_nodes_; ++i) {
      if (i == 0 || keys[order[i]] != keys[order[i - 1]]) {
        colour = i;
        ++cells;
      }
      colours[order[i]] = colour;
    }
    return cells;
  }

  static void append_colours(const Sequence& nodes, const Sequence& colours, Sequence& key) {
    const size_t start = key.size();
    for (const int32_t u : nodes) key.push_back(colours[u]);
    std::sort(key.begin() + static_cast<std::ptrdiff_t>(start), key.end());
    key.push_back(-1);
  }

  std::vector<Sequence> keys_of(const Sequence& colours) const {
    std::vector<Sequence> keys(num_nodes_);
    for (int32_t v = 0; v < num_nodes_; ++v) {
      keys[v].push_back(colours[v]);
      append_colours(in_[v], colours, keys[v]);
      append_colours(out_[v], colours, keys[v]);
    }
    return keys;
  }

  void refine(Sequence& colours) const {
    int32_t cells = 0;
    while (true) {
      const int32_t now = rank(keys_of(colours), colours);
      if (now == cells || now == num_nodes_) return;
      cells = now;
    }
  }

  // The nodes of the first colour that several nodes share, one of each set of twins (nodes with
  // the same neighbours, which may be swapped); empty where every node has a colour of its own.
  Sequence branches(const Sequence& colours) const {
    std::vector<Sequence> cells(num_nodes_);
    for (int32_t v = 0; v < num_nodes_; ++v) cells[colours[v]].push_back(v);
    const auto cell = std::find_if(cells.begin(), cells.end(),
                                   [](const Sequence& nodes) { return nodes.size() > 1; });
    if (cell == cells.end()) return {};
    Sequence distinct;
    for (const int32_t v : *cell) {
      const bool twin = std::any_of(distinct.begin(), distinct.end(), [&](int32_t u) {
        return in_[u] == in_[v] && out_[u] == out_[v];
      });
      if (!twin) distinct.push_back(v);
    }
    return distinct;
  }

  void search(const Sequence& colours) {
    const Sequence nodes = branches(colours);
    if (nodes.empty()) {
      Sequence found = certificate(colours);
      if (++leaves_ == 1 || found < best_) best_ = std::move(found);
      return;
    }
    for (const int32_t v : nodes) {
      if (leaves_ > kMaxLeaves) return;
      Sequence next = colours;
      for (int32_t u = 0; u < num_nodes_; ++u) next[u] += (u != v && colours[u] == colours[v]);
      refine(next);
      search(next);
    }
  }

  // Types in the order of the colours, then the edges in the new numbers, sorted.
  Sequence certificate(const Sequence& colours) const {
    Sequence out(num_nodes_ + 1);
    out[0] = num_nodes_;
    std::vector<std::pair<int32_t, int32_t>> edges;
    for (int32_t v = 0; v < num_nodes_; ++v) {
      out[colours[v] + 1] = types_[v];
      for (const int32_t u : in_[v]) edges.emplace_back(colours[u], colours[v]);
    }
    std::sort(edges.begin(), edges.end());
    for (const auto& [u, v] : edges) out.insert(out.end(), {u, v});
    return out;
  }

  // Everything that refinement knows of the graph: each node's type and key, sorted.
  Sequence signature(const Sequence& colours) const {
    std::vector<Sequence> keys = keys_of(colours);
    for (int32_t v = 0; v < num_nodes_; ++v) keys[v].push_back(types_[v]);
    std::sort(keys.begin(), keys.end());
    Sequence out{num_nodes_};
    for (const Sequence& key : keys) out.insert(out.end(), key.begin(), key.end());
    return out;
  }

  int32_t first_, num_nodes_;
  Sequence types_;
  std::vector<Sequence> in_, out_;  // neighbours, ascending
  Sequence best_;
  int64_t leaves_ = 0;
};

}  // namespace

Digest canonical_hash(const EdgeLists& graphs, int64_t graph) {
  return Canonizer(graphs, graph).hash();
}

}  // namespace ngae
