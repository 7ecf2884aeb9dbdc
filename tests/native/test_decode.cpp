// decode: the same graphs for any number of threads and any split into blocks, under the rules.
#include <limits>
#include <numeric>

#include "check.h"
#include "decode.h"
#include "graphs.h"
#include "naive_dag_gru.h"
#include "sweep.h"

namespace native {
namespace {

constexpr int32_t kStart = 0, kEnd = 1;
constexpr int64_t kHidden = 21, kTypeDim = 13, kEdgeDim = 19;

// The arrays behind ngae::RulesView: node 1 must be fed by node 0, node 3 not by node 2.
struct Rules {
  int64_t nodes;
  ngae::LooseEnds loose_ends;
  int32_t max_edges = ngae::kAnyNumber;
  std::vector<uint8_t> allowed, edge, must_feed, follows;
  std::vector<int32_t> least{0, 1, 1, 2}, most{0, 2, 3, 2};

  Rules(int64_t max_nodes, ngae::LooseEnds ends)
      : nodes(max_nodes),
        loose_ends(ends),
        allowed(nodes * kTypes, 0),
        edge(nodes * nodes, 0),
        must_feed(kTypes, 1),
        follows(kTypes * kTypes, 1) {
    allowed[kStart] = 1;
    for (int64_t v = 1; v < nodes; ++v) {
      allowed[v * kTypes + kEnd] = v > 1 || nodes == 2;
      for (int64_t t = 2; t < kTypes; ++t) allowed[v * kTypes + t] = v + 1 < nodes;
      for (int64_t u = 0; u < v; ++u) edge[u * nodes + v] = ngae::kFree;
    }
    edge[1] = ngae::kForced;
    if (nodes > 3) edge[2 * nodes + 3] = ngae::kForbidden;
  }

  ngae::RulesView view() const {
    return {nodes,        kTypes,      kStart,           kEnd,
            loose_ends,   max_edges,   allowed.data(),   edge.data(),
            least.data(), most.data(), must_feed.data(), follows.data()};
  }
};

// Nodes of type 2 need not feed and follow none of their own; none feeds those of type 3.
Rules ragged(int64_t nodes, ngae::LooseEnds ends) {
  Rules rules(nodes, ends);
  rules.must_feed[2] = rules.follows[2 * kTypes + 2] = 0;
  rules.least[3] = rules.most[3] = 0;
  rules.most[kEnd] = 2;
  return rules;
}

// At most `most` edges, all free; the end at any place.
Rules limited(int64_t nodes, ngae::LooseEnds ends, int32_t most) {
  Rules rules(nodes, ends);
  rules.max_edges = most;
  rules.least = {0, 1, 1, 0};
  rules.follows[3 * kTypes + 3] = 0;
  for (int64_t v = 1; v < nodes; ++v) {
    rules.allowed[v * kTypes + kEnd] = 1;
    for (int64_t u = 0; u < v; ++u) rules.edge[u * nodes + v] = ngae::kFree;
  }
  return rules;
}

template <class T>
struct Decoder {
  int64_t latent;
  GruArrays<T> gru;
  std::vector<T> type_h, type_z, type_term, type_out, type_out_bias;
  std::vector<T> edge_u, edge_v, edge_z, edge_term, source_z, source_term, edge_out, edge_out_bias;

  // Without `latent` the heads see no z; with it the edges know their target's place.
  Decoder(int64_t latent_dim, int64_t nodes)
      : latent(latent_dim), gru(random_arrays<T>(16, kHidden, kTypes, nodes, 0)) {
    Random random(17);
    const auto draw = [&](int64_t rows, int64_t columns) {
      return random.reals<T>(rows * columns, 2 / std::sqrt(static_cast<double>(columns)));
    };
    type_h = draw(kTypeDim, kHidden);
    type_term = draw(nodes, kTypeDim);
    type_out = draw(kTypes, kTypeDim);
    type_out_bias = random.reals<T>(kTypes);
    edge_u = draw(kEdgeDim, kHidden);
    edge_v = draw(kEdgeDim, kHidden);
    edge_term = draw(nodes, kEdgeDim);
    source_term = draw(nodes, kEdgeDim);
    edge_out = random.reals<T>(kEdgeDim, 2);
    edge_out_bias = random.reals<T>(1);
    if (latent == 0) return;
    type_z = draw(nodes * kTypeDim, latent);
    edge_z = draw(nodes * kEdgeDim, latent);
    source_z = draw(nodes * kEdgeDim, latent);
  }

