/* What a certificate says, for people. All of it comes from a stranger: it leaves here as printable
 * ASCII of a known length. */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "proxy/origin/tls_parts.h"

enum { NAMES_SHOWN = 4, ONE_NAME_MAX = 80 };

/* RFC 2253's form escapes control bytes and everything beyond ASCII. */
const char *tls_name_words(const X509_NAME *name, char out[TLS_NAME_MAX])
{
    BIO *memory = BIO_new(BIO_s_mem());
    int n = 0;

    if (memory && X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253) > 0)
        n = BIO_read(memory, out, TLS_NAME_MAX - 1);
    BIO_free(memory);
    out[n > 0 ? n : 0] = '\0';
    if (n <= 0)
        snprintf(out, TLS_NAME_MAX, "(no name)");
    return out;
}

const char *tls_date_words(const ASN1_TIME *date, char out[TLS_DATE_MAX])
{
    struct tm parts;

    if (ASN1_TIME_to_tm(date, &parts) != 1 ||
        strftime(out, TLS_DATE_MAX, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(out, TLS_DATE_MAX, "(no date)");
    return out;
}

/* False for kinds of names that no host is looked for among. */
static bool name_words(const GENERAL_NAME *name, char out[ONE_NAME_MAX])
{
    const ASN1_STRING *value = name->type == GEN_DNS     ? name->d.dNSName
                               : name->type == GEN_IPADD ? name->d.iPAddress
                                                         : NULL;
    const unsigned char *bytes = value ? ASN1_STRING_get0_data(value) : NULL;
    int len = value ? ASN1_STRING_length(value) : 0;

    if (!value)
        return false;
    if (name->type == GEN_DNS)
        text_printable((struct text){ (const char *)bytes, (size_t)len }, out, ONE_NAME_MAX);
    else if (len == 4 || len == 16)
        inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, out, ONE_NAME_MAX);
    else
        snprintf(out, ONE_NAME_MAX, "(an address of %d bytes)", len);
    return true;
}

const char *tls_names_words(const X509 *certificate, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char one[ONE_NAME_MAX];
    size_t used = 0;
    int n = 0;

    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (!name_words(sk_GENERAL_NAME_value(names, i), one) || ++n > NAMES_SHOWN)
            continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", n > 1 ? ", " : "", one);
        if (used >= size)
            used = size - 1;
    }
    if (n > NAMES_SHOWN)
        snprintf(out + used, size - used, " and %d more", n - NAMES_SHOWN);
    if (n == 0)
        snprintf(out, size, "no host at all (a CN is not looked at)");
    GENERAL_NAMES_free(names);
    return out;
}
