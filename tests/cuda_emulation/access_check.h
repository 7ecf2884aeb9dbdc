// Judges each access to memory that a kernel makes, by what is known of the memory (registered
// ranges, shared variables) and by who touched it before. Knows nothing of fibers.
#pragma once

#include "findings.h"

namespace emulation {

enum class Access { read, write, atomic };

void add_range(const void* begin, size_t bytes, bool writable, bool written);
void forget_ranges();
// Bytes of the range from `begin` on that nobody has written.
int64_t unwritten_bytes(const void* begin, size_t bytes);

// Shared variables of the running block: what was declared before is gone.
void start_shared();
void* declare_shared(const void* declaration, size_t bytes, size_t alignment);

// Reports what is wrong with an access of the running thread, made at `code`. False where the
// access itself must not happen.
bool check_access(const void* address, size_t bytes, Access access, const void* code);
// The same for a copy or a fill by the host.
bool check_host(const void* address, size_t bytes, Access access, const char* call);

}  // namespace emulation
