// New graphs from latent points on a GPU: the loop of csrc/decode.h in float32, all samples at
// once, node after node. The host walks the nodes and waits for nothing: it goes to the last node
// even where all graphs have ended before.
//
// A sample depends on its own z, initial state and id, on the seed and on the weights. Arrays are
// on the device, but for the types that the host reads.
#pragma once

#include "decode.h"
#include "gru_rows.cuh"

namespace ngae::cuda {

using DecodeWeights = DecoderWeights<float>;  // on the device

// Memory that decoding works in; nothing in it is set before, or wanted after.
struct DecodeMemory {
  int32_t* type;         // (num_samples,): of the newest node
  float *a, *h;          // (num_samples, hidden): of the newest node
  float* messages;       // (max_nodes, num_samples, hidden)
  float* sources;        // (max_nodes, num_samples, edge_dim): what sources give to edges
  float* type_part;      // (num_samples, type_dim): what z and a place's term give
  float* edge_part;      // (num_samples, edge_dim), likewise for the target
  float* source_part;    // (num_samples, edge_dim), likewise for the source
  float* type_hidden;    // (num_samples, type_dim)
  float* logits;         // (num_samples, num_types)
  float* probability;    // (num_samples, max_nodes): of the edges into the newest node
  uint8_t *rule, *edge;  // (num_samples, max_nodes), likewise: what holds for them; which there are
  int32_t* every_type;   // (num_types,)
  float* type_states;    // (2, num_types, hidden): nothing, and the states of nodes fed by nothing
  float* target;         // (num_types, edge_dim): edge_v of these states
};

// `type_allowed` is rules.type_allowed on the host.
void decode(const DecodeInput<float>& input, const DecodeWeights& weights, const RulesView& rules,
            const uint8_t* type_allowed, const Run& run, const DecodeMemory& memory,
            const DecodeOutput& output);

}  // namespace ngae::cuda
