// States and messages of chosen rows: a product with a weight, and what follows it, in one kernel
// each. Propagation and decoding are made of them.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "dag_gru.h"

namespace ngae::cuda {

using GruWeights = DagGruWeights<float>;  // on the device

// Rows of dense arrays with one row per node.
struct RowSet {
  const int32_t* list;  // their numbers; nullptr: 0 .. count - 1
  int64_t count;
};

// How an op computes: operands of products rounded to bfloat16 or not, and on which stream.
struct Run {
  bool bf16;
  cudaStream_t stream;
};

// h = GRUCell(onehot(node_type), a). gates (rows, 3, hidden) takes r, z and w_hh a + b_hh of n;
// nullptr: they are not kept. `a` is not read by the product where a_is_zero.
void update_states(const GruWeights& weights, const RowSet& rows, const int32_t* node_type,
                   const float* a, bool a_is_zero, const Run& run, float* gates, float* h);

// message = gate * map of h. A row's place is node_index[row], or `place` without node_index.
// values (rows, 2, hidden) takes gate and map; nullptr: they are not kept.
void send_messages(const GruWeights& weights, const RowSet& rows, const int32_t* node_index,
                   int32_t place, const float* h, const Run& run, float* values, float* message);

}  // namespace ngae::cuda
