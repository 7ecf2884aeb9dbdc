// A function with a stack of its own, which can stop in its midst and go on later. Only the start
// of a fiber takes a system call.
#pragma once

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "now.h"

namespace emulation {

class Fiber {
 public:
  // `main` must never return.
  explicit Fiber(void (*main)()) : main_(main) {
    void* memory = mmap(nullptr, kGuard + kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    mprotect(memory, kGuard, PROT_NONE);
    stack_ = static_cast<char*>(memory) + kGuard;
  }
  ~Fiber() { munmap(stack_ - kGuard, kGuard + kStackBytes); }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  const char* stack() const { return stack_; }
  // The next `resume` begins at the start of `main`.
  void restart() { started_ = false; }

  void resume(jmp_buf& back) {
    if (_setjmp(back) != 0) return;
    if (started_) _longjmp(here_, 1);
    started_ = true;
    ucontext_t start;
    getcontext(&start);
    start.uc_stack.ss_sp = stack_;
    start.uc_stack.ss_size = kStackBytes;
    start.uc_link = nullptr;
    makecontext(&start, main_, 0);
    setcontext(&start);
  }

  void leave(jmp_buf& back) {
    if (_setjmp(here_) == 0) _longjmp(back, 1);
  }

 private:
  static constexpr size_t kGuard = 1 << 16;  // at least a page of any machine
  void (*main_)();
  char* stack_;
  jmp_buf here_;
  bool started_ = false;
};

}  // namespace emulation
