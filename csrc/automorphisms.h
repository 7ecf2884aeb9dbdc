// Automorphisms of one graph: checked when found, kept as the nodes that they move. Searches for
// none by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "colours.h"

namespace ngae {

// Which nodes are known to be images of each other.
class Orbits {
 public:
  void reset(int32_t num_nodes);
  void join(int32_t a, int32_t b) { parent_[find(a)] = find(b); }
  bool same(int32_t a, int32_t b) { return find(a) == find(b); }
  size_t seen = 0;  // automorphisms that have been looked at

 private:
  int32_t find(int32_t v);
  Sequence parent_;
};

class Automorphisms {
 public:
  explicit Automorphisms(const Adjacency& graph);

  // Keeps the map of the nodes of one labelling to those of another where it preserves edges. Both
  // are places of nodes without repeats, and equal places hold nodes of equal types.
  bool add_labelling(const Sequence& place, const Sequence& order);

  // The same for the nodes that have colours of their own in both partitions; chains of images
  // are closed to cycles and all other nodes stay, as where equal branches change places.
  bool add_exchange(const Partition& from, const Partition& to);

  // Joins images under the automorphisms that keep every node of a depth under `depth`.
  void join(Orbits& orbits, const Sequence& depth_of, int32_t depth) const;

 private:
  bool add();
  bool preserves(int32_t node);
  bool preserves(const Adjacency::Side& side, int32_t node);

  const Adjacency& graph_;
  Sequence image_, source_, moved_, mapped_;
  std::vector<std::vector<std::pair<int32_t, int32_t>>> kept_;  // (node, image) of moved nodes
};

}  // namespace ngae
