// Scores of pairs of rows by one hidden layer, forward and backward, without a row per pair:
//
//   score[i] = sum over j of weight[j] * max(source[pair_source[i], j] + target[pair_target[i], j],
//                                            0)
//
// Arrays are dense. Forward is the same, bit for bit, for any number of threads and any pairs
// beside a pair; backward for any number of threads.
#pragma once

#include <cstdint>

#include "cpu_level.h"

namespace ngae {

template <class T>
struct PairScores {
  int64_t num_sources, num_targets, num_pairs, columns;
  const T *source, *target, *weight;  // (num_sources, columns), (num_targets, columns), (columns,)
  const int64_t *pair_source, *pair_target;  // (num_pairs,)
};

// score (num_pairs,). Throws std::invalid_argument where a pair names no row.
template <class T>
void pair_scores_forward(const PairScores<T>& pairs, const Machine& machine, T* score);

// From dscore (num_pairs,); gradients are shaped as source, target and weight.
template <class T>
void pair_scores_backward(const PairScores<T>& pairs, const Machine& machine, const T* dscore,
                          T* dsource, T* dtarget, T* dweight);

}  // namespace ngae
