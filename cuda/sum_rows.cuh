// Sums of chosen rows: the gradient of taking rows of a table.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace ngae::cuda {

// out[r] = sum of values[list[i]] over i in [ptr[r], ptr[r + 1]), in the same order every time.
// values (any, columns), out (num_rows, columns); all on the device, indices unchecked.
void sum_rows(int64_t num_rows, int64_t columns, const int64_t* ptr, const int64_t* list,
              const float* values, cudaStream_t stream, float* out);

}  // namespace ngae::cuda
