// Colours of the nodes of one graph, refined by the colours of their neighbours until all nodes of
// a colour see the same. Makes no choices: which node to single out is the caller's.
#pragma once

#include <cstdint>
#include <vector>

#include "dag_batch.h"

namespace ngae {

using Sequence = std::vector<int32_t>;

// Neighbours of the nodes of one graph, ascending; those of v are list[ptr[v]] .. list[ptr[v + 1]].
struct Adjacency {
  struct Range {
    const int32_t *first, *last;
    const int32_t* begin() const { return first; }
    const int32_t* end() const { return last; }
    int compare(const Range& other) const;  // negative, 0 or positive, as words in a dictionary
  };
  struct Side {
    Sequence ptr, list;
    Range operator[](int32_t v) const { return {&list[0] + ptr[v], &list[0] + ptr[v + 1]}; }
  };

  Adjacency(const EdgeLists& graphs, int64_t graph);

  int32_t num_nodes;
  Side in, out;
};

// For each node the least node with the same neighbours: such nodes may change places.
Sequence twins_of(const Adjacency& graph);

// Nodes in the order of their colours. The nodes of a colour are a cell; its number is the place
// of its first node.
struct Partition {
  Sequence order;   // (num_nodes,) nodes
  Sequence colour;  // (num_nodes,) of each node, the place at which its cell begins
  Sequence size;    // (num_nodes,) of each cell, at its number
  int32_t cells = 0;
  bool discrete() const { return cells == static_cast<int32_t>(order.size()); }
};

class Refiner {
 public:
  explicit Refiner(const Adjacency& graph);

  // Colours of the types, which are numbers in any order, refined.
  Partition of_types(const int32_t* types);

  // Gives `node` the first place of its cell, and the rest of the cell the others; refines.
  void single_out(Partition& colours, int32_t node);

 private:
  struct Entry {  // a node with its key, or all nodes of a cell that no change has touched
    int32_t node, key;
    bool rest;
  };
  struct Piece {
    int32_t cell, first, last;
  };

  void refine(Partition& colours);
  void sort_cell(Partition& colours, int32_t cell);
  bool group_cell(const Partition& colours, int32_t cell);
  void recolour(Partition& colours) const;
  void touch_neighbours(const Partition& colours);
  void touch(const Partition& colours, const Piece& piece);
  Entry entry(const Partition& colours, int32_t node, bool rest);
  int compare(int32_t key, int32_t other) const;
  int32_t split_types(Partition& colours, const int32_t* types) const;

  const Adjacency& graph_;
  Sequence touched_, dirty_at_;  // round in which a node was touched, a cell found dirty
  Sequence dirty_;               // cells with touched nodes
  int32_t round_ = 0;
  Sequence keys_, rest_;
  std::vector<Entry> entries_;
  std::vector<Piece> pieces_;
};

}  // namespace ngae
