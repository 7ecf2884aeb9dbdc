#include "naive_dag_gru.h"

#include <cmath>

namespace native {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Row i of a (rows, n) matrix times x.
double dot(const std::vector<double>& matrix, int64_t i, const double* x, int64_t n) {
  double sum = 0;
  for (int64_t j = 0; j < n; ++j) sum += matrix[i * n + j] * x[j];
  return sum;
}

}  // namespace

NaiveDagGru::NaiveDagGru(const ngae::DagBatch& batch, const GruArrays<double>& weights)
    : batch_(batch), w_(weights), a_(batch.node_type.size() * weights.hidden, 0.0) {
  r_ = z_ = n_ = hidden_n_ = h_ = gate_ = map_ = a_;
  for (const int32_t v : batch.levels.node) step(v);
}

bool NaiveDagGru::takes_initial(int32_t v) const {
  return !w_.initial.empty() && batch_.root[batch_.node_graph[v]] == v;
}

void NaiveDagGru::step(int32_t v) {
  const int64_t n = w_.hidden, type = batch_.node_type[v], place = batch_.node_index[v];
  double *a = a_.data() + v * n, *h = h_.data() + v * n;
  for (int64_t i = 0; i < n; ++i) {
    for (int32_t e = batch_.pred.ptr[v]; e < batch_.pred.ptr[v + 1]; ++e) {
      const int64_t from = batch_.pred.list[e] * n + i;
      a[i] += gate_[from] * map_[from];
    }
    if (takes_initial(v)) a[i] += w_.initial[batch_.node_graph[v] * n + i];
  }
  const auto input = [&](int64_t i) { return w_.w_ih[i * w_.types + type] + w_.b_ih[i]; };
  const auto state = [&](int64_t i) { return dot(w_.w_hh, i, a, n) + w_.b_hh[i]; };
  for (int64_t i = 0; i < n; ++i) {
    const int64_t vi = v * n + i;
    r_[vi] = sigmoid(input(i) + state(i));
    z_[vi] = sigmoid(input(n + i) + state(n + i));
    hidden_n_[vi] = state(2 * n + i);
    n_[vi] = std::tanh(input(2 * n + i) + r_[vi] * hidden_n_[vi]);
    h[i] = (1 - z_[vi]) * n_[vi] + z_[vi] * a[i];
  }
  for (int64_t i = 0; i < n; ++i) {
    const double gate_place = w_.places > 0 ? w_.gate_index[place * n + i] : 0;
    const double map_place = w_.places > 0 ? w_.map_index[place * n + i] : 0;
    gate_[v * n + i] = sigmoid(dot(w_.w_gate, i, h, n) + w_.b_gate[i] + gate_place);
    map_[v * n + i] = dot(w_.w_map, i, h, n) + map_place;
  }
}

GruArrays<double> NaiveDagGru::backward(const std::vector<double>& dh_given) const {
  const int64_t graphs = w_.initial.empty() ? 0 : static_cast<int64_t>(batch_.root.size());
  GruArrays<double> out = empty_arrays<double>(w_.hidden, w_.types, w_.places, graphs);
  std::vector<double> dh = dh_given, da(dh.size(), 0.0);
  for (size_t i = batch_.levels.node.size(); i-- > 0;) {
    const int32_t v = batch_.levels.node[i];
    message_back(v, da, dh, out);
    step_back(v, dh.data() + v * w_.hidden, da, out);
  }
  return out;
}

// The message of v enters a of each successor.
void NaiveDagGru::message_back(int32_t v, const std::vector<double>& da, std::vector<double>& dh,
                               GruArrays<double>& out) const {
  const int64_t n = w_.hidden, place = batch_.node_index[v];
  for (int64_t i = 0; i < n; ++i) {
    double dmessage = 0;
    for (int32_t e = batch_.succ.ptr[v]; e < batch_.succ.ptr[v + 1]; ++e) {
      dmessage += da[batch_.succ.list[e] * n + i];
    }
    const double gate = gate_[v * n + i], map = map_[v * n + i];
    const double dgate = dmessage * map * gate * (1 - gate), dmap = dmessage * gate;
    out.b_gate[i] += dgate;
    if (w_.places > 0) out.gate_index[place * n + i] += dgate;
    if (w_.places > 0) out.map_index[place * n + i] += dmap;
    for (int64_t j = 0; j < n; ++j) {
      out.w_gate[i * n + j] += dgate * h_[v * n + j];
      out.w_map[i * n + j] += dmap * h_[v * n + j];
      dh[v * n + j] += dgate * w_.w_gate[i * n + j] + dmap * w_.w_map[i * n + j];
    }
  }
}

void NaiveDagGru::step_back(int32_t v, const double* dh, std::vector<double>& da,
                            GruArrays<double>& out) const {
  const int64_t n = w_.hidden, type = batch_.node_type[v];
  for (int64_t i = 0; i < n; ++i) {
    const int64_t vi = v * n + i;
    const double dn = dh[i] * (1 - z_[vi]) * (1 - n_[vi] * n_[vi]);
    const double dz = dh[i] * (a_[vi] - n_[vi]) * z_[vi] * (1 - z_[vi]);
    const double dr = dn * hidden_n_[vi] * r_[vi] * (1 - r_[vi]);
    const double by_input[] = {dr, dz, dn}, by_state[] = {dr, dz, dn * r_[vi]};
    da[vi] += dh[i] * z_[vi];
    for (int64_t part = 0; part < 3; ++part) {
      const int64_t row = part * n + i;
      out.w_ih[row * w_.types + type] += by_input[part];
      out.b_ih[row] += by_input[part];
      out.b_hh[row] += by_state[part];
      for (int64_t j = 0; j < n; ++j) {
        out.w_hh[row * n + j] += by_state[part] * a_[v * n + j];
        da[v * n + j] += by_state[part] * w_.w_hh[row * n + j];
      }
    }
  }
  if (!takes_initial(v)) return;
  for (int64_t i = 0; i < n; ++i) out.initial[batch_.node_graph[v] * n + i] = da[v * n + i];
}

}  // namespace native
