// Search for the canonical numbering of one graph whose refined colours leave nodes alike: nodes
// are singled out one by one, and what an automorphism maps to a searched part is left out
// (individualisation and refinement: McKay and Piperno, Practical graph isomorphism, II, 2014).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "automorphisms.h"
#include "colours.h"
#include "digest.h"

namespace ngae {

// Up to so many leaves of the plain search its least numbering is the canonical one, which tables'
// fingerprints rest on; beyond, the least by shape, which the search can find with less of the
// tree.
constexpr int64_t kMaxLeaves = 10000;

// Edges in the new numbers of their nodes, sorted: u0, v0, u1, v1, ...
Sequence renumbered_edges(const Adjacency& graph, const Sequence& place);

class CanonicalSearch {
 public:
  CanonicalSearch(const Adjacency& graph, Refiner& refiner);

  // The least edges of all numberings that the plain search meets: it singles out nodes of the
  // first cell of several, each but for twins. None where these are more than kMaxLeaves, a
  // number that isomorphic graphs share.
  std::optional<Sequence> least_of_all(const Partition& colours);

  // The edges of the least numbering by the shapes of the partitions on the way to it, then by
  // the edges; nodes of the cell that is partly joined to most others are singled out.
  Sequence least_by_shape(const Partition& colours);

 private:
  struct Level {
    Partition colours;
    Orbits orbits;
    bool below_best = false;  // the shapes down to here are less than the best numbering's
  };
  struct Leaf {
    Sequence place, path;
  };
  struct Branch {
    int32_t node;
    int64_t leaves;
  };

  void start(const Partition& colours, bool by_shape);
  int64_t visit(int32_t depth);
  int64_t visit_branches(int32_t depth, int32_t cell);
  int64_t visit_branch(int32_t depth, int32_t node);
  std::vector<Branch>::const_iterator find(int32_t depth, int32_t node,
                                           const std::vector<Branch>& branches);
  int64_t count_leaves(int32_t depth, const Sequence& nodes, const std::vector<Branch>& branches);
  bool exchanged(int32_t depth);
  bool beyond_best(int32_t depth);
  void leaf(int32_t depth);
  int32_t parting(const Sequence& path) const;
  int32_t target(const Partition& colours);
  int32_t partly_joined(const Partition& colours, int32_t cell);
  Sequence one_of_twins(int32_t depth, int32_t cell);
  void split_twins(Partition& colours) const;
  uint64_t shape(const Partition& colours) const;

  const Adjacency& graph_;
  Refiner& refiner_;
  Automorphisms automorphisms_;
  Sequence twins_;                // (num_nodes,) of nodes with equal neighbours, the least
  Sequence met_;                  // (num_nodes,) scratch, zeros
  std::vector<Level> levels_;     // the partitions down to the present one
  Sequence path_, depth_of_;      // nodes singled out; their depths, num_nodes for all others
  std::vector<Partition> first_;  // partitions on the way to the first numbering
  Sequence first_path_;
  std::map<Digest, Leaf> leaves_;  // numberings met, by their edges
  Sequence best_;
  std::vector<uint64_t> shapes_, best_shapes_;  // of the partitions on the present and best way
  int64_t visited_ = 0;                         // leaves
  int32_t back_to_ = 0;                         // where less than the depth, the search returns
  bool by_shape_ = false, too_many_ = false;
};

}  // namespace ngae
