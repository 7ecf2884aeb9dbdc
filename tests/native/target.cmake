# The tests of the core as one executable. NGAE_SANITIZE: what watches them, "address,undefined" or
# "thread"; empty for nothing.
set(NGAE_SANITIZE "" CACHE STRING "Sanitizers, as after -fsanitize=")
set(NGAE_TARGET native_tests)
set(NGAE_LOOP_OPTIMIZATION -O1)
add_compile_options(-O1 -g1 -fno-omit-frame-pointer)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
if(NGAE_SANITIZE)
  add_compile_options(-fsanitize=${NGAE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${NGAE_SANITIZE})
endif()
if(NGAE_SANITIZE MATCHES "address")
  add_compile_definitions(_GLIBCXX_SANITIZE_VECTOR) # a vector's spare capacity is out of bounds, too
endif()
if(NGAE_SANITIZE MATCHES "thread")
  set(NGAE_THREADS_STD ON) # OpenMP's library is not instrumented
  add_compile_definitions(NGAE_THREADS_STD)
endif()

add_executable(
  native_tests
  ${NGAE_CORE}
  tests/native/faults.cpp
  tests/native/graphs.cpp
  tests/native/main.cpp
  tests/native/naive_dag_gru.cpp
  tests/native/test_adam.cpp
  tests/native/test_ascend.cpp
  tests/native/test_canonical_hash.cpp
  tests/native/test_dag_batch.cpp
  tests/native/test_dag_gru.cpp
  tests/native/test_dag_merge.cpp
  tests/native/test_decode.cpp
  tests/native/test_gather_rows.cpp
  tests/native/test_grouped_linear.cpp
  tests/native/test_linear.cpp
  tests/native/test_malformed.cpp
  tests/native/test_pair_scores.cpp
  tests/native/test_parallel.cpp
  tests/native/test_philox.cpp
  tests/native/test_products.cpp
  tests/native/test_rows.cpp)
target_include_directories(native_tests PRIVATE csrc)
