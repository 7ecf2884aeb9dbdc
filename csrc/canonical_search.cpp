#include "canonical_search.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace ngae {

Sequence renumbered_edges(const Adjacency& graph, const Sequence& place) {
  std::vector<std::pair<int32_t, int32_t>> edges;
  edges.reserve(graph.out.list.size());
  for (int32_t u = 0; u < graph.num_nodes; ++u) {
    for (const int32_t v : graph.out[u]) edges.emplace_back(place[u], place[v]);
  }
  std::sort(edges.begin(), edges.end());
  Sequence out;
  out.reserve(2 * edges.size());
  for (const auto& [u, v] : edges) out.insert(out.end(), {u, v});
  return out;
}

CanonicalSearch::CanonicalSearch(const Adjacency& graph, Refiner& refiner)
    : graph_(graph),
      refiner_(refiner),
      automorphisms_(graph),
      twins_(twins_of(graph)),
      met_(graph.num_nodes) {}

std::optional<Sequence> CanonicalSearch::least_of_all(const Partition& colours) {
  start(colours, false);
  if (too_many_) return std::nullopt;
  return std::move(best_);
}

Sequence CanonicalSearch::least_by_shape(const Partition& colours) {
  start(colours, true);
  return std::move(best_);
}

void CanonicalSearch::start(const Partition& colours, bool by_shape) {
  const size_t num_nodes = static_cast<size_t>(graph_.num_nodes);
  by_shape_ = by_shape;
  levels_.resize(num_nodes + 1);
  levels_[0].colours = colours;
  depth_of_.assign(num_nodes, graph_.num_nodes);
  path_.clear();
  first_.clear();
  leaves_.clear();
  visited_ = 0;
  too_many_ = false;
  back_to_ = graph_.num_nodes;
  visit(0);
}

// Searches below the partition of `depth`. Returns the leaves that the plain search has there, or
// anything where the search is by shape or goes back further.
int64_t CanonicalSearch::visit(int32_t depth) {
  Partition& colours = levels_[depth].colours;
  split_twins(colours);
  if (visited_ == 0) {
    first_.push_back(colours);
  } else if (exchanged(depth)) {
    return 0;
  }
  if (beyond_best(depth)) return 0;
  if (!colours.discrete()) return visit_branches(depth, target(colours));
  leaf(depth);
  return 1;
}

int64_t CanonicalSearch::visit_branches(int32_t depth, int32_t cell) {
  levels_[depth].orbits.reset(graph_.num_nodes);
  const Sequence nodes = one_of_twins(depth, cell);
  std::vector<Branch> branches;
  for (const int32_t node : nodes) {
    if (find(depth, node, branches) != branches.end()) continue;
    const int64_t leaves = visit_branch(depth, node);
    if (too_many_ || back_to_ < depth) return 0;
    if (back_to_ > depth) branches.push_back({node, leaves});
    back_to_ = graph_.num_nodes;
  }
  return by_shape_ ? 0 : count_leaves(depth, nodes, branches);
}

// Branches that an automorphism maps to each other have as many leaves.
int64_t CanonicalSearch::count_leaves(int32_t depth, const Sequence& nodes,
                                      const std::vector<Branch>& branches) {
  int64_t leaves = 0;
  for (const int32_t node : nodes) {
    const auto branch = find(depth, node, branches);
    if (branch != branches.end()) leaves += branch->leaves;
  }
  too_many_ = leaves > kMaxLeaves;
  return leaves;
}

// The branch that an automorphism maps to that of `node`.
std::vector<CanonicalSearch::Branch>::const_iterator CanonicalSearch::find(
    int32_t depth, int32_t node, const std::vector<Branch>& branches) {
  Orbits& orbits = levels_[depth].orbits;
  automorphisms_.join(orbits, depth_of_, depth);
  return std::find_if(branches.begin(), branches.end(),
                      [&](const Branch& branch) { return orbits.same(branch.node, node); });
}

int64_t CanonicalSearch::visit_branch(int32_t depth, int32_t node) {
  levels_[depth + 1].colours = levels_[depth].colours;
  refiner_.single_out(levels_[depth + 1].colours, node);
  path_.push_back(node);
  depth_of_[node] = depth;
  const int64_t leaves = visit(depth + 1);
  path_.pop_back();
  depth_of_[node] = graph_.num_nodes;
  return leaves;
}

// Whether swapping what the way to here singled out and what the first way did is an automorphism.
bool CanonicalSearch::exchanged(int32_t depth) {
  if (depth >= static_cast<int32_t>(first_.size())) return false;
  if (!automorphisms_.add_exchange(first_[depth], levels_[depth].colours)) return false;
  back_to_ = parting(first_path_);
  return true;
}