  ngae::DecoderWeights<T> view() const {
    const auto optional = [&](const std::vector<T>& array) {
      return array.empty() ? nullptr : array.data();
    };
    return {gru.view(),
            latent,
            kTypeDim,
            kEdgeDim,
            type_h.data(),
            optional(type_z),
            type_term.data(),
            type_out.data(),
            type_out_bias.data(),
            edge_u.data(),
            edge_v.data(),
            optional(edge_z),
            edge_term.data(),
            optional(source_z),
            source_term.data(),
            edge_out.data(),
            edge_out_bias.data()};
  }
};

struct Decoded {
  std::vector<int32_t> node_type, num_nodes;
  std::vector<uint8_t> adjacency;
};

// Samples [first, last) of an endless sequence.
template <class T>
Decoded decode(const Decoder<T>& decoder, const Rules& rules, int64_t first, int64_t last,
               const ngae::Machine& machine, bool stochastic) {
  std::vector<T> z, initial;
  std::vector<int64_t> ids;
  for (int64_t sample = first; sample < last; ++sample) {
    Random random(static_cast<uint64_t>(sample));
    for (const T value : random.reals<T>(decoder.latent, 2)) z.push_back(value);
    for (const T value : random.reals<T>(kHidden, 2)) initial.push_back(value);
    ids.push_back(sample);
  }
  const int64_t count = last - first;
  Decoded out{std::vector<int32_t>(count * rules.nodes), std::vector<int32_t>(count),
              std::vector<uint8_t>(count * rules.nodes * rules.nodes)};
  ngae::decode<T>({count, z.data(), initial.data(), ids.data(), 18, stochastic}, decoder.view(),
                  rules.view(), machine,
                  {out.node_type.data(), out.adjacency.data(), out.num_nodes.data()});
  return out;
}

void append(Decoded& to, const Decoded& from) {
  to.node_type.insert(to.node_type.end(), from.node_type.begin(), from.node_type.end());
  to.num_nodes.insert(to.num_nodes.end(), from.num_nodes.begin(), from.num_nodes.end());
  to.adjacency.insert(to.adjacency.end(), from.adjacency.begin(), from.adjacency.end());
}

void check_same(const Decoded& found, const Decoded& expected, const std::string& what) {
  check_equal(found.num_nodes, expected.num_nodes, what, ": num_nodes");
  check_equal(found.node_type, expected.node_type, what, ": node_type");
  check_equal(found.adjacency, expected.adjacency, what, ": adjacency");
}

// Whether u feeds none of the nodes before v, and must feed one.
bool loose(const Rules& rules, const int32_t* types, const uint8_t* edge, int64_t u, int64_t v) {
  const uint8_t* feeds = edge + u * rules.nodes;
  return rules.must_feed[types[u]] && std::none_of(feeds, feeds + v, [](uint8_t e) { return e; });
}

// The edges into node v of one sample.
void check_edges(const Rules& rules, const int32_t* types, const uint8_t* edge, int64_t v) {
  const int64_t n = rules.nodes;
  const int32_t type = types[v];
  int32_t degree = 0, possible = 0, forced = 0;
  for (int64_t u = 0; u < v; ++u) {
    const bool is_edge = edge[u * n + v] != 0;
    degree += is_edge;
    const bool is_loose = type == kEnd && loose(rules, types, edge, u, v);
    if (type == kEnd && rules.loose_ends == ngae::kEndsOnly) {
      check_equal(is_edge, is_loose, "edge ", u, " to the end");
      continue;
    }
    const bool takes = is_loose && rules.loose_ends == ngae::kEndsForced;
    const uint8_t rule = takes ? uint8_t{ngae::kForced} : rules.edge[u * n + v];
    possible += rule != ngae::kForbidden;
    forced += rule == ngae::kForced;
    check(rule == ngae::kFree || is_edge == (rule == ngae::kForced), "edge ", u, " to ", v);
  }
  for (int64_t u = v; u < n; ++u) check(edge[u * n + v] == 0, "edge ", u, " back to ", v);
  if (type == kEnd && rules.loose_ends == ngae::kEndsOnly) return;
  check(degree >= std::min(rules.least[type], possible), "node ", v, ": in-degree ", degree);
  check(degree <= std::max(rules.most[type], forced), "node ", v, ": in-degree ", degree);
}

void check_rules(const Rules& rules, const Decoded& found) {
  const int64_t n = rules.nodes;
  for (size_t sample = 0; sample < found.num_nodes.size(); ++sample) {
    const int32_t* types = found.node_type.data() + sample * n;
    const uint8_t* edge = found.adjacency.data() + sample * n * n;
    const int32_t count = found.num_nodes[sample];
    check_equal(types[0], kStart, "first type");
    for (int64_t v = 1; v < n; ++v) {
      if (v >= count) {
        check_equal(types[v], -1, "type past the end");
        for (int64_t u = 0; u < n; ++u) check(edge[u * n + v] == 0, "edge past the end");
        continue;
      }
      check_equal(types[v] == kEnd, v + 1 == count, "the end is the last node");
      check(rules.allowed[v * kTypes + types[v]] == 1, "type ", types[v], " of node ", v);
      check(rules.follows[types[v - 1] * kTypes + types[v]] == 1, "order at node ", v);
      check_edges(rules, types, edge, v);
    }
    check(std::accumulate(edge, edge + n * n, 0) <= rules.max_edges, "too many edges");
  }
}

// 260 samples are three blocks for one thread; the parts that are decoded apart split elsewhere,
// and one of them is a block of the greatest size.
template <class T>
void check_all(const Rules& rules, int64_t latent, bool stochastic) {
  const int64_t nodes = rules.nodes;
  if (nodes > 2)
    check_equal(ngae::useful_threads(3, 6 * 260 * nodes * kHidden * kHidden), 3, "threads");
  const Decoder<T> decoder(latent, nodes);
  for (const std::string& level : ngae::cpu_levels()) {
    for (const bool bf16 : {false, true}) {
      if (bf16 && sizeof(T) == 8) continue;
      const auto run = [&](int64_t first, int64_t last, int64_t threads) {
        return decode(decoder, rules, first, last, {level, bf16, threads}, stochastic);
      };
      const Decoded one = run(0, 260, 1);
      check_rules(rules, one);
      check_same(run(0, 260, 2), one, level + ", 2 threads");
      check_same(run(0, 260, 3), one, level + ", 3 threads");
      Decoded parts = run(0, 1, 3);
      append(parts, run(1, 113, 1));
      append(parts, run(113, 260, 2));
      check_same(parts, one, level + ", in parts");
    }
  }
}

constexpr ngae::LooseEnds kFreely = ngae::kEndsFree, kForcedly = ngae::kEndsForced,
                          kOnly = ngae::kEndsOnly;

TEST(decode_float) { check_all<float>({9, kFreely}, 5, true); }
TEST(decode_double) { check_all<double>({9, kOnly}, 5, true); }
TEST(decode_likeliest) { check_all<float>({7, kOnly}, 0, false); }
TEST(decode_without_z) { check_all<double>({7, kFreely}, 0, true); }
TEST(decode_two_nodes) { check_all<float>({2, kFreely}, 1, true); }
TEST(decode_ragged) { check_all<float>(ragged(8, kForcedly), 5, true); }
TEST(decode_ragged_only) { check_all<double>(ragged(8, kOnly), 5, true); }
TEST(decode_ragged_likeliest) { check_all<float>(ragged(8, kForcedly), 5, false); }
TEST(decode_limited) { check_all<float>(limited(9, kForcedly, 9), 5, true); }
TEST(decode_limited_only) { check_all<double>(limited(9, kOnly, 7), 5, true); }
TEST(decode_limited_likeliest) { check_all<double>(limited(7, kForcedly, 4), 5, false); }
TEST(decode_one_edge) { check_all<float>(limited(7, kForcedly, 1), 5, true); }

// Node 4 of 0 -> 1, 0 -> 2, 1 -> 3: 0 and 1 are no loose ends, 2 and 3 are, so P = 3 + 2.
TEST(decode_edge_budget) {
  constexpr int64_t n = 6;
  const std::vector<int32_t> types{kStart, 2, 2, 2, -1, -1};
  std::vector<uint8_t> adjacency(n * n, 0);
  adjacency[1] = adjacency[2] = adjacency[n + 3] = 1;
  const ngae::PartialGraph graph{types.data(), adjacency.data()};
  const auto kept = [&](int32_t most, int32_t type, std::vector<uint8_t> edge,
                        const std::vector<float>& probability) {
    const Rules rules = limited(n, kForcedly, most);
    ngae::keep_edge_budget(rules.view(), graph, probability.data(), 4, type, edge.data());
    return edge;
  };
  using Edges = std::vector<uint8_t>;
  const std::vector<float> rising{0.6f, 0.7f, 0.8f, 0.9f}, equal(4, 0.5f), odd{0.9f, 0.6f, 0.8f, 0};
  check_equal(ngae::least_edges(limited(n, kForcedly, 9).view(), graph, 4), 5, "least edges");
  check_equal(kept(8, 2, {1, 1, 1, 1}, equal), Edges{1, 1, 1, 1}, "room for both");
  check_equal(kept(7, 2, {1, 1, 1, 1}, equal), Edges{0, 1, 1, 1}, "the earlier among equals");
  check_equal(kept(7, 2, {1, 1, 0, 1}, odd), Edges{1, 0, 0, 1}, "the least probable");
  check_equal(kept(6, 2, {1, 1, 0, 0}, rising), Edges{0, 0, 0, 1}, "a loose end instead");
  check_equal(kept(6, 2, {1, 0, 0, 0}, odd), Edges{0, 0, 1, 0}, "the most probable loose end");
  check_equal(kept(6, 2, {1, 0, 0, 0}, equal), Edges{0, 0, 0, 1}, "the later among equals");
  check_equal(kept(6, 3, {1, 0, 0, 0}, odd), Edges{0, 0, 0, 0}, "no edge is needed");
  check_equal(kept(6, kEnd, {1, 1, 1, 1}, rising), Edges{0, 1, 1, 1}, "the end has more room");
  check_equal(kept(5, kEnd, {1, 1, 1, 1}, rising), Edges{0, 0, 1, 1}, "the end at the limit");
  check_equal(kept(ngae::kAnyNumber, 2, {1, 1, 0, 0}, odd), Edges{1, 1, 0, 0}, "no limit");
}

TEST(decode_no_samples) {
  const Decoded none = decode(Decoder<float>(3, 5), Rules(5, kFreely), 0, 0, {"", false, 2}, true);
  check(none.num_nodes.empty(), "a graph from no sample");
}

TEST(decode_weights_that_are_no_numbers) {
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), HUGE_VAL, -HUGE_VAL}) {
    Decoder<double> decoder(3, 6);
    decoder.type_out_bias.assign(kTypes, value);
    decoder.edge_out_bias[0] = value;
    for (const bool stochastic : {false, true}) {
      for (const Rules& rules : {Rules(6, kFreely), ragged(6, kForcedly), limited(6, kOnly, 5)}) {
        check_rules(rules, decode(decoder, rules, 0, 20, {"", false, 1}, stochastic));
      }
    }
  }
}

}  // namespace
}  // namespace native
