#include "cell_math.cuh"
#include "gru_rows.cuh"
#include "product.cuh"

namespace ngae::cuda {
namespace {

struct FinishState {
  GruWeights w;
  const int32_t* node_type;
  const float* a;
  float *gates, *h;

  __device__ float input(int part, int32_t type, int64_t j) const {
    const int64_t row = part * w.hidden + j;
    return w.w_ih[row * w.num_types + type] + w.b_ih[row];
  }

  __device__ void operator()(int32_t v, int64_t j, const Sums<3>& sums) const {
    const int32_t type = node_type[v];
    const GruStep<float> step =
        gru_forward<DeviceMath>(input(0, type, j), input(1, type, j), input(2, type, j),
                                sums.value[0] + w.b_hh[j], sums.value[1] + w.b_hh[w.hidden + j],
                                sums.value[2] + w.b_hh[2 * w.hidden + j], a[v * w.hidden + j]);
    h[v * w.hidden + j] = step.h;
    if (gates == nullptr) return;
    float* to = gates + v * 3 * w.hidden + j;
    to[0] = step.r;
    to[w.hidden] = step.z;
    to[2 * w.hidden] = step.hidden_n;
  }
};

struct FinishMessage {
  GruWeights w;
  const int32_t* node_index;
  int32_t place;
  float *values, *message;

  __device__ void operator()(int32_t v, int64_t j, const Sums<2>& sums) const {
    const int64_t at = (node_index == nullptr ? place : node_index[v]) * w.hidden + j;
    const float index_gate = w.gate_index == nullptr ? 0.0f : w.gate_index[at];
    const float gate = DeviceMath::sigmoid(sums.value[0] + w.b_gate[j] + index_gate);
    const float map = sums.value[1] + (w.map_index == nullptr ? 0.0f : w.map_index[at]);
    message[v * w.hidden + j] = gate * map;
    if (values == nullptr) return;
    values[v * 2 * w.hidden + j] = gate;
    values[(v * 2 + 1) * w.hidden + j] = map;
  }
};

}  // namespace

void update_states(const GruWeights& weights, const RowSet& rows, const int32_t* node_type,
                   const float* a, bool a_is_zero, const Run& run, float* gates, float* h) {
  const int64_t hidden = weights.hidden;
  const Product product{a,          hidden,       rows.list,
                        rows.count, weights.w_hh, hidden,
                        3 * hidden, nullptr,      a_is_zero ? 0 : hidden,
                        hidden};
  multiply<3, Weight::kRows, Groups::kTogether>(
      "update_states", product, run.bf16, FinishState{weights, node_type, a, gates, h}, run.stream);
}

void send_messages(const GruWeights& weights, const RowSet& rows, const int32_t* node_index,
                   int32_t place, const float* h, const Run& run, float* values, float* message) {
  const int64_t hidden = weights.hidden;
  const Product product{h,      hidden, rows.list,     rows.count, weights.w_gate,
                        hidden, hidden, weights.w_map, hidden,     hidden};
  multiply<2, Weight::kRows, Groups::kTogether>(
      "send_messages", product, run.bf16,
      FinishMessage{weights, node_index, place, values, message}, run.stream);
}

}  // namespace ngae::cuda
