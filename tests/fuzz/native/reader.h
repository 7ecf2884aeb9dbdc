// An input of a fuzzer as numbers and graphs; past its end there are zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "graphs.h"

namespace fuzz {

class Reader {
 public:
  Reader(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  bool done() const { return left_ == 0; }

  uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }

  int32_t below(int32_t limit) { return byte() % limit; }

  // Any 32 bits; small numbers, of one byte, are as likely as all others.
  int32_t word() {
    if (byte() % 2 == 0) return static_cast<int8_t>(byte());
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | byte();
    int32_t out;
    std::memcpy(&out, &value, sizeof out);
    return out;
  }

  std::vector<int32_t> words(int32_t most) {
    std::vector<int32_t> out(static_cast<size_t>(below(most + 1)));
    for (int32_t& value : out) value = word();
    return out;
  }

  // Graphs of up to 24 nodes; edges go anywhere, or only forward and each once.
  native::Graphs graphs(bool anywhere) {
    native::Graphs out;
    for (int32_t count = below(4); count > 0; --count) add_graph(out, anywhere);
    return out;
  }

  // Five arrays of anything.
  native::Graphs arrays() {
    native::Graphs out;
    for (auto* array :
         {&out.node_type, &out.graph_ptr, &out.edge_ptr, &out.edge_src, &out.edge_dst}) {
      *array = words(12);
    }
    return out;
  }

 private:
  void add_graph(native::Graphs& out, bool anywhere) {
    std::vector<int32_t> types(static_cast<size_t>(1 + below(24)));
    const int32_t nodes = static_cast<int32_t>(types.size());
    const int32_t num_types = 1 + below(3);
    for (int32_t& type : types) type = below(num_types);
    std::vector<bool> taken(types.size() * types.size());
    native::Edges edges;
    for (int32_t count = byte(); count > 0 && !done(); --count) {
      int32_t u = below(nodes), v = below(nodes);
      if (!anywhere && u > v) std::swap(u, v);
      if (!anywhere && (u == v || taken[u * nodes + v])) continue;
      taken[u * nodes + v] = true;
      edges.emplace_back(u, v);
    }
    out.add(types, edges);
  }

  const uint8_t* data_;
  size_t left_;
};

}  // namespace fuzz
