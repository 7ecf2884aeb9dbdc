// pair_scores forward and backward against plain loops, on every instruction set.
#include <limits>

#include "check.h"
#include "pair_scores.h"
#include "parallel.h"
#include "random.h"

namespace native {
namespace {

struct Sizes {
  int64_t sources, targets, pairs, columns;
};

// The arrays behind ngae::PairScores.
template <class T>
struct Arrays {
  Sizes sizes;
  std::vector<T> source, target, weight, dscore;
  std::vector<int64_t> pair_source, pair_target;

  explicit Arrays(const Sizes& s) : sizes(s) {
    Random random(27);
    // Sums near 1, so that their rounding stays far below the tolerance.
    const auto scale = [](int64_t terms) {
      return 1 / std::sqrt(static_cast<double>(std::max<int64_t>(terms, 1)));
    };
    source = random.reals<T>(s.sources * s.columns);
    target = random.reals<T>(s.targets * s.columns);
    weight = random.reals<T>(s.columns, scale(s.columns));
    dscore = random.reals<T>(s.pairs, scale(s.pairs));
    for (int64_t i = 0; i < s.pairs; ++i) {
      pair_source.push_back(random.below(s.sources));
      pair_target.push_back(random.below(s.targets));
    }
    // A sum of 0, where the derivative is 0.
    if (s.pairs * s.columns > 0) {
      target[pair_target[0] * s.columns] = -source[pair_source[0] * s.columns];
    }
  }

  ngae::PairScores<T> view() const {
    return {sizes.sources, sizes.targets, sizes.pairs,        sizes.columns,     source.data(),
            target.data(), weight.data(), pair_source.data(), pair_target.data()};
  }
};

template <class T>
struct Result {
  std::vector<T> score, dsource, dtarget, dweight;

  Result(const Sizes& s, T before)
      : score(s.pairs, before),
        dsource(s.sources * s.columns, before),
        dtarget(s.targets * s.columns, before),
        dweight(s.columns, before) {}
};

template <class T>
Result<T> compute(const Arrays<T>& in, const ngae::Machine& machine) {
  // What is not written stays NaN, which equals nothing.
  Result<T> out(in.sizes, std::numeric_limits<T>::quiet_NaN());
  ngae::pair_scores_forward<T>(in.view(), machine, out.score.data());
  ngae::pair_scores_backward<T>(in.view(), machine, in.dscore.data(), out.dsource.data(),
                                out.dtarget.data(), out.dweight.data());
  return out;
}

template <class T>
Result<double> naive(const Arrays<T>& in) {
  Result<double> out(in.sizes, 0);
  const int64_t columns = in.sizes.columns;
  for (int64_t i = 0; i < in.sizes.pairs; ++i) {
    const double dscore = static_cast<double>(in.dscore[i]);
    for (int64_t j = 0; j < columns; ++j) {
      const int64_t u = in.pair_source[i] * columns + j, v = in.pair_target[i] * columns + j;
      const double sum = static_cast<double>(in.source[u]) + static_cast<double>(in.target[v]);
      if (sum <= 0) continue;
      const double weight = static_cast<double>(in.weight[j]);
      out.score[i] += weight * sum;
      out.dsource[u] += dscore * weight;
      out.dtarget[v] += dscore * weight;
      out.dweight[j] += dscore * sum;
    }
  }
  return out;
}

// What the plain loops give, and the same bits with 1, 2 and 3 threads.
template <class T>
void check_sizes(const Sizes& s) {
  const Arrays<T> in(s);
  const Result<double> expected = naive(in);
  for (const std::string& level : ngae::cpu_levels()) {
    const std::string what = join(level, ", ", s.pairs, " pairs, ", s.columns, " columns");
    const Result<T> one = compute(in, {level, false, 1});
    check_close(one.score, expected.score, what, ": score");
    check_close(one.dsource, expected.dsource, what, ": dsource");
    check_close(one.dtarget, expected.dtarget, what, ": dtarget");
    check_close(one.dweight, expected.dweight, what, ": dweight");
    for (const int64_t threads : {2, 3}) {
      const Result<T> other = compute(in, {level, false, threads});
      check_equal(other.score, one.score, what, ", ", threads, " threads: score");
      check_equal(other.dsource, one.dsource, what, ", ", threads, " threads: dsource");
      check_equal(other.dtarget, one.dtarget, what, ", ", threads, " threads: dtarget");
      check_equal(other.dweight, one.dweight, what, ", ", threads, " threads: dweight");
    }
  }
}

template <class T>
void check_all() {
  for (const Sizes& sizes : {Sizes{0, 0, 0, 5},
                             {3, 2, 0, 7},
                             {3, 2, 4, 0},
                             {1, 1, 1, 1},
                             {5, 7, 40, 33},
                             {7, 5, 40, 64},
                             {2, 9, 100, 71}}) {
    check_sizes<T>(sizes);
  }
  for (const Sizes& sizes : {Sizes{50, 40, 3000, 1400}, {40, 50, 4000, 1024}}) {
    check_equal(ngae::useful_threads(3, sizes.pairs * sizes.columns), 3, "threads");
    check_sizes<T>(sizes);
  }
}

TEST(pair_scores_float) { check_all<float>(); }
TEST(pair_scores_double) { check_all<double>(); }

TEST(pair_scores_of_no_row) {
  const auto both = [](const Arrays<float>& in, const std::string& message) {
    Result<float> out(in.sizes, 0);
    check_invalid([&] { ngae::pair_scores_forward<float>(in.view(), {"", false, 1}, nullptr); },
                  message);
    check_invalid([&] { compute(in, {"", false, 1}); }, message);
  };
  for (const int64_t wrong : {int64_t{-1}, int64_t{5}, int64_t{1} << 32}) {
    Arrays<float> in({5, 6, 9, 3});
    in.pair_source[8] = wrong;
    both(in, join("pair_source[8]: expected 0..4, found ", wrong));
  }
  Arrays<float> in({5, 6, 9, 3});
  in.pair_target[2] = 6;
  both(in, "pair_target[2]: expected 0..5, found 6");
}

}  // namespace
}  // namespace native
