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

// One step of eight walks side by side: the place among its moves where each goes on.
//
// With the values v_k = P_k w_k of the moves k of a walk, their largest m and the whole numbers W_k = floor(v_k 2^40/m), it is the number
// of sums W_0 + ... + W_k that do not exceed the high half of word (W_0 + W_1 + ...). Moves beyond the degree of a walk have the value 0.
//
// weights: of each walk, `stride` apart. chances: P of all moves of a walk, where `probabilities` is null. values, sums: room for eight
// numbers a move. words: of each walk, `block` apart.
typedef long long ctarget_whole_octet __attribute__((ext_vector_type(8)));

static inline __attribute__((always_inline)) void ctarget_choose(
    const int *__restrict columns, const double *__restrict probabilities, const double *__restrict weights, long stride,
    const long *__restrict firsts, const long *__restrict degrees, const double *__restrict chances,
    const unsigned long long *__restrict words, long block, double *__restrict values, long long *__restrict sums,
    long *__restrict places) {
  ctarget_octet *v = (ctarget_octet *)values;
  ctarget_whole_octet *s = (ctarget_whole_octet *)sums;
  long shortest = degrees[0], longest = degrees[0];
  ctarget_octet chance, most = 0;
  const int *rows[8];
  for (int l = 0; l < 8; l++) {
    if (degrees[l] < shortest) shortest = degrees[l];
    if (degrees[l] > longest) longest = degrees[l];
    chance[l] = chances[l];
    rows[l] = columns + firsts[l];
  }
  for (long k = 0; k < longest; k++) {
    ctarget_octet weight, own = chance;
    if (k < shortest) {
      for (int l = 0; l < 8; l++) weight[l] = weights[l * stride + rows[l][k]];
      if (probabilities)
        for (int l = 0; l < 8; l++) own[l] = probabilities[firsts[l] + k];
    } else {
      for (int l = 0; l < 8; l++) {
        const int inside = k < degrees[l];
        const long e = inside ? k : 0;
        weight[l] = inside ? weights[l * stride + rows[l][e]] : 0;
        if (probabilities) own[l] = probabilities[firsts[l] + e];
      }
    }
    v[k] = own * weight;
    most = __builtin_elementwise_max(most, v[k]);
  }
  const ctarget_octet scale = 0x1p40 / most;
  ctarget_whole_octet sum = 0;
  for (long k = 0; k < longest; k++) {
    // Added to 2^52 a whole number stands in the low bits.
    const ctarget_octet whole = __builtin_elementwise_floor(v[k] * scale) + 0x1p52;
    sum += (ctarget_whole_octet)whole & ((1LL << 52) - 1);
    s[k] = sum;
  }
  ctarget_whole_octet pointer, place = 0;
  for (int l = 0; l < 8; l++)
    pointer[l] = (long long)(((unsigned __int128)words[l * block] * (unsigned long long)sum[l]) >> 64);
  for (long k = 0; k < longest; k++) place -= s[k] <= pointer;
  for (int l = 0; l < 8; l++) places[l] = place[l];
}
