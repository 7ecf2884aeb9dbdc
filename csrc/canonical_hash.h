// A 128-bit hash of a typed directed graph that does not depend on how its nodes are numbered.
#pragma once

#include <array>
#include <cstdint>

#include "dag_batch.h"

namespace ngae {

using Digest = std::array<uint8_t, 16>;

// Most leaves of the search for the least certificate; beyond, the hash is of the refined colours
// and graphs that colour refinement cannot tell apart share it.
constexpr int64_t kMaxLeaves = 10000;

// Hash of graph `graph`: equal for isomorphic graphs (types kept), and, but for the limit above
// and collisions of 128 bits, for no others. Nodes may stand in any order.
Digest canonical_hash(const EdgeLists& graphs, int64_t graph);

}  // namespace ngae
