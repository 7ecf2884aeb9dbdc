// dag_gru forward and backward against the naive propagation, on every instruction set, with
// arrays that hold not one number too many.
#include "check.h"
#include "dag_gru.h"
#include "graphs.h"
#include "naive_dag_gru.h"
#include "sweep.h"

namespace native {
namespace {

constexpr int64_t kPlaces = 6;  // graphs have up to as many nodes

template <class T>
struct Result {
  std::vector<T> h, saved;
  GruArrays<T> gradients;
};

template <class T>
Result<T> compute(const ngae::DagBatch& batch, const GruArrays<T>& weights,
                  const std::vector<T>& dh, const ngae::Machine& machine) {
  const int64_t num_nodes = static_cast<int64_t>(batch.node_type.size());
  const int64_t ld = ngae::row_stride(weights.hidden, sizeof(T));
  const bool has_initial = !weights.initial.empty();
  const T before = static_cast<T>(machine.threads);  // what stands in the arrays must not matter
  Result<T> out{std::vector<T>(num_nodes * weights.hidden, before),
                std::vector<T>(num_nodes * 7 * ld, before), weights};
  ngae::dag_gru_forward<T>(view(batch), weights.view(),
                           has_initial ? weights.initial.data() : nullptr, machine, out.h.data(),
                           out.saved.data());
  GruArrays<T>& g = out.gradients;
  T* gates = weights.places > 0 ? g.gate_index.data() : nullptr;
  T* maps = weights.places > 0 ? g.map_index.data() : nullptr;
  ngae::dag_gru_backward<T>(
      view(batch), weights.view(), has_initial, machine, out.saved.data(), dh.data(),
      {g.w_ih.data(), g.b_ih.data(), g.w_hh.data(), g.b_hh.data(), g.w_gate.data(), g.b_gate.data(),
       g.w_map.data(), gates, maps, has_initial ? g.initial.data() : nullptr});
  return out;
}

template <class T>
void check_same_bits(const Result<T>& found, const Result<T>& expected, const std::string& what) {
  check_equal(found.h, expected.h, what, ": h");
  check_equal(found.saved, expected.saved, what, ": saved");
  for (const Field<T>& field : kFields<T>) {
    check_equal(found.gradients.*field.array, expected.gradients.*field.array, what, ": ",
                field.name);
  }
}

// 1, 2 and 3 threads give the same bits on each instruction set; and, where not rounded to
// bfloat16, what the naive propagation gives.
template <class T>
void check_all(const ngae::DagBatch& batch, int64_t hidden, int64_t places, bool has_initial) {
  const int64_t graphs = has_initial ? static_cast<int64_t>(batch.root.size()) : 0;
  const auto exact = random_arrays<double>(6, hidden, kTypes, places, graphs);
  const auto weights = random_arrays<T>(6, hidden, kTypes, places, graphs);
  // Few terms of a gradient, each of a size that keeps its rounding far below the tolerance.
  const double scale = 1 / static_cast<double>(batch.node_type.size());
  const auto dh = Random(7).reals<T>(batch.node_type.size() * hidden, scale);
  const NaiveDagGru naive(batch, exact);
  const auto expected = naive.backward(std::vector<double>(dh.begin(), dh.end()));
  for (const std::string& level : ngae::cpu_levels()) {
    for (const bool bf16 : {false, true}) {
      if (bf16 && sizeof(T) == 8) continue;
      const std::string what = join(level, bf16 ? " bf16" : "", ", hidden ", hidden);
      const Result<T> one = compute(batch, weights, dh, {level, bf16, 1});
      for (const int64_t threads : {2, 3}) {
        const Result<T> other = compute(batch, weights, dh, {level, bf16, threads});
        check_same_bits(other, one, join(what, ", ", threads, " threads"));
      }
      if (bf16) continue;
      check_close(one.h, naive.h(), what, ": h");
      for (size_t i = 0; i < std::size(kFields<T>); ++i) {
        check_close(one.gradients.*kFields<T>[i].array, expected.*kFields<double>[i].array, what,
                    ": gradient of ", kFields<T>[i].name);
      }
    }
  }
}

void check_hidden(int64_t hidden, int64_t num_graphs) {
  Random random(8);
  const ngae::DagBatch batch = ngae::pack(random_graphs(random, num_graphs, kPlaces).view());
  const int64_t work = 5 * static_cast<int64_t>(batch.node_type.size());
  if (hidden > 30) check_equal(ngae::useful_threads(3, work * hidden * hidden), 3, "threads");
  check_all<float>(batch, hidden, 0, false);
  check_all<float>(reverse(batch), hidden, kPlaces, true);
  check_all<double>(batch, hidden, kPlaces, true);
  check_all<double>(reverse(batch), hidden, 0, true);
  check_all<double>(ngae::merge(merge_input(batch), 3, true).batch, hidden, kPlaces, false);
}

TEST(dag_gru_hidden_1) { check_hidden(1, 40); }
TEST(dag_gru_hidden_5) { check_hidden(5, 40); }
TEST(dag_gru_hidden_33) { check_hidden(33, 230); }
TEST(dag_gru_hidden_64) { check_hidden(64, 60); }

TEST(dag_gru_corners) {
  Graphs graphs;
  check_all<float>(ngae::pack(graphs.view()), 5, kPlaces, true);
  check_all<double>(ngae::pack(graphs.view()), 5, 0, false);
  graphs.add({1}, {});
  check_all<float>(ngae::pack(graphs.view()), 5, 0, false);
  check_all<double>(ngae::pack(graphs.view()), 5, kPlaces, true);
}

// Rows of one level are more than a block of the product takes.
TEST(dag_gru_many_rows_of_one_level) {
  Graphs graphs;
  for (int32_t g = 0; g < 300; ++g) graphs.add({g % kTypes, 3}, {{0, 1}});
  check_all<double>(ngae::pack(graphs.view()), 6, kPlaces, true);
}

// Fewer graphs than threads, so that threads share the rows of each level.
TEST(dag_gru_wide_levels) {
  Random random(25);
  Graphs graphs;
  for (int32_t g = 0; g < 2; ++g) {
    std::vector<int32_t> types(150);
    for (int32_t& type : types) type = random.below(kTypes);
    Edges edges;
    for (int32_t v = 1; v < 149; ++v) {
      edges.emplace_back(0, v);
      edges.emplace_back(v, 149);
    }
    graphs.add(types, edges);
  }
  const ngae::DagBatch batch = ngae::pack(graphs.view());
  check_all<float>(batch, 64, 0, true);
  check_all<double>(reverse(batch), 64, 150, true);
}

// Central differences of the naive propagation, so that its derivatives may be the yardstick.
TEST(naive_gradients_are_differences) {
  Random random(9);
  const ngae::DagBatch batch = ngae::pack(random_graphs(random, 4, kPlaces).view());
  auto weights = random_arrays<double>(10, 3, kTypes, kPlaces, 4);
  const auto dh = random.reals<double>(batch.node_type.size() * 3);
  const auto gradients = NaiveDagGru(batch, weights).backward(dh);
  const auto loss = [&] {
    const NaiveDagGru naive(batch, weights);
    double sum = 0;
    for (size_t i = 0; i < dh.size(); ++i) sum += dh[i] * naive.h()[i];
    return sum;
  };
  for (const Field<double>& field : kFields<double>) {
    std::vector<double> differences;
    for (double& value : weights.*field.array) {
      const double kept = value, step = 1e-5;
      value = kept + step;
      const double above = loss();
      value = kept - step;
      differences.push_back((above - loss()) / (2 * step));
      value = kept;
    }
    check_close(gradients.*field.array, differences, field.name);
  }
}

}  // namespace
}  // namespace native