bool CanonicalSearch::beyond_best(int32_t depth) {
  Level& level = levels_[depth];
  level.below_best = depth > 0 && levels_[depth - 1].below_best;
  if (!by_shape_) return false;
  const size_t at = static_cast<size_t>(depth);
  shapes_.resize(at);
  shapes_.push_back(shape(level.colours));
  if (visited_ == 0 || level.below_best) return false;
  if (at >= best_shapes_.size()) return true;
  level.below_best = shapes_[at] < best_shapes_[at];
  return shapes_[at] > best_shapes_[at];
}

void CanonicalSearch::leaf(int32_t depth) {
  const Partition& colours = levels_[depth].colours;
  ++visited_;
  too_many_ = !by_shape_ && visited_ > kMaxLeaves;
  if (visited_ == 1) first_path_ = path_;
  Sequence edges = renumbered_edges(graph_, colours.colour);
  const auto [known, is_new] = leaves_.try_emplace(digest_of(edges), Leaf{colours.colour, path_});
  if (!is_new && automorphisms_.add_labelling(known->second.place, colours.order)) {
    back_to_ = parting(known->second.path);
    return;
  }
  if (visited_ > 1 && !levels_[depth].below_best && edges >= best_) return;
  best_ = std::move(edges);
  best_shapes_ = shapes_;
  for (int32_t d = 0; d <= depth; ++d) levels_[d].below_best = false;
}

// Depth at which the present way leaves another.
int32_t CanonicalSearch::parting(const Sequence& path) const {
  const auto end = path_.begin() + static_cast<std::ptrdiff_t>(std::min(path_.size(), path.size()));
  return static_cast<int32_t>(std::mismatch(path_.begin(), end, path.begin()).first -
                              path_.begin());
}

// The first cell of several; by shape, the first of those that refinement gains most from.
int32_t CanonicalSearch::target(const Partition& colours) {
  int32_t found = -1;
  std::pair<int32_t, int32_t> most;
  for (int32_t cell = 0; cell < graph_.num_nodes; cell += colours.size[cell]) {
    if (colours.size[cell] == 1) continue;
    if (!by_shape_) return cell;
    const std::pair gain(partly_joined(colours, cell), -colours.size[cell]);
    if (found < 0 || gain > most) std::tie(found, most) = std::tuple(cell, gain);
  }
  return found;
}

// How many cells a node of `cell` has some nodes of as neighbours, but not all.
int32_t CanonicalSearch::partly_joined(const Partition& colours, int32_t cell) {
  int32_t joined = 0;
  for (const Adjacency::Side* side : {&graph_.in, &graph_.out}) {
    const Adjacency::Range neighbours = (*side)[colours.order[cell]];
    for (const int32_t u : neighbours) {
      const int32_t other = colours.colour[u];
      joined += met_[other]++ == 0;
      joined -= met_[other] == colours.size[other];
    }
    for (const int32_t u : neighbours) met_[colours.colour[u]] = 0;
  }
  return joined;
}

Sequence CanonicalSearch::one_of_twins(int32_t depth, int32_t cell) {
  const Partition& colours = levels_[depth].colours;
  const auto first = colours.order.begin() + cell;
  Sequence nodes(first, first + colours.size[cell]);
  std::sort(nodes.begin(), nodes.end(), [&](int32_t a, int32_t b) {
    return std::pair(twins_[a], a) < std::pair(twins_[b], b);
  });
  Sequence distinct;
  for (const int32_t v : nodes) {
    if (distinct.empty() || twins_[v] != twins_[distinct.back()]) {
      distinct.push_back(v);
    } else {
      levels_[depth].orbits.join(distinct.back(), v);
    }
  }
  return distinct;
}

// A cell of twins alone: who sees one of them sees all, and their order makes no difference.
void CanonicalSearch::split_twins(Partition& colours) const {
  for (int32_t cell = 0, end; cell < graph_.num_nodes; cell = end) {
    end = cell + colours.size[cell];
    const auto first = colours.order.begin() + cell, last = colours.order.begin() + end;
    if (end == cell + 1) continue;
    if (std::any_of(first, last, [&](int32_t v) { return twins_[v] != twins_[*first]; })) continue;
    for (int32_t place = cell; place < end; ++place) {
      colours.colour[colours.order[place]] = place;
      colours.size[place] = 1;
    }
    colours.cells += end - cell - 1;
  }
}

// The cells and how many targets in each a node of each has.
uint64_t CanonicalSearch::shape(const Partition& colours) const {
  uint64_t value = 0;
  for (int32_t cell = 0; cell < graph_.num_nodes; cell += colours.size[cell]) {
    uint64_t targets = static_cast<uint64_t>(cell);
    for (const int32_t v : graph_.out[colours.order[cell]]) {
      targets += mix(static_cast<uint64_t>(colours.colour[v]) + 0x9e3779b97f4a7c15ULL);
    }
    value = mix(value * 0xff51afd7ed558ccdULL + targets);
  }
  return value;
}

}  // namespace ngae
