// The propagation as its formulas stand in csrc/dag_gru.h, one number after the other in double
// precision, and its derivatives: what the fast one is compared with.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "dag_batch.h"
#include "dag_gru.h"
#include "random.h"

namespace native {

// The arrays behind ngae::DagGruWeights, or gradients of the same shapes. `initial`, where not
// empty, is (num_graphs, hidden); the index tables are empty without places.
template <class T>
struct GruArrays {
  int64_t hidden = 0, types = 0, places = 0;
  std::vector<T> w_ih, b_ih, w_hh, b_hh, w_gate, b_gate, w_map, gate_index, map_index, initial;

  ngae::DagGruWeights<T> view() const {
    const T* gates = places > 0 ? gate_index.data() : nullptr;
    const T* maps = places > 0 ? map_index.data() : nullptr;
    return {hidden,      types,         places,        w_ih.data(),  b_ih.data(), w_hh.data(),
            b_hh.data(), w_gate.data(), b_gate.data(), w_map.data(), gates,       maps};
  }
};

template <class T>
struct Field {
  const char* name;
  std::vector<T> GruArrays<T>::* array;
};

template <class T>
constexpr Field<T> kFields[] = {
    {"w_ih", &GruArrays<T>::w_ih},           {"b_ih", &GruArrays<T>::b_ih},
    {"w_hh", &GruArrays<T>::w_hh},           {"b_hh", &GruArrays<T>::b_hh},
    {"w_gate", &GruArrays<T>::w_gate},       {"b_gate", &GruArrays<T>::b_gate},
    {"w_map", &GruArrays<T>::w_map},         {"gate_index", &GruArrays<T>::gate_index},
    {"map_index", &GruArrays<T>::map_index}, {"initial", &GruArrays<T>::initial},
};

template <class T>
GruArrays<T> empty_arrays(int64_t hidden, int64_t types, int64_t places, int64_t num_graphs) {
  const auto array = [](int64_t size) { return std::vector<T>(static_cast<size_t>(size)); };
  return {hidden,
          types,
          places,
          array(3 * hidden * types),
          array(3 * hidden),
          array(3 * hidden * hidden),
          array(3 * hidden),
          array(hidden * hidden),
          array(hidden),
          array(hidden * hidden),
          array(places * hidden),
          array(places * hidden),
          array(num_graphs * hidden)};
}

// Random weights that float holds exactly, so that they are the same for float and double.
template <class T>
GruArrays<T> random_arrays(uint64_t seed, int64_t hidden, int64_t types, int64_t places,
                           int64_t num_graphs) {
  Random random(seed);
  GruArrays<T> out = empty_arrays<T>(hidden, types, places, num_graphs);
  const double scale = 1.7 / std::sqrt(static_cast<double>(hidden));
  for (const Field<T>& field : kFields<T>) {
    for (T& value : out.*field.array) value = static_cast<float>(scale * random.real());
  }
  return out;
}

class NaiveDagGru {
 public:
  // Keeps references to both.
  NaiveDagGru(const ngae::DagBatch& batch, const GruArrays<double>& weights);

  // (num_nodes, hidden)
  const std::vector<double>& h() const { return h_; }

  // Gradients of sum(dh * h).
  GruArrays<double> backward(const std::vector<double>& dh) const;

 private:
  bool takes_initial(int32_t v) const;
  void step(int32_t v);
  void step_back(int32_t v, const double* dh, std::vector<double>& da,
                 GruArrays<double>& out) const;
  void message_back(int32_t v, const std::vector<double>& da, std::vector<double>& dh,
                    GruArrays<double>& out) const;

  const ngae::DagBatch& batch_;
  const GruArrays<double>& w_;
  std::vector<double> a_, r_, z_, n_, hidden_n_, h_, gate_, map_;  // (num_nodes, hidden)
};

}  // namespace native
