#include <algorithm>
#include <vector>

#include "gather_rows.h"
#include "parallel.h"
#include "row_index.h"

namespace ngae {

template <class T>
void gather_rows_backward(int64_t num_rows, int64_t columns, int64_t count, const int64_t* index,
                          int64_t threads, const T* dout, T* dtable) {
  const std::vector<int32_t> rows = row_index("index", index, count, num_rows);
  parallel(useful_threads(threads, count * columns), [&](const Team& team) {
    const int64_t begin = team.begin(columns), end = team.end(columns);
    for (int64_t row = 0; row < num_rows; ++row) {
      std::fill(dtable + row * columns + begin, dtable + row * columns + end, T{0});
    }
    for (int64_t i = 0; i < count; ++i) {
      const T* from = dout + i * columns;
      T* to = dtable + rows[i] * columns;
      for (int64_t j = begin; j < end; ++j) to[j] += from[j];
    }
  });
}

template void gather_rows_backward<float>(int64_t, int64_t, int64_t, const int64_t*, int64_t,
                                          const float*, float*);
template void gather_rows_backward<double>(int64_t, int64_t, int64_t, const int64_t*, int64_t,
                                           const double*, double*);

}  // namespace ngae
