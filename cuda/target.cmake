# Builds ngae._cuda, the torch-free CUDA module, where NGAE_CUDA and the machine allow it.
set(NGAE_CUDA "AUTO" CACHE STRING "The CUDA module: AUTO (where nvcc works), ON or OFF")
set_property(CACHE NGAE_CUDA PROPERTY STRINGS AUTO ON OFF)
file(GLOB NGAE_CUDA_SOURCES CONFIGURE_DEPENDS cuda/*.cu cuda/*.cpp)

# Looks for an nvcc that compiles. Sets NGAE_NVCC (its path, or false), NGAE_NVCC_PROBLEM (why it
# is of no use, or empty).
macro(ngae_find_nvcc)
  set(NGAE_NVCC_PROBLEM "")
  if(CMAKE_CUDA_COMPILER)
    set(NGAE_NVCC "${CMAKE_CUDA_COMPILER}")
  elseif(DEFINED ENV{CUDACXX})
    find_program(NGAE_NVCC "$ENV{CUDACXX}" NO_CACHE)
  else()
    find_program(
      NGAE_NVCC nvcc NO_CACHE
      HINTS "$ENV{CUDA_HOME}/bin" "$ENV{CUDA_PATH}/bin"
      PATHS /usr/local/cuda/bin /opt/cuda/bin)
  endif()
  if(NOT NGAE_NVCC)
    set(NGAE_NVCC_PROBLEM
        "found no nvcc: looked at CMAKE_CUDA_COMPILER, $CUDACXX ('$ENV{CUDACXX}'), $CUDA_HOME/bin\
 ('$ENV{CUDA_HOME}'), $CUDA_PATH/bin ('$ENV{CUDA_PATH}'), $PATH, /usr/local/cuda/bin")
  else()
    execute_process(COMMAND "${NGAE_NVCC}" --version OUTPUT_VARIABLE version ERROR_QUIET)
    if(version MATCHES "release ([0-9.]+)" AND CMAKE_MATCH_1 VERSION_LESS 11.8)
      set(NGAE_NVCC_PROBLEM "${NGAE_NVCC} is of CUDA ${CMAKE_MATCH_1}: expected 11.8 or later")
    else()
      ngae_try_nvcc()
    endif()
  endif()
endmacro()

# check_language compiles a program in a project of its own, which reads these variables.
macro(ngae_try_nvcc)
  set(ENV{CUDACXX} "${NGAE_NVCC}")
  if(NOT DEFINED ENV{CUDAHOSTCXX} AND NOT CMAKE_CUDA_HOST_COMPILER)
    set(ENV{CUDAHOSTCXX} "${CMAKE_CXX_COMPILER}")
  endif()
  if(NOT CMAKE_CUDA_COMPILER)
    unset(CMAKE_CUDA_COMPILER CACHE) # of an earlier configuration that found none
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    set(NGAE_NVCC_PROBLEM
        "${NGAE_NVCC} cannot compile with the host compiler $ENV{CUDAHOSTCXX}: often nvcc is older\
 than that compiler allows")
  endif()
endmacro()

# The architectures that nvcc knows of those that we build for, and PTX of the newest for later ones.
function(ngae_cuda_architectures result)
  execute_process(COMMAND "${CMAKE_CUDA_COMPILER}" --list-gpu-arch OUTPUT_VARIABLE known ERROR_QUIET)
  set(architectures "")
  set(newest 80)
  foreach(number 80 90 100)
    if(known MATCHES "compute_${number}[^0-9]")
      list(APPEND architectures ${number}-real)
      set(newest ${number})
    endif()
  endforeach()
  set(${result} ${architectures} ${newest}-virtual PARENT_SCOPE)
endfunction()

# Static runtime: torch brings another one, and the module must load on a machine without a driver.
function(ngae_add_cuda_module)
  find_package(CUDAToolkit REQUIRED)
  pybind11_add_module(_cuda MODULE NO_EXTRAS ${NGAE_CUDA_SOURCES})
  set_target_properties(_cuda PROPERTIES CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON
                                         CUDA_RUNTIME_LIBRARY Static)
  target_include_directories(_cuda PRIVATE cuda csrc)
  target_include_directories(_cuda SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
  target_compile_options(
    _cuda PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${NGAE_WARNINGS}>
                  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra
                  $<$<BOOL:${NGAE_WERROR}>:-Werror=all-warnings>>)
  if(NOT CMAKE_BUILD_TYPE MATCHES "Debug|RelWithDebInfo")
    pybind11_strip(_cuda)
  endif()
  install(TARGETS _cuda LIBRARY DESTINATION ngae)
endfunction()

string(TOUPPER "${NGAE_CUDA}" NGAE_CUDA)
if(NOT NGAE_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "NGAE_CUDA: expected AUTO, ON or OFF, found ${NGAE_CUDA}")
endif()
if(NOT NGAE_CUDA STREQUAL "OFF")
  ngae_find_nvcc()
  if(NOT NGAE_NVCC_PROBLEM)
    if(NOT CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
      ngae_cuda_architectures(CMAKE_CUDA_ARCHITECTURES)
    endif()
    enable_language(CUDA)
    ngae_add_cuda_module()
    message(STATUS "ngae._cuda: built by ${CMAKE_CUDA_COMPILER} for ${CMAKE_CUDA_ARCHITECTURES}")
  elseif(NGAE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "NGAE_CUDA=ON: ${NGAE_NVCC_PROBLEM}. Set CUDACXX to nvcc's path "
                        "(CUDAHOSTCXX to a compiler that it takes), or build with NGAE_CUDA=OFF.")
  else()
    message(STATUS "ngae._cuda: not built, ${NGAE_NVCC_PROBLEM}")
  endif()
endif()
