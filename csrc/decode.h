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
  const T *type_h, *type_z, *type_bias;  // (type_dim, hidden), (type_dim, latent) or nullptr
  const T *type_out, *type_out_bias;     // (num_types, type_dim), (num_types,)
  const T *edge_u, *edge_v, *edge_z, *edge_bias;  // as the type's, of edge_dim
  const T *edge_out, *edge_out_bias;              // (edge_dim,), (1,)
  const T* edge_place;                            // (max_nodes, edge_dim) or nullptr
};

enum EdgeRule : uint8_t { kForbidden = 0, kFree = 1, kForced = 2 };

// The validity masks of a search space, as in python/ngae/rules.py.
struct RulesView {
  int64_t max_nodes, num_types;
  int32_t start_type, end_type;
  bool loose_ends_to_end;
  const uint8_t* type_allowed;   // (max_nodes, num_types)
  const uint8_t* edge_rule;      // (max_nodes, max_nodes), [u, v]
  const int32_t* min_in_degree;  // (num_types,)
  const int32_t* max_in_degree;  // (num_types,)
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

// Adds the most probable free edges up to `least`, the later among equals, then drops the least
// probable free ones down to `most`, the earlier among equals. rule[u * stride] is of the edge
// from u to the node; edge and probability have `count` entries.
template <class T>
NGAE_CELL void keep_in_degree(const uint8_t* rule, int64_t stride, const T* probability,
                              int64_t count, int32_t least, int32_t most, uint8_t* edge) {
  int32_t degree = 0;
  for (int64_t u = 0; u < count; ++u) degree += edge[u];
  for (; degree < least; ++degree) {
    int64_t best = -1;
    for (int64_t u = 0; u < count; ++u) {
      if (rule[u * stride] != kFree || edge[u]) continue;
      if (best < 0 || probability[u] >= probability[best]) best = u;
    }
    if (best < 0) break;
    edge[best] = 1;
  }
  for (; degree > most; --degree) {
    int64_t worst = -1;
    for (int64_t u = 0; u < count; ++u) {
      if (rule[u * stride] != kFree || !edge[u]) continue;
      if (worst < 0 || probability[u] < probability[worst]) worst = u;
    }
    if (worst < 0) break;
    edge[worst] = 0;
  }
}

}  // namespace ngae
