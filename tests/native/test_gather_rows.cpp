// The gradient of gather_rows against plain loops.
#include <limits>

#include "check.h"
#include "gather_rows.h"
#include "parallel.h"
#include "random.h"

namespace native {
namespace {

// The loops' own order of sums, so the same bits.
template <class T>
void check_sizes(int64_t num_rows, int64_t columns, int64_t count) {
  Random random(28);
  const auto dout = random.reals<T>(count * columns);
  std::vector<int64_t> index;
  for (int64_t i = 0; i < count; ++i) index.push_back(random.below(num_rows));
  std::vector<T> expected(num_rows * columns, T{0});
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < columns; ++j) expected[index[i] * columns + j] += dout[i * columns + j];
  }
  for (const int64_t threads : {1, 2, 3}) {
    std::vector<T> found(num_rows * columns, std::numeric_limits<T>::quiet_NaN());
    ngae::gather_rows_backward<T>(num_rows, columns, count, index.data(), threads, dout.data(),
                                  found.data());
    check_equal(found, expected, count, " of ", num_rows, " rows, ", columns, " columns, ", threads,
                " threads");
  }
}

template <class T>
void check_all() {
  check_sizes<T>(0, 3, 0);
  check_sizes<T>(4, 0, 3);
  check_sizes<T>(4, 3, 0);
  check_sizes<T>(1, 1, 1);
  check_sizes<T>(9, 33, 70);
  check_equal(ngae::useful_threads(3, 4001 * 1003), 3, "threads");
  check_sizes<T>(50, 1003, 4001);
}

TEST(gather_rows_float) { check_all<float>(); }
TEST(gather_rows_double) { check_all<double>(); }

TEST(gather_rows_of_no_row) {
  for (const int64_t wrong : {int64_t{-1}, int64_t{4}, int64_t{1} << 32}) {
    const std::vector<int64_t> index{0, 3, wrong};
    const std::vector<float> dout(3);
    std::vector<float> dtable(4);
    check_invalid(
        [&] {
          ngae::gather_rows_backward<float>(4, 1, 3, index.data(), 1, dout.data(), dtable.data());
        },
        join("index[2]: expected 0..3, found ", wrong));
  }
}

}  // namespace
}  // namespace native
