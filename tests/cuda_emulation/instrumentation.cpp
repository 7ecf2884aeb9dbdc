// What the compiler calls before each access to memory in code that is built with
// -fsanitize=thread. Accesses by the host are let through.
#include "access_check.h"
#include "machine.h"

namespace emulation {

void before_access(const void* address, size_t bytes, Access access, const void* code) {
  if (!now.in_kernel || !now.checking || bytes == 0) return;
  now.in_kernel = false;
  const bool allowed = check_access(address, bytes, access, code);
  now.in_kernel = true;
  if (!allowed) abandon_block();
}

void before_atomic(void* address, size_t bytes) {
  before_access(address, bytes, Access::atomic, __builtin_return_address(0));
}

}  // namespace emulation

using emulation::Access;
using emulation::before_access;

#define NGAE_EACH_SIZE(name, access, bytes)                             \
  void name##bytes(void* address) {                                     \
    before_access(address, bytes, access, __builtin_return_address(0)); \
  }
#define NGAE_EACH(name, access)   \
  NGAE_EACH_SIZE(name, access, 1) \
  NGAE_EACH_SIZE(name, access, 2) \
  NGAE_EACH_SIZE(name, access, 4) \
  NGAE_EACH_SIZE(name, access, 8) \
  NGAE_EACH_SIZE(name, access, 16)

extern "C" {

NGAE_EACH(__tsan_read, Access::read)
NGAE_EACH(__tsan_write, Access::write)
NGAE_EACH(__tsan_unaligned_read, Access::read)
NGAE_EACH(__tsan_unaligned_write, Access::write)
void __tsan_read_range(void* address, size_t bytes) {
  before_access(address, bytes, Access::read, __builtin_return_address(0));
}
void __tsan_write_range(void* address, size_t bytes) {
  before_access(address, bytes, Access::write, __builtin_return_address(0));
}
void __tsan_vptr_read(void* address) {
  before_access(address, sizeof(void*), Access::read, __builtin_return_address(0));
}
void __tsan_vptr_update(void* address, void*) {
  before_access(address, sizeof(void*), Access::write, __builtin_return_address(0));
}
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

// The compiler's -fsanitize=alignment: an address that is no multiple of its type's alignment,
// which is an error on a GPU. The first members are a file, a line and a column.
struct Misaligned {
  const char* file;
  uint32_t line, column;
};
void __ubsan_handle_type_mismatch_v1(const Misaligned* at, const void*) {
  if (!emulation::now.in_kernel || !emulation::now.checking) return;
  emulation::report("misaligned access", {{at->file, static_cast<int>(at->line)}, nullptr});
}

// Calls of memcpy and so on in kernels arrive here; see cuda_runtime.h.
void* emulation_memcpy(void* to, const void* from, size_t bytes) {
  before_access(from, bytes, Access::read, __builtin_return_address(0));
  before_access(to, bytes, Access::write, __builtin_return_address(0));
  return memcpy(to, from, bytes);
}
void* emulation_memmove(void* to, const void* from, size_t bytes) {
  before_access(from, bytes, Access::read, __builtin_return_address(0));
  before_access(to, bytes, Access::write, __builtin_return_address(0));
  return memmove(to, from, bytes);
}
void* emulation_memset(void* to, int value, size_t bytes) {
  before_access(to, bytes, Access::write, __builtin_return_address(0));
  return memset(to, value, bytes);
}

}  // extern "C"
