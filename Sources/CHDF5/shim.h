// HDF5's constants are macros over function calls or casts, which Swift does not import: an accessor for each one used.
#pragma once
#include <hdf5.h>
#include <hdf5_hl.h>

static inline hid_t chdf5_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_dataset_transfer(void) { return H5P_DATASET_XFER; }
static inline hid_t chdf5_link_create(void) { return H5P_LINK_CREATE; }
static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned chdf5_readonly(void) { return H5F_ACC_RDONLY; }
static inline hid_t chdf5_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t chdf5_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t chdf5_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t chdf5_double_le(void) { return H5T_IEEE_F64LE; }
static inline hid_t chdf5_int64_le(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_uint64_le(void) { return H5T_STD_U64LE; }
static inline hid_t chdf5_c_string(void) { return H5T_C_S1; }
static inline hid_t chdf5_all(void) { return H5S_ALL; }
static inline hid_t chdf5_estack_default(void) { return H5E_DEFAULT; }
static inline size_t chdf5_variable(void) { return H5T_VARIABLE; }
