#include "cell_math.cuh"
#include "decode.cuh"
#include "philox.h"
#include "rows.cuh"

namespace ngae::cuda {
namespace {

constexpr int kDecideThreads = 128, kAggregateThreads = 128;
constexpr int kDecideBlocks = 8;  // on a multiprocessor: without it the compiler spills for nine

// What the kernels of one decoding read and write.
struct Scene {
  DecodeInput<float> input;
  DecodeWeights weights;
  RulesView rules;
  DecodeMemory memory;
  DecodeOutput output;

  // Whether the graph of `row` has ended before node v. A start is no end, whatever its type.
  __device__ bool is_finished(int64_t row, int64_t v) const {
    if (output.num_nodes[row] < v) return true;
    return v > 1 && output.node_type[row * rules.max_nodes + v - 1] == rules.end_type;
  }

  __device__ uint8_t* adjacency(int64_t row) const {
    return output.adjacency + row * rules.max_nodes * rules.max_nodes;
  }

  __device__ PartialGraph graph(int64_t row) const {
    return {output.node_type + row * rules.max_nodes, adjacency(row)};
  }
};

// Node 0 of one sample, and nothing beyond.
__global__ void __launch_bounds__(kDecideThreads) start_graphs(Scene s) {
  const int64_t row = blockIdx.x, nodes = s.rules.max_nodes;
  const int thread = static_cast<int>(threadIdx.x);
  for (int64_t u = thread; u < nodes; u += kDecideThreads) {
    s.output.node_type[row * nodes + u] = u == 0 ? s.rules.start_type : -1;
  }
  for (int64_t i = thread; i < nodes * nodes; i += kDecideThreads) s.adjacency(row)[i] = 0;
  if (thread != 0) return;
  s.output.num_nodes[row] = 1;
  s.memory.type[row] = s.rules.start_type;
}

// One node of each type, fed by nothing.
__global__ void __launch_bounds__(kDecideThreads) start_types(int64_t hidden, DecodeMemory memory) {
  const int64_t type = blockIdx.x;
  const int thread = static_cast<int>(threadIdx.x);
  for (int64_t j = thread; j < hidden; j += kDecideThreads) {
    memory.type_states[type * hidden + j] = 0.0f;
  }
  if (thread == 0) memory.every_type[type] = static_cast<int32_t>(type);
}

// For a warp: the logits of its share of the types.
__device__ void fill_logits(const Scene& s, int64_t row, int warp, int lane) {
  const int64_t size = s.weights.type_dim, types = s.rules.num_types;
  const float* hidden = s.memory.type_hidden + row * size;
  for (int64_t t = warp; t < types; t += kDecideThreads / kWarp) {
    float sum = 0.0f;
    for (int64_t j = lane; j < size; j += kWarp) {
      sum = fmaf(hidden[j], s.weights.type_out[t * size + j], sum);
    }
    sum = warp_sum(sum);
    if (lane == 0) s.memory.logits[row * types + t] = sum + s.weights.type_out_bias[t];
  }
}

__device__ int32_t best_type(const TypeMask& mask, const float* logits, int64_t types) {
  int32_t best = -1;
  for (int32_t t = 0; t < types; ++t) {
    if (allows(mask, t) && (best < 0 || logits[t] > logits[best])) best = t;
  }
  return best;
}

// The first allowed type at which the cumulative softmax of the logits exceeds `uniform`.
__device__ int32_t sample_type(const TypeMask& mask, const float* logits, int64_t types,
                               float uniform) {
  const float largest = logits[best_type(mask, logits, types)];
  float total = 0.0f, cumulative = 0.0f;
  for (int32_t t = 0; t < types; ++t) {
    if (allows(mask, t)) total += expf(logits[t] - largest);
  }
  int32_t last = -1;
  for (int32_t t = 0; t < types; ++t) {
    if (!allows(mask, t)) continue;
    last = t;
    cumulative += expf(logits[t] - largest) / total;
    if (cumulative > uniform) break;
  }
  return last;
}

__device__ int32_t choose_type(const Scene& s, int64_t row, int64_t v) {
  const int64_t types = s.rules.num_types;
  const TypeMask mask = type_mask(s.rules, s.graph(row), v);
  const float* logits = s.memory.logits + row * types;
  if (!s.input.stochastic) return best_type(mask, logits, types);
  const PhiloxBlock block = draw(s.input.seed, s.input.sample_ids[row], v, kTypeBlock);
  return sample_type(mask, logits, types, to_uniform(block.word[0]));
}

// What the probability of the edge from u to v must exceed.
__device__ float threshold(const Scene& s, int64_t row, int64_t u, int64_t v) {
  if (!s.input.stochastic) return 0.5f;
  const PhiloxBlock block =
      draw(s.input.seed, s.input.sample_ids[row], v, static_cast<uint32_t>(u / 4));
  const uint32_t low = u % 2 == 0 ? block.word[0] : block.word[1];
  const uint32_t high = u % 2 == 0 ? block.word[2] : block.word[3];
  return to_uniform(u % 4 < 2 ? low : high);
}

// For a warp: the probability of the edge from u to v.
__device__ float edge_probability(const Scene& s, int64_t row, int64_t u, int32_t type, int lane) {
  const DecodeWeights& w = s.weights;
  const int64_t size = w.edge_dim;
  const float* source = s.memory.sources + (u * s.input.num_samples + row) * size;
  const float* target = s.memory.target + type * size;
  const float* part = s.memory.edge_part + row * size;
  float sum = 0.0f;
  for (int64_t j = lane; j < size; j += kWarp) {
    sum = fmaf(relu(source[j] + (target[j] + part[j])), w.edge_out[j], sum);
  }
  return DeviceMath::sigmoid(warp_sum(sum) + w.edge_out_bias[0]);
}

// For a warp: decides its share of the edges into v.
__device__ void choose_edges(const Scene& s, int64_t row, int64_t v, int32_t type, int warp,
                             int lane) {
  const int64_t nodes = s.rules.max_nodes;
  for (int64_t u = warp; u < v; u += kDecideThreads / kWarp) {
    const uint8_t rule = edge_rule(s.rules, s.graph(row), u, v, type);
    const float probability = rule == kFree ? edge_probability(s, row, u, type, lane) : 0.0f;
    if (lane != 0) continue;
    s.memory.rule[row * nodes + u] = rule;
    s.memory.probability[row * nodes + u] = probability;
    s.memory.edge[row * nodes + u] =
        rule == kForced || (rule == kFree && threshold(s, row, u, v) < probability);
  }
}

// Type and incoming edges of node v of one sample; `only` is the only type it may have, or -1.
__global__ void __launch_bounds__(kDecideThreads, kDecideBlocks)
    decide(Scene s, int64_t v, int32_t only) {
  const int64_t row = blockIdx.x, nodes = s.rules.max_nodes;
  const int thread = static_cast<int>(threadIdx.x), warp = thread / kWarp, lane = thread % kWarp;
  if (s.is_finished(row, v)) return;
  if (only < 0) fill_logits(s, row, warp, lane);
  __syncthreads();
  if (thread == 0) s.memory.type[row] = only < 0 ? choose_type(s, row, v) : only;
  __syncthreads();
  const int32_t type = s.memory.type[row];
  uint8_t* edge = s.memory.edge + row * nodes;
  const bool takes_loose_ends = type == s.rules.end_type && s.rules.loose_ends == kEndsOnly;
  if (!takes_loose_ends) choose_edges(s, row, v, type, warp, lane);
  __syncthreads();
  if (thread == 0) {
    if (!takes_loose_ends) {
      const float* probability = s.memory.probability + row * nodes;
      keep_in_degree(s.memory.rule + row * nodes, probability, v, s.rules.min_in_degree[type],
                     s.rules.max_in_degree[type], edge);
      keep_edge_budget(s.rules, s.graph(row), probability, v, type, edge);
    }
    s.output.node_type[row * nodes + v] = type;
    s.output.num_nodes[row] = static_cast<int32_t>(v + 1);
  }
  __syncthreads();
  for (int64_t u = thread; u < v; u += kDecideThreads) {
    s.adjacency(row)[u * nodes + v] =
        takes_loose_ends ? is_loose(s.rules, s.graph(row), u, v) : edge[u];
  }
}

// a of node v of one sample and kAggregateThreads columns: the messages of the nodes that feed it,
// 0 where the graph has ended, because the products go over all samples.
__global__ void __launch_bounds__(kAggregateThreads) aggregate(Scene s, int64_t v) {
  const int64_t row = blockIdx.x, hidden = s.weights.gru.hidden;
  const int64_t column = static_cast<int64_t>(blockIdx.y) * kAggregateThreads + threadIdx.x;
  if (column >= hidden) return;
  const uint8_t* feeds = s.adjacency(row) + v;
  const int64_t sources = s.is_finished(row, v + 1) ? 0 : v;
  float sum = 0.0f;
  for (int64_t u = 0; u < sources; ++u) {
    if (!feeds[u * s.rules.max_nodes]) continue;
    sum += s.memory.messages[(u * s.input.num_samples + row) * hidden + column];
  }
  s.memory.a[row * hidden + column] = sum;
}

// The host's part: which kernels each node needs.
class Loop {
 public:
  Loop(const Scene& scene, const uint8_t* type_allowed, const Run& run)
      : scene_(scene), type_allowed_(type_allowed), run_(run) {}

