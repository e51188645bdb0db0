/*
 * What OpenSSL alone takes to seal and open what vrm seals and opens: the same bytes, with a key
 * that is set up already, in the same process.  bench/secrets/secrets.pl compiles it.
 */
#include "postgres.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <time.h>

#include "fmgr.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(bare_evp);

static double processor_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

static void require(int ok) {
  if (ok != 1) elog(ERROR, "OpenSSL has failed");
}

/* bare_evp(seals boolean, size integer, times integer) RETURNS float8: nanoseconds a value */
Datum bare_evp(PG_FUNCTION_ARGS) {
  const int seals = PG_GETARG_BOOL(0);
  const int size = PG_GETARG_INT32(1);
  const int times = PG_GETARG_INT32(2);
  unsigned char key[32] = {1}, nonce[12] = {2}, associated[12] = {3}, tag[16] = {0};
  unsigned char *const in = palloc0((Size)size + 1), *const out = palloc0((Size)size + 16);
  OSSL_PARAM params[2] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, 16),
                          OSSL_PARAM_construct_end()};
  EVP_CIPHER *const cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
  EVP_CIPHER_CTX *const context = EVP_CIPHER_CTX_new();
  int written = 0;
  double began;

  /* something that opens */
  require(EVP_CipherInit_ex2(context, cipher, key, nonce, 1, NULL));
  require(EVP_CipherUpdate(context, NULL, &written, associated, 12));
  require(EVP_CipherUpdate(context, out, &written, in, size));
  require(EVP_CipherFinal_ex(context, out, &written));
  require(EVP_CIPHER_CTX_get_params(context, params));
  if (!seals) memcpy(in, out, (Size)size);
  require(EVP_CipherInit_ex2(context, cipher, key, NULL, seals, NULL));

  began = processor_ns();
  for (int i = 0; i < times; ++i) {
    if (seals) memcpy(nonce, &i, sizeof i);
    require(EVP_CipherInit_ex2(context, NULL, NULL, nonce, seals, NULL));
    require(EVP_CipherUpdate(context, NULL, &written, associated, 12));
    require(EVP_CipherUpdate(context, out, &written, in, size));
    if (!seals) require(EVP_CIPHER_CTX_set_params(context, params));
    require(EVP_CipherFinal_ex(context, out, &written));
    if (seals) require(EVP_CIPHER_CTX_get_params(context, params));
  }
  began = (processor_ns() - began) / times;
  EVP_CIPHER_CTX_free(context);
  EVP_CIPHER_free(cipher);
  PG_RETURN_FLOAT8(began);
}
