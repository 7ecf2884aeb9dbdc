// New graphs from latent points: node type, incoming edges, state, node after node, all in one
// call. The formulas stand in python/ngae/ops/decode.py.
//
// A sample depends on its own z, initial state and id, on the seed and on the weights; not on the
// samples beside it, nor on the number of threads.
#pragma once

#include <cstdint>

#include "cell.h"
#include "dag_gru.h"

namespace ngae {

template <class T>
struct DecoderWeights {
  DagGruWeights<T> gru;
  int64_t latent, type_dim, edge_dim;
  const T *type_h, *type_z, *type_term;  // (type_dim, hidden), a latent part, a term
  const T *type_out, *type_out_bias;     // (num_types, type_dim), (num_types,)
  const T *edge_u, *edge_v;              // (edge_dim, hidden)
  const T *edge_z, *edge_term;           // for the place of the target
  const T *source_z, *source_term;       // for the place of the source
  const T *edge_out, *edge_out_bias;     // (edge_dim,), (1,)
  // Latent parts: (max_nodes, dim, latent) or nullptr; terms: (max_nodes, dim); one for each place.
};

enum EdgeRule : uint8_t { kForbidden = 0, kFree = 1, kForced = 2 };

// How the end node is fed: edges decided like all others; loose ends forced, the others decided;
// loose ends alone.
enum LooseEnds : int32_t { kEndsFree = 0, kEndsForced = 1, kEndsOnly = 2 };

constexpr int32_t kAnyNumber = INT32_MAX;  // of edges

// The validity masks of a search space, as in python/ngae/rules.py.
struct RulesView {
  int64_t max_nodes, num_types;
  int32_t start_type, end_type;
  LooseEnds loose_ends;
  int32_t max_edges;             // kAnyNumber for no limit
  const uint8_t* type_allowed;   // (max_nodes, num_types)
  const uint8_t* edge_rule;      // (max_nodes, max_nodes), [u, v]
  const int32_t* min_in_degree;  // (num_types,)
  const int32_t* max_in_degree;  // (num_types,)
  const uint8_t* must_feed;      // (num_types,)
  const uint8_t* type_follows;   // (num_types, num_types), [before, after]
};

template <class T>
struct DecodeInput {
  int64_t num_samples;
  const T* z;                 // (num_samples, latent)
  const T* initial;           // (num_samples, hidden)
  const int64_t* sample_ids;  // (num_samples,)
  uint64_t seed;
  bool stochastic;
};

struct DecodeOutput {
  int32_t* node_type;  // (num_samples, max_nodes), -1 past the end
  uint8_t* adjacency;  // (num_samples, max_nodes, max_nodes), 0 or 1
  int32_t* num_nodes;  // (num_samples,)
};

template <class T>
void decode(const DecodeInput<T>& input, const DecoderWeights<T>& weights, const RulesView& rules,
            const Machine& machine, const DecodeOutput& output);

// One graph on its way: types of its nodes, edges [u, v] in rows of max_nodes.
struct PartialGraph {
  const int32_t* node_type;
  const uint8_t* adjacency;
};

// Whether u, which must feed a node, feeds none of the nodes before v.
NGAE_CELL bool is_loose(const RulesView& rules, const PartialGraph& graph, int64_t u, int64_t v) {
  if (!rules.must_feed[graph.node_type[u]]) return false;
  for (int64_t w = u + 1; w < v; ++w) {
    if (graph.adjacency[u * rules.max_nodes + w]) return false;
  }
  return true;
}

// Edges of the graph if it ended at v: those that it has, and one from each loose end.
NGAE_CELL int64_t least_edges(const RulesView& rules, const PartialGraph& graph, int64_t v) {
  int64_t count = 0;
  for (int64_t u = 0; u < v; ++u) {
    for (int64_t w = u + 1; w < v; ++w) count += graph.adjacency[u * rules.max_nodes + w];
    count += is_loose(rules, graph, u, v);
  }
  return count;
}

// The types that a node may have.
struct TypeMask {
  const uint8_t *allowed, *follows;
  int32_t end_type;
  bool only_end;  // no edge is left for another node
};

NGAE_CELL TypeMask type_mask(const RulesView& rules, const PartialGraph& graph, int64_t v) {
  return {rules.type_allowed + v * rules.num_types,
          rules.type_follows + graph.node_type[v - 1] * rules.num_types, rules.end_type,
          rules.max_edges != kAnyNumber && least_edges(rules, graph, v) >= rules.max_edges};
}

NGAE_CELL bool allows(const TypeMask& mask, int32_t type) {
  return mask.allowed[type] && mask.follows[type] && (!mask.only_end || type == mask.end_type);
}

// What holds for the edge from u to node v of a graph, which has type `type`: where none may come
// in, none is to be decided.
NGAE_CELL uint8_t edge_rule(const RulesView& rules, const PartialGraph& graph, int64_t u, int64_t v,
                            int32_t type) {
  const bool takes_loose_ends = type == rules.end_type && rules.loose_ends == kEndsForced;
  if (takes_loose_ends && is_loose(rules, graph, u, v)) return kForced;
  const uint8_t rule = rules.edge_rule[u * rules.max_nodes + v];
  return rule == kFree && rules.max_in_degree[type] == 0 ? uint8_t{kForbidden} : rule;
}

// Adds the most probable free edges up to `least`, the later among equals, then drops the least
// probable free ones down to `most`, the earlier among equals. rule[u] is of the edge
// from u to the node; edge and probability have `count` entries.
template <class T>
NGAE_CELL void keep_in_degree(const uint8_t* rule, const T* probability, int64_t count,
                              int32_t least, int32_t most, uint8_t* edge) {
  int32_t degree = 0;
  for (int64_t u = 0; u < count; ++u) degree += edge[u];
  for (; degree < least; ++degree) {
    int64_t best = -1;
    for (int64_t u = 0; u < count; ++u) {
      if (rule[u] != kFree || edge[u]) continue;
      if (best < 0 || probability[u] >= probability[best]) best = u;
    }
    if (best < 0) break;
    edge[best] = 1;
  }
  for (; degree > most; --degree) {
    int64_t worst = -1;
    for (int64_t u = 0; u < count; ++u) {
      if (rule[u] != kFree || !edge[u]) continue;
      if (worst < 0 || probability[u] < probability[worst]) worst = u;
    }
    if (worst < 0) break;
    edge[worst] = 0;
  }
}

// Keeps `max_edges`. A graph whose edges and loose ends number P can end at once within P edges. A
// further node costs 1 + its sources that are no loose ends, the end costs those sources alone: of
// them the least probable are dropped, the earlier among equals, as far as P demands. A node that
// needs a source then takes the most probable loose end, the later among equals, which is free;
// node v - 1 always is one.
template <class T>
NGAE_CELL void keep_edge_budget(const RulesView& rules, const PartialGraph& graph,
                                const T* probability, int64_t v, int32_t type, uint8_t* edge) {
  if (rules.max_edges == kAnyNumber) return;
  const int64_t own = type == rules.end_type ? 0 : 1;
  const int64_t spare = rules.max_edges - least_edges(rules, graph, v) - own;
  int64_t degree = 0, costly = 0;
  for (int64_t u = 0; u < v; ++u) {
    degree += edge[u];
    costly += edge[u] && !is_loose(rules, graph, u, v);
  }
  for (; costly > spare; --costly, --degree) {
    int64_t worst = -1;
    for (int64_t u = 0; u < v; ++u) {
      if (!edge[u] || is_loose(rules, graph, u, v)) continue;
      if (worst < 0 || probability[u] < probability[worst]) worst = u;
    }
    edge[worst] = 0;
  }
  if (degree >= rules.min_in_degree[type] || rules.max_in_degree[type] == 0) return;
  int64_t best = -1;
  for (int64_t u = 0; u < v; ++u) {
    if (!is_loose(rules, graph, u, v)) continue;
    if (best < 0 || probability[u] >= probability[best]) best = u;
  }
  if (best >= 0) edge[best] = 1;
}

}  // namespace ngae
