// Addresses and sizes of tensors as the views that the ops read: what the modules _C and _cuda take
// from Python. They stand in the order of the structs' members; address 0 is no tensor.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

#include "ascend.h"
#include "dag_gru.h"
#include "decode.h"

namespace ngae {

using GraphAddresses = std::array<uintptr_t, 11>;
using GraphSizes = std::array<int64_t, 4>;
using WeightAddresses = std::array<uintptr_t, 9>;
using WeightSizes = std::array<int64_t, 3>;
using HeadAddresses = std::array<uintptr_t, 13>;
using HeadSizes = std::array<int64_t, 3>;
using RuleAddresses = std::array<uintptr_t, 6>;
using RuleChoices = std::array<int32_t, 4>;
using RuleSizes = std::array<int64_t, 2>;

// Addresses of the weights, hidden size, number of outputs.
using PredictorTuple = std::tuple<std::array<uintptr_t, 7>, int64_t, int64_t>;

template <class T>
T* at(uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

inline GraphView graph_view(const GraphAddresses& a, const GraphSizes& sizes) {
  const auto ints = [&](int i) { return at<const int32_t>(a[i]); };
  return {sizes[0], sizes[1], sizes[2], sizes[3], ints(0), ints(1), ints(2), ints(3),
          ints(4),  ints(5),  ints(6),  ints(7),  ints(8), ints(9), ints(10)};
}

template <class T>
DagGruWeights<T> gru_weights(const WeightAddresses& a, const WeightSizes& sizes) {
  const auto numbers = [&](int i) { return at<const T>(a[i]); };
  return {sizes[0],   sizes[1],   sizes[2],   numbers(0), numbers(1), numbers(2),
          numbers(3), numbers(4), numbers(5), numbers(6), numbers(7), numbers(8)};
}

template <class T>
DecoderWeights<T> decoder_weights(const DagGruWeights<T>& gru, const HeadAddresses& a,
                                  const HeadSizes& sizes) {
  const auto head = [&](int i) { return at<const T>(a[i]); };
  return {gru,     sizes[0], sizes[1], sizes[2], head(0), head(1),  head(2),  head(3), head(4),
          head(5), head(6),  head(7),  head(8),  head(9), head(10), head(11), head(12)};
}

// `choices`: start type, end type, LooseEnds, most edges.
inline RulesView rules_view(const RuleAddresses& a, const RuleSizes& sizes,
                            const RuleChoices& choices) {
  return {sizes[0],
          sizes[1],
          choices[0],
          choices[1],
          static_cast<LooseEnds>(choices[2]),
          choices[3],
          at<const uint8_t>(a[0]),
          at<const uint8_t>(a[1]),
          at<const int32_t>(a[2]),
          at<const int32_t>(a[3]),
          at<const uint8_t>(a[4]),
          at<const uint8_t>(a[5])};
}

template <class T>
std::vector<PredictorWeights<T>> predictor_weights(const std::vector<PredictorTuple>& given) {
  std::vector<PredictorWeights<T>> predictors;
  for (const auto& [a, hidden, outputs] : given) {
    predictors.push_back({hidden, outputs, at<const T>(a[0]), at<const T>(a[1]), at<const T>(a[2]),
                          at<const T>(a[3]), at<const T>(a[4]), at<const T>(a[5]),
                          at<const T>(a[6])});
  }
  return predictors;
}

}  // namespace ngae
