// What the tests call, by ctypes.
#include <string>

#include "access_check.h"
#include "machine.h"

extern "C" {

void __gcov_dump();
void __gcov_reset();

// 0 forward, 1 reverse, 2 random; drawn again at each barrier.
void emulation_order(int order, uint64_t seed) {
  emulation::set_order(static_cast<emulation::ThreadOrder>(order), seed);
}

void emulation_check(int on) { emulation::now.checking = on != 0; }

void emulation_register(const void* begin, size_t bytes, int writable, int written) {
  emulation::add_range(begin, bytes, writable != 0, written != 0);
}

void emulation_forget() { emulation::forget_ranges(); }

int64_t emulation_unwritten(const void* begin, size_t bytes) {
  return emulation::unwritten_bytes(begin, bytes);
}

// Valid until the next call.
const char* emulation_findings() {
  static std::string text;
  text = emulation::findings_text();
  return text.c_str();
}

void emulation_clear() { emulation::clear_findings(); }

int64_t emulation_launches() { return emulation::now.launches; }

int64_t emulation_accesses() { return emulation::now.accesses; }

// Adds what was executed so far to the .gcda files beside the objects.
void emulation_write_coverage() {
  __gcov_dump();
  __gcov_reset();
}

}  // extern "C"
