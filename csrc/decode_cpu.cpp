#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "decode.h"
#include "decode_model.h"
#include "parallel.h"
#include "philox.h"

namespace ngae {
namespace {

constexpr int64_t kMostSamples = 112;  // of one block: they share every pass over the weights

// Up to kMostSamples samples on their way through the nodes. Rows of the arrays are samples.
template <class T>
class Block {
 public:
  explicit Block(const DecodeModel<T>& model)
      : model_(model),
        nodes_(model.rules.max_nodes),
        ld_(model.gru.layout.ld),
        a_(kMostSamples * ld_),
        gates_(kMostSamples * 3 * ld_),
        h_(kMostSamples * ld_),
        values_(kMostSamples * 2 * ld_),
        messages_(nodes_ * kMostSamples * ld_),
        sources_(nodes_ * kMostSamples * model.edge_width),
        type_part_(kMostSamples * model.type_width),
        edge_part_(kMostSamples * model.edge_width),
        hidden_(kMostSamples * model.type_width),
        term_(model.edge_width),
        probability_((nodes_ / model.kernels.panel + 1) * model.kernels.panel),
        buffer_(model.kernels.buffer_size),
        type_(kMostSamples),
        place_(kMostSamples),
        pred_ptr_(kMostSamples + 1) {}

  // Decodes samples [first, last) of the input.
  void run(const DecodeInput<T>& input, int64_t first, int64_t last, const DecodeOutput& output) {
    start(input, first, last, output);
    for (int64_t v = 1; v < nodes_ && !alive_.empty(); ++v) {
      choose_types(input, first, v, output);
      if (!ends_at(v)) {
        fill_part(input, first, v, model_.edge_z, model_.weights.edge_term, model_.weights.edge_dim,
                  model_.edge_width, edge_part_.get());
      }
      pred_src_.clear();
      std::fill(pred_ptr_.begin(), pred_ptr_.end(), 0);
      size_t next = 0;
      for (int64_t row = 0; row < last - first; ++row) {
        if (next < alive_.size() && alive_[next] == row) {
          choose_edges(input, first, row, v, output);
          ++next;
        }
        pred_ptr_[row + 1] = static_cast<int32_t>(pred_src_.size());
      }
      end_graphs(first, v, output);
      if (v + 1 < nodes_ && !ends_at(v + 1)) update(input, first, v);
    }
  }

 private:
  T* messages(int64_t node) const { return messages_.get() + node * kMostSamples * ld_; }
  T* sources(int64_t node) const {
    return sources_.get() + node * kMostSamples * model_.edge_width;
  }

  PartialGraph graph(const DecodeOutput& output, int64_t sample) const {
    return {output.node_type + sample * nodes_, output.adjacency + sample * nodes_ * nodes_};
  }

  // The only type that node v may have, or -1.
  int32_t only_type(int64_t v) const {
    const uint8_t* allowed = model_.rules.type_allowed + v * model_.rules.num_types;
    int32_t only = -1;
    for (int32_t t = 0; t < model_.rules.num_types; ++t) {
      if (!allowed[t]) continue;
      if (only >= 0) return -1;
      only = t;
    }
    return only;
  }

  // Whether node v, if there is one, ends its graph and the rules decide its edges: then nothing
  // reads the state of the node before.
  bool ends_at(int64_t v) const {
    return model_.rules.loose_ends == kEndsOnly && only_type(v) == model_.rules.end_type;
  }

  // part[row] (+)= what z and the term of place v give to a head's first layer, for the rows alive;
  // added to what is there where `accumulate`.
  void fill_part(const DecodeInput<T>& input, int64_t first, int64_t v,
                 const std::vector<PackedLinear<T>>& by_place, const T* term, int64_t size,
                 int64_t width, T* part, bool accumulate = false) {
    const int64_t latent = model_.weights.latent, count = static_cast<int64_t>(alive_.size());
    if (!by_place.empty()) {
      by_place[v].multiply(alive_.data(), count, input.z + first * latent, latent, part, width,
                           buffer_.get(), accumulate);
    } else if (!accumulate) {
      for (const int64_t row : alive_) std::fill_n(part + row * width, width, T{0});
    }
    for (const int64_t row : alive_) {
      for (int64_t j = 0; j < size; ++j) part[row * width + j] += term[v * size + j];
    }
  }