  void start() const {
    const DecodeInput<float>& input = scene_.input;
    const DecodeWeights& w = scene_.weights;
    const DecodeMemory& to = scene_.memory;
    const int64_t samples = input.num_samples, types = scene_.rules.num_types;
    launch("start_graphs", start_graphs, {samples, 1, kDecideThreads}, run_.stream, scene_);
    launch("start_types", start_types, {types, 1, kDecideThreads}, run_.stream, w.gru.hidden, to);
    float* states = to.type_states + types * w.gru.hidden;
    update_states(w.gru, {nullptr, types}, to.every_type, to.type_states, true, run_, nullptr,
                  states);
    multiply_whole<Weight::kRows>("target", states, types, w.edge_v, w.gru.hidden, w.edge_dim, run_,
                                  Store{to.target, w.edge_dim});
    if (is_read(0)) next_state(0, input.initial);
  }

  void decide_node(int64_t v) const {
    const DecodeWeights& w = scene_.weights;
    const DecodeMemory& to = scene_.memory;
    const int64_t samples = scene_.input.num_samples;
    const int32_t only = only_type(v);
    if (only < 0) {
      place_part("type_part", v, w.type_z, w.type_term, w.type_dim, to.type_part);
      multiply_whole<Weight::kRows>(
          "type_head", to.h, samples, w.type_h, w.gru.hidden, w.type_dim, run_,
          StoreRelu{to.type_part, w.type_dim, to.type_hidden, w.type_dim});
    }
    if (!ends_for_certain(v)) {
      place_part("edge_part", v, w.edge_z, w.edge_term, w.edge_dim, to.edge_part);
    }
    launch("decide", decide, {samples, 1, kDecideThreads}, run_.stream, scene_, v, only);
    if (!is_read(v)) return;
    const int64_t blocks = divide_up(w.gru.hidden, kAggregateThreads);
    launch("aggregate", aggregate, {samples, blocks, kAggregateThreads}, run_.stream, scene_, v);
    next_state(v, to.a);
  }

