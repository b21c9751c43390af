// What Swift 6.3 cannot say: what the compiler targets, and operations on whole vectors, which it takes apart into scalars.
#pragma once
#ifdef __AVX512F__
#define CTARGET_WIDE 1
#else
#define CTARGET_WIDE 0
#endif

// Swift's SIMD8<Double>, SIMD8<Float> and SIMD16<Float>.
typedef double ctarget_octet __attribute__((ext_vector_type(8)));
typedef float ctarget_float_octet __attribute__((ext_vector_type(8)));
typedef float ctarget_floats __attribute__((ext_vector_type(16)));

static inline __attribute__((always_inline)) ctarget_octet ctarget_add_product(
    ctarget_octet sum, ctarget_octet x, ctarget_octet y) {
  return __builtin_elementwise_fma(x, y, sum);
}

static inline __attribute__((always_inline)) ctarget_octet ctarget_product(ctarget_octet x, ctarget_octet y) {
  return x * y;
}

static inline __attribute__((always_inline)) ctarget_octet ctarget_square_root(ctarget_octet x) {
  return __builtin_elementwise_sqrt(x);
}

static inline __attribute__((always_inline)) ctarget_octet ctarget_double_octet(ctarget_float_octet x) {
  return __builtin_convertvector(x, ctarget_octet);
}

static inline __attribute__((always_inline)) ctarget_floats ctarget_add_float_product(
    ctarget_floats sum, ctarget_floats x, ctarget_floats y) {
  return __builtin_elementwise_fma(x, y, sum);
}

static inline __attribute__((always_inline)) ctarget_floats ctarget_float_product(ctarget_floats x, ctarget_floats y) {
  return x * y;
}

// About 1/sqrt(x) of positive numbers, to 3.5%: half of the exponent, and a line for the mantissa.
static inline __attribute__((always_inline)) ctarget_octet ctarget_inverse_root_guess(ctarget_octet x) {
  typedef unsigned long long words __attribute__((ext_vector_type(8)));
  return (ctarget_octet)(0x5fe6eb50c7b537a9ULL - ((words)x >> 1));
}
