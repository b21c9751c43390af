// MPI's constants are macros over casts, which Swift does not import: an accessor for each one used.
#pragma once
#include <mpi.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static inline MPI_Comm cmpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm cmpi_comm_self(void) { return MPI_COMM_SELF; }
static inline MPI_Request cmpi_request_null(void) { return MPI_REQUEST_NULL; }
static inline MPI_Errhandler cmpi_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Datatype cmpi_int64(void) { return MPI_INT64_T; }
static inline MPI_Datatype cmpi_double(void) { return MPI_DOUBLE; }
static inline MPI_Datatype cmpi_byte(void) { return MPI_BYTE; }
static inline MPI_Op cmpi_sum(void) { return MPI_SUM; }
static inline MPI_Op cmpi_max(void) { return MPI_MAX; }
static inline MPI_Op cmpi_bor(void) { return MPI_BOR; }
static inline MPI_Op cmpi_min(void) { return MPI_MIN; }
static inline int cmpi_proc_null(void) { return MPI_PROC_NULL; }
static inline void *cmpi_in_place(void) { return MPI_IN_PLACE; }
static inline MPI_Status *cmpi_status_ignore(void) { return MPI_STATUS_IGNORE; }

// Sleeps of this thread end as soon as they are over; by default Linux may be 50 microseconds late. (A variadic function, which Swift
// does not import.)
static inline void cmpi_wake_promptly(void) {
#ifdef __linux__
  prctl(PR_SET_TIMERSLACK, 1000ul, 0ul, 0ul, 0ul);
#endif
}

// A variable of C that Swift takes for shared mutable state.
extern char **environ;
static inline char **cmpi_environment(void) { return environ; }
