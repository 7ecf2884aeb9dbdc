// Graphs in flat arrays: packing, validation and levels. Integers only; knows no states or weights.
#pragma once

#include <cstdint>
#include <vector>

namespace ngae {

// Read-only view of an int32 array that someone else owns.
struct Ints {
  const int32_t* data;
  int64_t size;
  int32_t operator[](int64_t i) const { return data[i]; }
};

// Graphs as a caller gives them: node numbers of edges are local to their graph.
struct EdgeLists {
  Ints node_type;  // (num_nodes,)
  Ints graph_ptr;  // (num_graphs + 1,) first node of each graph
  Ints edge_ptr;   // (num_graphs + 1,) first edge of each graph
  Ints edge_src;   // (num_edges,)
  Ints edge_dst;   // (num_edges,)
  int64_t num_graphs() const { return graph_ptr.size - 1; }
};

// Neighbours of each node: those of node v are list[ptr[v]] .. list[ptr[v + 1] - 1], ascending.
struct Neighbours {
  std::vector<int32_t> ptr;   // (num_nodes + 1,)
  std::vector<int32_t> list;  // (num_edges,) global node numbers
};

// Nodes by the length of the longest path that leads to them, ascending within a level.
struct Levels {
  std::vector<int32_t> ptr;   // (num_levels + 1,)
  std::vector<int32_t> node;  // (num_nodes,)
};

struct DagBatch {
  std::vector<int32_t> node_type, node_index, node_graph;  // (num_nodes,)
  std::vector<int32_t> graph_ptr;                          // (num_graphs + 1,)
  std::vector<int32_t> root;                               // (num_graphs,)
  Neighbours pred, succ;
  Levels levels, reverse_levels;
};

// Throws std::invalid_argument naming graph and edge where array sizes, pointers or ends of edges
// are out of range. Says nothing about the order of nodes.
void check_edge_lists(const EdgeLists& graphs);

// Packs graphs whose nodes are numbered topologically (every edge goes to a later node).
// Throws std::invalid_argument naming graph, node, what was expected and what was found.
DagBatch pack(const EdgeLists& graphs);

// Fills succ and both kinds of levels from pred, whose sources stand before their targets.
void finish(DagBatch& batch);

}  // namespace ngae
