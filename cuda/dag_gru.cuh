// Gated sums and a GRU along the edges of many DAGs on a GPU, level by level: the formulas of
// csrc/dag_gru.h in float32.
//
// Each level is three kernels forward and three backward; the host walks the levels and waits for
// nothing. Each node's gradients are sums over its own successors, in their order: no atomics, so
// the same bits every time. Arrays are on the device, but for level_ptr. Indices are not checked.
#pragma once

#include "dag_gru.h"
#include "gru_rows.cuh"

namespace ngae::cuda {

// What forward keeps of every node.
struct SavedStates {
  float* a;       // (num_nodes, hidden)
  float* gates;   // (num_nodes, 3, hidden): r, z and hidden_n
  float* values;  // (num_nodes, 2, hidden): gate and map; unset for nodes that send nothing
};

// h and message (num_nodes, hidden); initial (num_graphs, hidden) or nullptr.
void dag_gru_forward(const GraphView& graphs, const GruWeights& weights, const float* initial,
                     const Run& run, float* h, const SavedStates& saved, float* message);

// Gradients of every node, from which those of the weights are sums over all nodes.
struct NodeGradients {
  float* a;       // (num_nodes, hidden)
  float* gates;   // (num_nodes, 3, hidden): of the sums that enter r and z, and of hidden_n
  float* n;       // (num_nodes, hidden): of the sum that enters n
  float* values;  // (num_nodes, 2, hidden): of the sum that enters the gate, and of map
};

// From dh (num_nodes, hidden). gradients.a of nodes that nothing feeds is complete with
// has_initial only.
void dag_gru_backward(const GraphView& graphs, const GruWeights& weights, bool has_initial,
                      const Run& run, const SavedStates& saved, const float* dh,
                      const NodeGradients& gradients);

}  // namespace ngae::cuda
