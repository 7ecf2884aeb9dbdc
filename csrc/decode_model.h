// What all samples of a decoding share: packed weights, padded output weights, one target term per
// node type.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "decode.h"
#include "packed_gru.h"
#include "packed_linear.h"

namespace ngae {

template <class T>
struct DecodeModel {
  const DecoderWeights<T>& weights;
  const RulesView& rules;
  const Kernels<T>& kernels;
  PackedGru<T> gru;
  PackedLinear<T> type_h, edge_u, edge_v;
  std::vector<PackedLinear<T>> type_z, edge_z, source_z;  // one for each place, or none
  int64_t type_width, edge_width;
  std::vector<T> type_out, edge_out;  // (num_types, type_width), (edge_width,), zero padding
  std::vector<T> target;              // (num_types, edge_width): edge_v GRUCell(type, 0)

  DecodeModel(const DecoderWeights<T>& w, const RulesView& rules_, const Kernels<T>& kernels_)
      : weights(w),
        rules(rules_),
        kernels(kernels_),
        gru(w.gru, kernels_),
        type_h(w.type_h, w.type_dim, w.gru.hidden, kernels_),
        edge_u(w.edge_u, w.edge_dim, w.gru.hidden, kernels_),
        edge_v(w.edge_v, w.edge_dim, w.gru.hidden, kernels_),
        type_z(by_place(w.type_z, w.type_dim)),
        edge_z(by_place(w.edge_z, w.edge_dim)),
        source_z(by_place(w.source_z, w.edge_dim)),
        type_width(type_h.width()),
        edge_width(edge_u.width()),
        type_out(w.gru.num_types * type_width, T{0}),
        edge_out(edge_width, T{0}),
        target(w.gru.num_types * edge_width) {
    for (int64_t t = 0; t < w.gru.num_types; ++t) {
      std::copy_n(w.type_out + t * w.type_dim, w.type_dim, type_out.data() + t * type_width);
    }
    std::copy_n(w.edge_out, w.edge_dim, edge_out.data());
  }

  void pack(const Team& team) const {
    gru.pack(team);
    for (const PackedLinear<T>* linear : {&type_h, &edge_u, &edge_v}) linear->pack(team);
    for (const auto* places : {&type_z, &edge_z, &source_z}) {
      for (const PackedLinear<T>& linear : *places) linear.pack(team);
    }
  }

  void fill_target(T* buffer) {
    const int64_t types = weights.gru.num_types, ld = gru.layout.ld;
    std::vector<int32_t> type(types);
    std::iota(type.begin(), type.end(), 0);
    std::vector<T> a(types * ld, T{0}), gates(types * 3 * ld), h(types * ld);
    gru.update(type.data(), types, type.data(), false, a.data(), gates.data(), h.data(), buffer);
    edge_v.multiply(type.data(), types, h.data(), ld, target.data(), edge_width, buffer);
  }

 private:
  std::vector<PackedLinear<T>> by_place(const T* weight, int64_t outputs) const {
    std::vector<PackedLinear<T>> linears;
    for (int64_t v = 0; weight != nullptr && v < rules.max_nodes; ++v) {
      linears.emplace_back(weight + v * outputs * weights.latent, outputs, weights.latent, kernels);
    }
    return linears;
  }
};

}  // namespace ngae
