// Scratch memory on whole cache lines, not initialised.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

namespace ngae {

constexpr std::align_val_t kLine{64};

struct FreeAligned {
  void operator()(void* memory) const { ::operator delete(memory, kLine); }
};

// `size` numbers; the bytes are whatever was there.
template <class T>
class Buffer {
 public:
  explicit Buffer(int64_t size)
      : memory_(static_cast<T*>(::operator new(static_cast<size_t>(size) * sizeof(T), kLine))) {}
  T* get() const { return memory_.get(); }

 private:
  std::unique_ptr<T, FreeAligned> memory_;
};

}  // namespace ngae
