// The gradient of taking rows of a table: dtable[index[i]] is the sum of dout[i], in the order of
// i, so the same, bit for bit, for any number of threads.
#pragma once

#include <cstdint>

namespace ngae {

// dtable (num_rows, columns) from dout (count, columns) and index (count,). Throws
// std::invalid_argument where an index names no row.
template <class T>
void gather_rows_backward(int64_t num_rows, int64_t columns, int64_t count, const int64_t* index,
                          int64_t threads, const T* dout, T* dtable);

}  // namespace ngae
