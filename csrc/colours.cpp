#include "colours.h"

#include <algorithm>
#include <numeric>

namespace ngae {
namespace {

Adjacency::Side side(int32_t num_nodes, const int32_t* node, const int32_t* other, int64_t edges) {
  Adjacency::Side out;
  out.ptr.assign(static_cast<size_t>(num_nodes) + 2, 0);
  out.list.resize(static_cast<size_t>(edges) + 1);  // never empty: ranges point into it
  for (int64_t e = 0; e < edges; ++e) ++out.ptr[node[e] + 2];
  std::partial_sum(out.ptr.begin(), out.ptr.end(), out.ptr.begin());
  for (int64_t e = 0; e < edges; ++e) out.list[out.ptr[node[e] + 1]++] = other[e];
  for (int32_t v = 0; v < num_nodes; ++v) {
    const auto first = out.list.begin() + out.ptr[v], last = out.list.begin() + out.ptr[v + 1];
    if (!std::is_sorted(first, last)) std::sort(first, last);
  }
  return out;
}

}  // namespace

Adjacency::Adjacency(const EdgeLists& graphs, int64_t graph)
    : num_nodes(graphs.graph_ptr[graph + 1] - graphs.graph_ptr[graph]) {
  const int32_t first = graphs.edge_ptr[graph];
  const int32_t edges = graphs.edge_ptr[graph + 1] - first;
  const int32_t *src = graphs.edge_src.data + first, *dst = graphs.edge_dst.data + first;
  in = side(num_nodes, dst, src, edges);
  out = side(num_nodes, src, dst, edges);
}

Sequence twins_of(const Adjacency& graph) {
  Sequence nodes(static_cast<size_t>(graph.num_nodes)), twins(nodes.size());
  std::iota(nodes.begin(), nodes.end(), 0);
  const auto compare = [&](int32_t a, int32_t b) {
    const int in = graph.in[a].compare(graph.in[b]);
    return in != 0 ? in : graph.out[a].compare(graph.out[b]);
  };
  std::sort(nodes.begin(), nodes.end(), [&](int32_t a, int32_t b) {
    const int order = compare(a, b);
    return order != 0 ? order < 0 : a < b;
  });
  for (size_t i = 0; i < nodes.size(); ++i) {
    const bool twin = i > 0 && compare(nodes[i - 1], nodes[i]) == 0;
    twins[nodes[i]] = twin ? twins[nodes[i - 1]] : nodes[i];
  }
  return twins;
}

int Adjacency::Range::compare(const Range& other) const {
  const auto [a, b] = std::mismatch(first, last, other.first, other.last);
  if (a == last || b == other.last) return (a != last) - (b != other.last);
  return *a < *b ? -1 : 1;
}

Refiner::Refiner(const Adjacency& graph)
    : graph_(graph), touched_(graph.num_nodes), dirty_at_(graph.num_nodes) {
  keys_.reserve(64);
}

Partition Refiner::of_types(const int32_t* types) {
  const size_t n = static_cast<size_t>(graph_.num_nodes);
  Partition colours{Sequence(n), Sequence(n), Sequence(n)};
  std::iota(colours.order.begin(), colours.order.end(), 0);
  std::sort(colours.order.begin(), colours.order.end(),
            [types](int32_t a, int32_t b) { return types[a] < types[b]; });
  colours.cells = split_types(colours, types);
  ++round_;
  std::fill(touched_.begin(), touched_.end(), round_);
  dirty_.clear();
  for (int32_t cell = 0; cell < graph_.num_nodes; cell += colours.size[cell]) {
    if (colours.size[cell] > 1) dirty_.push_back(cell);
  }
  refine(colours);
  return colours;
}

int32_t Refiner::split_types(Partition& colours, const int32_t* types) const {
  int32_t cells = 0, cell = 0;
  for (int32_t place = 0; place < graph_.num_nodes; ++place) {
    const int32_t node = colours.order[place];
    if (place == 0 || types[node] != types[colours.order[place - 1]]) {
      cell = place;
      ++cells;
    }
    colours.colour[node] = cell;
    ++colours.size[cell];
  }
  return cells;
}

void Refiner::single_out(Partition& colours, int32_t node) {
  const int32_t cell = colours.colour[node], last = cell + colours.size[cell];
  const auto begin = colours.order.begin();
  std::iter_swap(begin + cell, std::find(begin + cell, begin + last, node));
  pieces_.assign({{cell, cell, cell + 1}, {cell, cell + 1, last}});
  recolour(colours);
  colours.cells += 1;
  touch_neighbours(colours);
  refine(colours);
}

// Every round compares nodes by the colours at its beginning, so that the order of the new cells
// depends on the graph alone. Only cells that hold neighbours of changed colours are looked at.
void Refiner::refine(Partition& colours) {
  while (!dirty_.empty() && !colours.discrete()) {
    pieces_.clear();
    for (const int32_t cell : dirty_) sort_cell(colours, cell);
    recolour(colours);
    touch_neighbours(colours);
  }
}

// Compares the touched nodes of a cell by the colours of their neighbours, and one of the others
// for all of them: these see the same. True where they differ.
bool Refiner::group_cell(const Partition& colours, int32_t cell) {
  keys_.clear();
  entries_.clear();
  rest_.clear();
  for (int32_t place = cell; place < cell + colours.size[cell]; ++place) {
    const int32_t node = colours.order[place];
    if (touched_[node] == round_) {
      entries_.push_back(entry(colours, node, false));
    } else {
      rest_.push_back(node);
    }
  }
  if (!rest_.empty()) entries_.push_back(entry(colours, rest_[0], true));
  return std::any_of(entries_.begin() + 1, entries_.end(),
                     [&](const Entry& e) { return compare(entries_[0].key, e.key) != 0; });
}

void Refiner::sort_cell(Partition& colours, int32_t cell) {
  if (!group_cell(colours, cell)) return;
  std::sort(entries_.begin(), entries_.end(),
            [&](const Entry& a, const Entry& b) { return compare(a.key, b.key) < 0; });
  const size_t before = pieces_.size();
  int32_t place = cell;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (i == 0 || compare(entries_[i - 1].key, entries_[i].key) != 0) {
      pieces_.push_back({cell, place, place});
    }
    if (entries_[i].rest) {
      std::copy(rest_.begin(), rest_.end(), colours.order.begin() + place);
      place += static_cast<int32_t>(rest_.size());
    } else {
      colours.order[place++] = entries_[i].node;
    }
    pieces_.back().last = place;
  }
  colours.cells += static_cast<int32_t>(pieces_.size() - before) - 1;
}

