// Hashes of graphs that are too large for the search of canonical_search.h, whose time and memory
// grow with the square of the nodes that look alike.
#pragma once

#include <cstdint>

#include "dag_batch.h"
#include "digest.h"

namespace ngae {

constexpr int32_t kMostSearched = 1024;  // nodes of a graph; those of tables are far smaller
constexpr int32_t kMostOfPart = 256;     // nodes of a connected part of a larger graph

// Hash of graph `graph`, by the hashes of its connected parts, in any order. `small` hashes a part
// of up to kMostOfPart nodes. A larger part is known by the colours of its nodes alone: by types,
// longest paths, and what neighbours see; parts that only a search tells apart have one hash.
Digest hash_of_large(const EdgeLists& graphs, int64_t graph,
                     Digest (*small)(const EdgeLists& parts, int64_t part));

}  // namespace ngae
