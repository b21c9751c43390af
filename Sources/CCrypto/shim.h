// The part of OpenSSL's libcrypto that is used: message digests and its error queue.
#pragma once
#include <openssl/err.h>
#include <openssl/evp.h>
