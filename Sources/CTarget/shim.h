// What the compiler targets, which Swift's conditional compilation cannot ask.
#pragma once
#ifdef __AVX512F__
#define CTARGET_WIDE 1
#else
#define CTARGET_WIDE 0
#endif
