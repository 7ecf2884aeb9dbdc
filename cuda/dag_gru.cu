#include "dag_gru.cuh"
#include "launch.cuh"

namespace ngae::cuda {
namespace {

constexpr int kAggregateThreads = 128;

// a of one row and kAggregateThreads columns: the messages of its predecessors, in their order.
__global__ void __launch_bounds__(kAggregateThreads)
    aggregate(GraphView graphs, const int32_t* rows, int64_t hidden, const float* message,
              const float* initial, float* a) {
  const int64_t column = static_cast<int64_t>(blockIdx.y) * kAggregateThreads + threadIdx.x;
  if (column >= hidden) return;
  const int32_t v = rows[blockIdx.x];
  float sum = 0.0f;
  for (int32_t e = graphs.pred_ptr[v]; e < graphs.pred_ptr[v + 1]; ++e) {
    sum += message[graphs.pred_src[e] * hidden + column];
  }
  if (initial != nullptr) {
    const int32_t graph = graphs.node_graph[v];
    if (graphs.root[graph] == v) sum += initial[graph * hidden + column];
  }
  a[v * hidden + column] = sum;
}

}  // namespace

void dag_gru_forward(const GraphView& graphs, const GruWeights& weights, const float* initial,
                     const Run& run, float* h, const SavedStates& saved, float* message) {
  const int64_t hidden = weights.hidden;
  for (int64_t level = 0; level < graphs.num_levels; ++level) {
    const RowSet rows{graphs.level_node + graphs.level_ptr[level],
                      graphs.level_ptr[level + 1] - graphs.level_ptr[level]};
    launch("aggregate", aggregate,
           {rows.count, divide_up(hidden, kAggregateThreads), kAggregateThreads}, run.stream,
           graphs, rows.list, hidden, message, initial, saved.a);
    const bool a_is_zero = level == 0 && initial == nullptr;
    update_states(weights, rows, graphs.node_type, saved.a, a_is_zero, run, saved.gates, h);
    if (level + 1 == graphs.num_levels) break;  // nobody listens
    send_messages(weights, rows, graphs.node_index, 0, h, run, saved.values, message);
  }
}

}  // namespace ngae::cuda