// The key of a node: the colours of its sources in order, -1, those of its targets, -1.
Refiner::Entry Refiner::entry(const Partition& colours, int32_t node, bool rest) {
  const int32_t key = static_cast<int32_t>(keys_.size());
  for (const Adjacency::Side* side : {&graph_.in, &graph_.out}) {
    const auto start = static_cast<std::ptrdiff_t>(keys_.size());
    for (const int32_t u : (*side)[node]) keys_.push_back(colours.colour[u]);
    std::sort(keys_.begin() + start, keys_.end());
    keys_.push_back(-1);
  }
  return {node, key, rest};
}

int Refiner::compare(int32_t key, int32_t other) const {
  const int32_t *a = &keys_[key], *b = &keys_[other];
  for (int32_t ends = 0; *a == *b; ++a, ++b) {
    if (*a == -1 && ++ends == 2) return 0;
  }
  return *a < *b ? -1 : 1;
}

void Refiner::recolour(Partition& colours) const {
  for (const Piece& piece : pieces_) {
    colours.size[piece.first] = piece.last - piece.first;
    for (int32_t i = piece.first; i < piece.last; ++i) {
      colours.colour[colours.order[i]] = piece.first;
    }
  }
}

// The largest piece of each cell touches none: who sees as many of the other pieces, sees as many
// of it.
void Refiner::touch_neighbours(const Partition& colours) {
  ++round_;
  dirty_.clear();
  if (colours.discrete()) return;
  const auto size = [](const Piece& piece) { return piece.last - piece.first; };
  for (auto first = pieces_.begin(); first != pieces_.end();) {
    const int32_t cell = first->cell;
    const auto last = std::find_if(first, pieces_.end(),
                                   [cell](const Piece& piece) { return piece.cell != cell; });
    const auto largest = std::max_element(
        first, last, [&](const Piece& a, const Piece& b) { return size(a) < size(b); });
    for (; first != last; ++first) {
      if (first != largest) touch(colours, *first);
    }
  }
}

void Refiner::touch(const Partition& colours, const Piece& piece) {
  for (int32_t i = piece.first; i < piece.last; ++i) {
    for (const Adjacency::Side* side : {&graph_.in, &graph_.out}) {
      for (const int32_t u : (*side)[colours.order[i]]) {
        const int32_t cell = colours.colour[u];
        touched_[u] = round_;
        if (colours.size[cell] == 1 || dirty_at_[cell] == round_) continue;
        dirty_at_[cell] = round_;
        dirty_.push_back(cell);
      }
    }
  }
}

}  // namespace ngae
