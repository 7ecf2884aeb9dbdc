#include "automorphisms.h"

#include <algorithm>
#include <numeric>

namespace ngae {
namespace {

bool same_cells(const Partition& a, const Partition& b) {
  const int32_t num_nodes = static_cast<int32_t>(a.order.size());
  for (int32_t cell = 0; cell < num_nodes; cell += a.size[cell]) {
    if (a.size[cell] != b.size[cell]) return false;
  }
  return a.cells == b.cells;
}

}  // namespace

void Orbits::reset(int32_t num_nodes) {
  parent_.resize(static_cast<size_t>(num_nodes));
  std::iota(parent_.begin(), parent_.end(), 0);
  seen = 0;
}

int32_t Orbits::find(int32_t v) {
  while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
  return v;
}

Automorphisms::Automorphisms(const Adjacency& graph)
    : graph_(graph), image_(graph.num_nodes), source_(graph.num_nodes, -1) {
  std::iota(image_.begin(), image_.end(), 0);
}

bool Automorphisms::add_labelling(const Sequence& place, const Sequence& order) {
  for (int32_t v = 0; v < graph_.num_nodes; ++v) {
    image_[v] = order[place[v]];
    if (image_[v] != v) moved_.push_back(v);
  }
  return add();
}

bool Automorphisms::add_exchange(const Partition& from, const Partition& to) {
  if (!same_cells(from, to)) return false;
  for (int32_t cell = 0; cell < graph_.num_nodes; cell += from.size[cell]) {
    const int32_t u = from.order[cell], v = to.order[cell];
    if (from.size[cell] > 1 || u == v) continue;
    image_[u] = v;
    source_[v] = u;
    moved_.push_back(u);
  }
  const size_t singles = moved_.size();
  for (size_t i = 0; i < singles; ++i) {
    const int32_t end = image_[moved_[i]];
    if (image_[end] != end) continue;
    int32_t start = moved_[i];
    while (source_[start] >= 0) start = source_[start];
    image_[end] = start;
    moved_.push_back(end);
  }
  for (size_t i = 0; i < singles; ++i) source_[image_[moved_[i]]] = -1;
  return add();
}

bool Automorphisms::add() {
  const bool good = !moved_.empty() && std::all_of(moved_.begin(), moved_.end(),
                                                   [&](int32_t v) { return preserves(v); });
  if (good) {
    auto& pairs = kept_.emplace_back();
    for (const int32_t v : moved_) pairs.emplace_back(v, image_[v]);
  }
  for (const int32_t v : moved_) image_[v] = v;
  moved_.clear();
  return good;
}

bool Automorphisms::preserves(int32_t node) {
  return preserves(graph_.in, node) && preserves(graph_.out, node);
}

bool Automorphisms::preserves(const Adjacency::Side& side, int32_t node) {
  const Adjacency::Range here = side[node], there = side[image_[node]];
  if (here.last - here.first != there.last - there.first) return false;
  mapped_.clear();
  for (const int32_t u : here) mapped_.push_back(image_[u]);
  std::sort(mapped_.begin(), mapped_.end());
  return std::equal(mapped_.begin(), mapped_.end(), there.begin());
}

void Automorphisms::join(Orbits& orbits, const Sequence& depth_of, int32_t depth) const {
  for (; orbits.seen < kept_.size(); ++orbits.seen) {
    const auto& pairs = kept_[orbits.seen];
    const bool fixes = std::all_of(pairs.begin(), pairs.end(),
                                   [&](const auto& pair) { return depth_of[pair.first] >= depth; });
    if (!fixes) continue;
    for (const auto& [node, image] : pairs) orbits.join(node, image);
  }
}

}  // namespace ngae