  void start(const DecodeInput<T>& input, int64_t first, int64_t last, const DecodeOutput& output) {
    const int64_t hidden = model_.weights.gru.hidden, count = last - first;
    alive_.resize(count);
    std::iota(alive_.begin(), alive_.end(), 0);
    std::fill_n(output.node_type + first * nodes_, count * nodes_, -1);
    std::fill_n(output.adjacency + first * nodes_ * nodes_, count * nodes_ * nodes_, uint8_t{0});
    for (int64_t row = 0; row < count; ++row) {
      std::fill_n(a_.get() + row * ld_, ld_, T{0});
      std::copy_n(input.initial + (first + row) * hidden, hidden, a_.get() + row * ld_);
      type_[row] = output.node_type[(first + row) * nodes_] = model_.rules.start_type;
    }
    next_state(input, first, 0);
  }

  // From a and the types of the rows alive: their states, messages and terms as sources.
  void next_state(const DecodeInput<T>& input, int64_t first, int64_t v) {
    const int64_t count = static_cast<int64_t>(alive_.size());
    std::fill(place_.begin(), place_.end(), static_cast<int32_t>(v));
    model_.gru.update(alive_.data(), count, type_.data(), true, a_.get(), gates_.get(), h_.get(),
                      buffer_.get());
    model_.gru.send(alive_.data(), count, place_.data(), h_.get(), values_.get(), messages(v),
                    buffer_.get());
    model_.edge_u.multiply(alive_.data(), count, h_.get(), ld_, sources(v), model_.edge_width,
                           buffer_.get());
    fill_part(input, first, v, model_.source_z, model_.weights.source_term, model_.weights.edge_dim,
              model_.edge_width, sources(v), true);
  }

  void update(const DecodeInput<T>& input, int64_t first, int64_t v) {
    const RowLayout<T>& layout = model_.gru.layout;
    model_.kernels.sum_neighbours(
        {alive_.data(), static_cast<int64_t>(alive_.size()), layout.width, ld_}, pred_ptr_.data(),
        pred_src_.data(), messages_.get(), a_.get());
    next_state(input, first, v);
  }

  void choose_types(const DecodeInput<T>& input, int64_t first, int64_t v,
                    const DecodeOutput& output) {
    const RulesView& rules = model_.rules;
    if (const int32_t only = only_type(v); only >= 0) {
      for (const int64_t row : alive_) type_[row] = only;
      return;
    }
    const int64_t width = model_.type_width;
    model_.type_h.multiply(alive_.data(), static_cast<int64_t>(alive_.size()), h_.get(), ld_,
                           hidden_.get(), width, buffer_.get());
    fill_part(input, first, v, model_.type_z, model_.weights.type_term, model_.weights.type_dim,
              width, type_part_.get());
    logits_.resize(rules.num_types);
    for (const int64_t row : alive_) {
      for (int64_t t = 0; t < rules.num_types; ++t) {
        logits_[t] =
            model_.kernels.relu_dot(hidden_.get() + row * width, type_part_.get() + row * width,
                                    model_.type_out.data() + t * width, width) +
            model_.weights.type_out_bias[t];
      }
      const TypeMask mask = type_mask(rules, graph(output, first + row), v);
      const int64_t sample = input.sample_ids[first + row];
      type_[row] =
          input.stochastic
              ? sample_type(mask, to_uniform(draw(input.seed, sample, v, kTypeBlock).word[0]))
              : best_type(mask);
    }
  }

  int32_t best_type(const TypeMask& mask) const {
    int32_t best = -1;
    for (int32_t t = 0; t < model_.rules.num_types; ++t) {
      if (allows(mask, t) && (best < 0 || logits_[t] > logits_[best])) best = t;
    }
    return best;
  }

  // The first allowed type at which the cumulative softmax of the logits exceeds `uniform`.
  int32_t sample_type(const TypeMask& mask, double uniform) const {
    const double largest = logits_[best_type(mask)];
    double total = 0, cumulative = 0;
    for (int32_t t = 0; t < model_.rules.num_types; ++t) {
      if (allows(mask, t)) total += std::exp(logits_[t] - largest);
    }
    int32_t last = -1;
    for (int32_t t = 0; t < model_.rules.num_types; ++t) {
      if (!allows(mask, t)) continue;
      last = t;
      cumulative += std::exp(logits_[t] - largest) / total;
      if (cumulative > uniform) break;
    }
    return last;
  }

