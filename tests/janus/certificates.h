/* tests/janus/certificates.h - a certificate authority that lives as long as the process.
 *
 * Its key never leaves memory; the CA certificate alone is written out. Server certificates are
 * issued for whatever name a client asks for (SNI) and kept, at most 256 of them.
 *
 * Names below badcert.test get a certificate with one defect each, for tests of verification:
 * expired, early (not yet valid), wrong-name, untrusted (by no CA), cn-only (no subjectAltName),
 * client-only (not for servers). Example: expired.badcert.test. */
#ifndef TESTS_JANUS_CERTIFICATES_H
#define TESTS_JANUS_CERTIFICATES_H

#include <openssl/ssl.h>

#include "tests/janus/sim.h"

struct certificates;

/* NULL, with the reason on standard error, if OpenSSL or the file at options->ca_out fails. */
struct certificates *certificates_new(const struct options *options);
void certificates_free(struct certificates *certificates);

/* A context that serves them: TLS 1.2 and 1.3, ALPN http/1.1, session tickets. The caller owns it;
 * `certificates` must outlive it. NULL if OpenSSL fails. */
SSL_CTX *certificates_context(struct certificates *certificates);

#endif
