// Gated sums and a GRU along the edges of many DAGs, level by level, forward and backward.
//
//   m(u) = sigmoid(w_gate h_u + b_gate + gate_index[node_index u])
//          * (w_map h_u + map_index[node_index u])
//   a_v  = sum over predecessors u of m(u), + initial[graph of v] where v is a root
//   h_v  = GRUCell(onehot(node_type v), a_v)
//
// Forward saves for backward, per node: a, the gates r and z, hidden_n = w_hh a + b_hh of n, the
// message's gate and map, and h: seven rows. n and the message itself are computed again.
// Without `initial`, equal sub-computations of a batch are computed once, forward and backward.
// The result is the same, bit for bit, for any number of threads and any batch around a graph.
#pragma once

#include <cstdint>

#include "cpu_level.h"

namespace ngae {

// The arrays of a GraphBatch that the op reads.
struct GraphView {
  int64_t num_nodes, num_edges, num_graphs, num_levels;
  const int32_t *node_type, *node_index, *node_graph;  // (num_nodes,)
  const int32_t* graph_ptr;                            // (num_graphs + 1,)
  const int32_t* root;                                 // (num_graphs,)
  const int32_t *pred_ptr, *pred_src;                  // (num_nodes + 1,), (num_edges,)
  const int32_t *succ_ptr, *succ_dst;
  const int32_t *level_ptr, *level_node;  // (num_levels + 1,), (num_nodes,)
};

// Weights as in torch.nn.GRUCell and torch.nn.Linear, rows of the GRU in the order r, z, n.
template <class T>
struct DagGruWeights {
  int64_t hidden, num_types;
  int64_t num_places;               // rows of the index tables; 0 without tables
  const T *w_ih, *b_ih;             // (3 hidden, num_types), (3 hidden,)
  const T *w_hh, *b_hh;             // (3 hidden, hidden), (3 hidden,)
  const T *w_gate, *b_gate;         // (hidden, hidden), (hidden,)
  const T* w_map;                   // (hidden, hidden)
  const T *gate_index, *map_index;  // (num_places, hidden) or nullptr
};

// Where gradients go, shaped as the weights; index tables and initial may be nullptr.
template <class T>
struct DagGruGradients {
  T *w_ih, *b_ih, *w_hh, *b_hh, *w_gate, *b_gate, *w_map, *gate_index, *map_index, *initial;
};

// Numbers from one padded row of states to the next: at least `hidden` in whole panels, and an
// odd number of cache lines, so that rows do not crowd into the same sets of a cache.
int64_t row_stride(int64_t hidden, int64_t itemsize);

// Throws std::invalid_argument where an index leaves its array; says which, expected and found.
void check_graphs(const GraphView& graphs, int64_t num_types, int64_t num_places);

// h (num_nodes, hidden); saved (num_nodes * 7 * row_stride,), zero beyond the nodes that are
// computed; initial (num_graphs, hidden) or nullptr.
template <class T>
void dag_gru_forward(const GraphView& graphs, const DagGruWeights<T>& weights, const T* initial,
                     const Machine& machine, T* h, T* saved);

// From dh (num_nodes, hidden) and what forward saved.
template <class T>
void dag_gru_backward(const GraphView& graphs, const DagGruWeights<T>& weights, bool has_initial,
                      const Machine& machine, const T* saved, const T* dh,
                      const DagGruGradients<T>& gradients);

}  // namespace ngae
