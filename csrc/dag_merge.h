// Equal sub-computations of a batch, found so that each is computed once.
#pragma once

#include <cstdint>
#include <vector>

#include "dag_batch.h"

namespace ngae {

struct MergedBatch {
  DagBatch batch;                       // one graph per group; a predecessor may stand twice
  std::vector<int32_t> node_to_merged;  // (num_nodes,)
};

// What a merge reads of a batch; predecessors may stand before or after their node.
struct MergeInput {
  Ints node_type, node_index, graph_ptr, pred_ptr, pred_src, level_ptr, level_node;
};

// Merges nodes within each of `num_groups` contiguous groups of graphs, balanced by nodes: two
// nodes are one where type, index (if use_index) and the list of merged predecessors agree: in
// their order, too, so that sums over them agree to the last bit. Groups are at most as many as
// graphs; merged nodes stand after their predecessors. Throws std::invalid_argument where sizes
// disagree or an index leaves its array.
MergedBatch merge(const MergeInput& input, int64_t num_groups, bool use_index);

}  // namespace ngae