  // Decides which nodes before v feed it, and appends them to pred_src_.
  void choose_edges(const DecodeInput<T>& input, int64_t first, int64_t row, int64_t v,
                    const DecodeOutput& output) {
    const RulesView& rules = model_.rules;
    const PartialGraph so_far = graph(output, first + row);
    const int32_t type = type_[row];
    edge_.assign(v, 0);
    if (type == rules.end_type && rules.loose_ends == kEndsOnly) {
      for (int64_t u = 0; u < v; ++u) edge_[u] = is_loose(rules, so_far, u, v);
    } else {
      rule_.resize(v);
      for (int64_t u = 0; u < v; ++u) rule_[u] = edge_rule(rules, so_far, u, v, type);
      fill_probabilities(row, v);
      const int64_t sample = input.sample_ids[first + row];
      PhiloxBlock block{};
      for (int64_t u = 0; u < v; ++u) {
        if (input.stochastic && u % 4 == 0) {
          block = draw(input.seed, sample, v, static_cast<uint32_t>(u / 4));
        }
        const T threshold = input.stochastic ? to_uniform(block.word[u % 4]) : T(0.5);
        edge_[u] = rule_[u] == kForced || (rule_[u] == kFree && threshold < probability_.get()[u]);
      }
      keep_in_degree(rule_.data(), probability_.get(), v, rules.min_in_degree[type],
                     rules.max_in_degree[type], edge_.data());
      keep_edge_budget(rules, so_far, probability_.get(), v, type, edge_.data());
    }
    uint8_t* adjacency = output.adjacency + (first + row) * nodes_ * nodes_;
    for (int64_t u = 0; u < v; ++u) {
      adjacency[u * nodes_ + v] = edge_[u];
      if (edge_[u]) pred_src_.push_back(static_cast<int32_t>(u * kMostSamples + row));
    }
  }

  // probability_[u] of the free edges (rule_[u]) from u to v, for the type that v has.
  void fill_probabilities(int64_t row, int64_t v) {
    const int64_t width = model_.edge_width, panel = model_.kernels.panel;
    const T *part = edge_part_.get() + row * width,
            *target = model_.target.data() + type_[row] * width;
    for (int64_t j = 0; j < width; ++j) term_.get()[j] = target[j] + part[j];
    const int64_t padded = (v + panel - 1) / panel * panel;
    std::fill_n(probability_.get(), padded, T{0});
    for (int64_t u = 0; u < v; ++u) {
      if (rule_[u] != kFree) continue;
      probability_.get()[u] = model_.kernels.relu_dot(sources(u) + row * width, term_.get(),
                                                      model_.edge_out.data(), width) +
                              model_.weights.edge_out_bias[0];
    }
    model_.kernels.sigmoid(probability_.get(), probability_.get(), padded);
  }

  // Writes the types of node v; rows of the end type are finished.
  void end_graphs(int64_t first, int64_t v, const DecodeOutput& output) {
    const auto ends = [&](int64_t row) {
      output.node_type[(first + row) * nodes_ + v] = type_[row];
      output.num_nodes[first + row] = static_cast<int32_t>(v + 1);
      return type_[row] == model_.rules.end_type;
    };
    alive_.erase(std::remove_if(alive_.begin(), alive_.end(), ends), alive_.end());
  }

  const DecodeModel<T>& model_;
  int64_t nodes_, ld_;
  Buffer<T> a_, gates_, h_, values_, messages_, sources_, type_part_, edge_part_, hidden_, term_,
      probability_, buffer_;
  std::vector<int32_t> type_, place_, pred_ptr_, pred_src_, alive_;
  std::vector<uint8_t> rule_, edge_;
  std::vector<T> logits_;
};

}  // namespace

template <class T>
void decode(const DecodeInput<T>& input, const DecoderWeights<T>& weights, const RulesView& rules,
            const Machine& machine, const DecodeOutput& output) {
  DecodeModel<T> model(weights, rules, kernels<T>(machine));
  const int64_t hidden = weights.gru.hidden;
  const int64_t threads =
      useful_threads(machine.threads, 6 * input.num_samples * rules.max_nodes * hidden * hidden);
  const int64_t blocks = std::max(std::min(threads, input.num_samples),
                                  (input.num_samples + kMostSamples - 1) / kMostSamples);
  std::vector<Block<T>> scratch;
  scratch.reserve(threads);
  for (int64_t thread = 0; thread < threads; ++thread) scratch.emplace_back(model);
  const Buffer<T> buffer(model.kernels.buffer_size);
  parallel(threads, [&](const Team& team) {
    model.pack(team);
    team.barrier();
    if (team.thread == 0) model.fill_target(buffer.get());
    team.barrier();
    for (int64_t block = team.thread; block < blocks; block += team.size) {
      scratch[team.thread].run(input, input.num_samples * block / blocks,
                               input.num_samples * (block + 1) / blocks, output);
    }
  });
}

template void decode<float>(const DecodeInput<float>&, const DecoderWeights<float>&,
                            const RulesView&, const Machine&, const DecodeOutput&);
template void decode<double>(const DecodeInput<double>&, const DecoderWeights<double>&,
                             const RulesView&, const Machine&, const DecodeOutput&);

}  // namespace ngae
