#include "canonical_hash.h"

#include "canonical_search.h"
#include "colours.h"
#include "large_hash.h"

namespace ngae {
namespace {

Sequence canonical_edges(const Adjacency& graph, Refiner& refiner, const Partition& colours) {
  if (colours.discrete()) return renumbered_edges(graph, colours.colour);
  CanonicalSearch search(graph, refiner);
  const std::optional<Sequence> edges = search.least_of_all(colours);
  return edges ? *edges : search.least_by_shape(colours);
}

Digest hash_by_search(const EdgeLists& graphs, int64_t graph) {
  const Adjacency adjacency(graphs, graph);
  const int32_t* types = graphs.node_type.data + graphs.graph_ptr[graph];
  Refiner refiner(adjacency);
  const Partition colours = refiner.of_types(types);
  const Sequence edges = canonical_edges(adjacency, refiner, colours);
  Sequence description{adjacency.num_nodes};
  description.reserve(1 + colours.order.size() + edges.size());
  for (const int32_t node : colours.order) description.push_back(types[node]);
  description.insert(description.end(), edges.begin(), edges.end());
  return digest_of(description);
}

}  // namespace

Digest canonical_hash(const EdgeLists& graphs, int64_t graph) {
  const int32_t nodes = graphs.graph_ptr[graph + 1] - graphs.graph_ptr[graph];
  return nodes > kMostSearched ? hash_of_large(graphs, graph, hash_by_search)
                               : hash_by_search(graphs, graph);
}

}  // namespace ngae