 private:
  // The only type that node v may have, or -1.
  int32_t only_type(int64_t v) const {
    const int64_t types = scene_.rules.num_types;
    int32_t only = -1;
    for (int32_t t = 0; t < types; ++t) {
      if (!type_allowed_[v * types + t]) continue;
      if (only >= 0) return -1;
      only = t;
    }
    return only;
  }

  // Whether node v ends its graph and the rules decide its edges.
  bool ends_for_certain(int64_t v) const {
    return scene_.rules.loose_ends == kEndsOnly && only_type(v) == scene_.rules.end_type;
  }

  // Whether anything reads the state of node v.
  bool is_read(int64_t v) const {
    return v + 1 < scene_.rules.max_nodes && !ends_for_certain(v + 1);
  }

  // part (samples, size) = what z and the term of place v give to a head's first layer.
  void place_part(const char* name, int64_t v, const float* by_place, const float* term,
                  int64_t size, float* part) const {
    const int64_t latent = scene_.weights.latent;
    multiply_whole<Weight::kRows>(name, scene_.input.z, scene_.input.num_samples,
                                  by_place == nullptr ? nullptr : by_place + v * size * latent,
                                  by_place == nullptr ? 0 : latent, size, run_,
                                  StoreBiased{term + v * size, part, size});
  }

  // From a and the types of node v: states, messages and terms as sources.
  void next_state(int64_t v, const float* a) const {
    const DecodeWeights& w = scene_.weights;
    const DecodeMemory& to = scene_.memory;
    const int64_t samples = scene_.input.num_samples;
    const RowSet rows{nullptr, samples};
    update_states(w.gru, rows, to.type, a, false, run_, nullptr, to.h);
    send_messages(w.gru, rows, nullptr, static_cast<int32_t>(v), to.h, run_, nullptr,
                  to.messages + v * samples * w.gru.hidden);
    place_part("source_part", v, w.source_z, w.source_term, w.edge_dim, to.source_part);
    multiply_whole<Weight::kRows>(
        "sources", to.h, samples, w.edge_u, w.gru.hidden, w.edge_dim, run_,
        StoreSum{to.source_part, to.sources + v * samples * w.edge_dim, w.edge_dim});
  }

  Scene scene_;
  const uint8_t* type_allowed_;
  Run run_;
};

}  // namespace

void decode(const DecodeInput<float>& input, const DecodeWeights& weights, const RulesView& rules,
            const uint8_t* type_allowed, const Run& run, const DecodeMemory& memory,
            const DecodeOutput& output) {
  if (input.num_samples == 0) return;
  const Loop loop({input, weights, rules, memory, output}, type_allowed, run);
  loop.start();
  for (int64_t v = 1; v < rules.max_nodes; ++v) loop.decide_node(v);
}

}  // namespace ngae::cuda
