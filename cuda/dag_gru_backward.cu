#include "cell_math.cuh"
#include "dag_gru.cuh"
#include "product.cuh"

namespace ngae::cuda {
namespace {

constexpr int kSendThreads = 256;
constexpr int64_t kFewRows = 128;  // of a level that leaves threads over for each row's successors

template <int kSplit>
struct Partial {
  float sum[kSplit][kSendThreads / kSplit];
};

// Gradients of gate and map of one row and kSendThreads / kSplit columns, from those of its
// successors. Merged nodes of the first levels have thousands: kSplit threads share a column.
template <int kSplit>
__global__ void __launch_bounds__(kSendThreads)
    send_backward(GraphView graphs, const int32_t* rows, int64_t hidden, const float* da,
                  const float* values, float* dvalues) {
  constexpr int kWidth = kSendThreads / kSplit;
  NGAE_SHARED(Partial<kSplit>, partial);
  const int share = static_cast<int>(threadIdx.x) / kWidth;
  const int lane = static_cast<int>(threadIdx.x) % kWidth;
  const int64_t column = static_cast<int64_t>(blockIdx.y) * kWidth + lane;
  const int32_t v = rows[blockIdx.x];
  const int32_t first = graphs.succ_ptr[v], last = graphs.succ_ptr[v + 1];
  float dmessage = 0.0f;
  if (column < hidden) {
    for (int32_t e = first + share; e < last; e += kSplit) {
      dmessage += da[graphs.succ_dst[e] * hidden + column];
    }
  }
  if constexpr (kSplit > 1) {
    partial.sum[share][lane] = dmessage;
    __syncthreads();
    for (int other = 1; other < kSplit; ++other) dmessage += partial.sum[other][lane];
  }
  if (share != 0 || column >= hidden) return;
  const int64_t gate = v * 2 * hidden + column, map = gate + hidden;
  const bool sends = first < last;
  const MessageGradient<float> gradient =
      sends ? message_backward(values[gate], values[map], dmessage)
            : MessageGradient<float>{0.0f, 0.0f};
  dvalues[gate] = gradient.gate_sum;
  dvalues[map] = gradient.value;
}

template <int kSplit>
void launch_send_backward(const GraphView& graphs, const RowSet& rows, int64_t hidden,
                          const float* da, const float* values, cudaStream_t stream,
                          float* dvalues) {
  const Grid grid{rows.count, divide_up(hidden, kSendThreads / kSplit), kSendThreads};
  launch("send_backward", send_backward<kSplit>, grid, stream, graphs, rows.list, hidden, da,
         values, dvalues);
}

// From the whole gradient of a state, the sum over gate and map included, to those of the GRU.
struct FinishState {
  GruWeights w;
  const int32_t* node_type;
  SavedStates saved;
  const float* dh;
  NodeGradients out;

  __device__ void operator()(int32_t v, int64_t j, const Sums<1>& sum) const {
    const int64_t hidden = w.hidden, at = v * hidden + j, gate = v * 3 * hidden + j;
    const int64_t n = 2 * hidden + j;
    const float input_n = w.w_ih[n * w.num_types + node_type[v]] + w.b_ih[n];
    const GruGradient<float> gradient = gru_backward<DeviceMath>(
        input_n, saved.gates[gate], saved.gates[gate + hidden], saved.gates[gate + 2 * hidden],
        saved.a[at], dh[at] + sum.value[0]);
    out.gates[gate] = gradient.r;
    out.gates[gate + hidden] = gradient.z;
    out.gates[gate + 2 * hidden] = gradient.hidden_n;
    out.n[at] = gradient.n;
    out.a[at] = gradient.a;
  }
};

struct AddTo {
  float* to;
  int64_t stride;

  __device__ void operator()(int32_t v, int64_t j, const Sums<1>& sum) const {
    to[v * stride + j] += sum.value[0];
  }
};

}  // namespace

void dag_gru_backward(const GraphView& graphs, const GruWeights& weights, bool has_initial,
                      const Run& run, const SavedStates& saved, const float* dh,
                      const NodeGradients& gradients) {
  const int64_t hidden = weights.hidden;
  for (int64_t level = graphs.num_levels - 1; level >= 0; --level) {
    const RowSet rows{graphs.level_node + graphs.level_ptr[level],
                      graphs.level_ptr[level + 1] - graphs.level_ptr[level]};
    const auto send = rows.count <= kFewRows ? launch_send_backward<8> : launch_send_backward<1>;
    send(graphs, rows, hidden, gradients.a, saved.values, run.stream, gradients.values);
    const bool sends = level + 1 < graphs.num_levels;
    const Product to_state{gradients.values,       2 * hidden, rows.list, rows.count,
                           weights.w_gate,         hidden,     hidden,    weights.w_map,
                           sends ? 2 * hidden : 0, hidden};
    multiply<2, Weight::kColumns, Groups::kApart>(
        "update_backward", to_state, run.bf16,
        FinishState{weights, graphs.node_type, saved, dh, gradients}, run.stream);
    if (level == 0 && !has_initial) break;  // nothing feeds these nodes
    const Product to_sum{gradients.gates, 3 * hidden, rows.list, rows.count, weights.w_hh,
                         hidden,          3 * hidden, nullptr,   3 * hidden, hidden};
    multiply<2, Weight::kColumns, Groups::kApart>("aggregate_backward", to_sum, run.bf16,
                                                  AddTo{gradients.a, hidden}, run.stream);
  }
}

}  // namespace ngae::cuda
