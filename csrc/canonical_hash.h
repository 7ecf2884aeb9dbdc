// A 128-bit hash of a typed directed graph that does not depend on how its nodes are numbered.
#pragma once

#include <cstdint>

#include "dag_batch.h"
#include "digest.h"

namespace ngae {

// Hash of graph `graph`: equal for isomorphic graphs (types kept), and, but for collisions of 128
// bits, for no others; of graphs of more than kMostSearched nodes large parts are told apart by the
// colours of their nodes alone (large_hash.h). Nodes may stand in any order.
Digest canonical_hash(const EdgeLists& graphs, int64_t graph);

}  // namespace ngae
