#include <vector>

#include "padded_rows.h"
#include "pair_scores.h"
#include "parallel.h"
#include "row_index.h"

namespace ngae {
namespace {

// The arguments as the loops take them.
template <class T>
struct Scene {
  Scene(const PairScores<T>& pairs, const Machine& machine)
      : loops(kernels<T>(machine)),
        threads(useful_threads(machine.threads, pairs.num_pairs * pairs.columns)),
        pair_source(
            row_index("pair_source", pairs.pair_source, pairs.num_pairs, pairs.num_sources)),
        pair_target(
            row_index("pair_target", pairs.pair_target, pairs.num_pairs, pairs.num_targets)),
        source(pairs.source, pairs.num_sources, pairs.columns, loops.panel),
        target(pairs.target, pairs.num_targets, pairs.columns, loops.panel),
        weight(pairs.weight, 1, pairs.columns, loops.panel) {}

  const Kernels<T>& loops;
  const int64_t threads;
  const std::vector<int32_t> pair_source, pair_target;
  const PaddedCopy<T> source, target, weight;
};

}  // namespace

template <class T>
void pair_scores_forward(const PairScores<T>& pairs, const Machine& machine, T* score) {
  const Scene<T> scene(pairs, machine);
  const int64_t ld = scene.source.ld;
  parallel(scene.threads, [&](const Team& team) {
    for (int64_t i = team.begin(pairs.num_pairs); i < team.end(pairs.num_pairs); ++i) {
      score[i] = scene.loops.relu_dot(scene.source.get() + scene.pair_source[i] * ld,
                                      scene.target.get() + scene.pair_target[i] * ld,
                                      scene.weight.get(), ld);
    }
  });
}

template <class T>
void pair_scores_backward(const PairScores<T>& pairs, const Machine& machine, const T* dscore,
                          T* dsource, T* dtarget, T* dweight) {
  const Scene<T> scene(pairs, machine);
  const int64_t panel = scene.loops.panel, panels = scene.source.ld / panel;
  const PaddedSums<T> source(dsource, pairs.num_sources, pairs.columns, panel);
  const PaddedSums<T> target(dtarget, pairs.num_targets, pairs.columns, panel);
  const PaddedSums<T> weight(dweight, 1, pairs.columns, panel);
  const RowPairs<T> rows{scene.pair_source.data(), scene.pair_target.data(), pairs.num_pairs,
                         scene.source.get(),       scene.target.get(),       scene.source.ld};
  parallel(scene.threads, [&](const Team& team) {
    const int64_t begin = team.begin(panels) * panel, end = team.end(panels) * panel;
    for (const PaddedSums<T>* sums : {&source, &target, &weight}) sums->clear(begin, end);
    scene.loops.relu_dot_backward(rows, scene.weight.get(), dscore, source.get(), target.get(),
                                  weight.get(), begin, end);
    for (const PaddedSums<T>* sums : {&source, &target, &weight}) sums->finish(begin, end);
  });
}

template void pair_scores_forward<float>(const PairScores<float>&, const Machine&, float*);
template void pair_scores_forward<double>(const PairScores<double>&, const Machine&, double*);
template void pair_scores_backward<float>(const PairScores<float>&, const Machine&, const float*,
                                          float*, float*, float*);
template void pair_scores_backward<double>(const PairScores<double>&, const Machine&, const double*,
                                           double*, double*, double*);

}  // namespace ngae
