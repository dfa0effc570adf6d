/* Certificates by way of OpenSSL. */
#include "config.h"

#include <arpa/inet.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "http/certificate.h"

enum { PEM_MAX = 64 * 1024 };

/* Undoes percent-encoding and leaves tabs out; '+' stays, base64 has it. */
static struct str
plain_pem(struct arena *arena, struct str s)
{
	char *out = arena_alloc(arena, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		int byte = str_percent(s, i);

		if (byte >= 0) {
			out[n++] = (char)byte;
			i += 2;
		} else if (s.ptr[i] != '\t') {
			out[n++] = s.ptr[i];
		}
	}
	return (struct str){ out, n };
}

static struct str
bio_text(struct arena *arena, BIO *bio)
{
	char *text;
	long len = BIO_get_mem_data(bio, &text);

	if (len <= 0)
		return STR("");
	return arena_str(arena, (struct str){ text, (size_t)len });
}

static struct str
pem_of(struct arena *arena, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct str text = STR("");

	if (bio && PEM_write_bio_X509(bio, cert) == 1)
		text = bio_text(arena, bio);
	(void)BIO_free(bio);
	return text;
}

static struct str
name_of(struct arena *arena, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct str text = STR("");

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
		text = bio_text(arena, bio);
	(void)BIO_free(bio);
	return text;
}

static struct str
hex(struct arena *arena, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_alloc(arena, 2 * n + 1);

	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return (struct str){ text, 2 * n };
}

static struct str
hash_of(struct arena *arena, X509 *cert, const EVP_MD *kind)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (X509_digest(cert, kind, hash, &len) != 1)
		return STR("");
	return hex(arena, hash, len);
}

static struct str
serial_of(struct arena *arena, X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	int len = ASN1_STRING_length(serial);

	return len > 0 ? hex(arena, ASN1_STRING_get0_data(serial), (size_t)len)
		       : STR("");
}

static int64_t
seconds_of(const ASN1_TIME *when)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int64_t seconds = -1;
	int days, rest;

	if (epoch && ASN1_TIME_diff(&days, &rest, epoch, when) == 1)
		seconds = (int64_t)days * 86400 + rest;
	ASN1_TIME_free(epoch);
	return seconds;
}

static void
add_name(struct arena *arena, struct str *names, size_t *n,
    const ASN1_IA5STRING *value)
{
	int len = ASN1_STRING_length(value);

	if (*n == CERTIFICATE_NAMES_MAX || len < 0)
		return;
	names[(*n)++] = arena_str(
	    arena, (struct str){ (const char *)ASN1_STRING_get0_data(value),
		       (size_t)len });
}

static void
join(struct arena *arena, struct str *list, struct str more)
{
	if (!more.len)
		return;
	*list = list->len ? arena_printf(arena, STR_FMT "," STR_FMT,
				STR_ARG(*list), STR_ARG(more))
			  : arena_str(arena, more);
}

static struct str
string_of(const ASN1_STRING *s)
{
	int len = ASN1_STRING_length(s);

	return (struct str){ (const char *)ASN1_STRING_get0_data(s),
		len > 0 ? (size_t)len : 0 };
}

static void
add_address(
    struct arena *arena, struct certificate *out, const ASN1_STRING *bytes)
{
	char text[INET6_ADDRSTRLEN];
	int len = ASN1_STRING_length(bytes);

	if ((len == 4 || len == 16) &&
	    inet_ntop(len == 4 ? AF_INET : AF_INET6,
		ASN1_STRING_get0_data(bytes), text, sizeof(text)))
		join(arena, &out->addresses, str_of(text));
}

static void
add_other(struct arena *arena, struct certificate *out, const OTHERNAME *other)
{
	if (other->value->type == V_ASN1_UTF8STRING)
		join(arena, &out->others,
		    string_of(other->value->value.utf8string));
}

static void
read_names(struct arena *arena, X509 *cert, struct certificate *out)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const GENERAL_NAME *name;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_URI)
			add_name(arena, out->uris, &out->n_uris,
			    name->d.uniformResourceIdentifier);
		else if (name->type == GEN_DNS)
			add_name(arena, out->dns, &out->n_dns, name->d.dNSName);
		else if (name->type == GEN_EMAIL)
			join(
			    arena, &out->emails, string_of(name->d.rfc822Name));
		else if (name->type == GEN_IPADD)
			add_address(arena, out, name->d.iPAddress);
		else if (name->type == GEN_OTHERNAME)
			add_other(arena, out, name->d.otherName);
	}
	GENERAL_NAMES_free(names);
}

bool
certificate_read(struct arena *arena, struct str pem, struct certificate *out)
{
	struct str plain;
	X509 *cert = NULL;
	BIO *bio;

	*out = (struct certificate){ .n_uris = 0 };
	if (!pem.len || pem.len > PEM_MAX)
		return false;
	plain = plain_pem(arena, pem);
	bio = BIO_new_mem_buf(plain.ptr, (int)plain.len);
	if (bio)
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	(void)BIO_free(bio);
	if (!cert)
		return false;
	out->pem = pem_of(arena, cert);
	out->hash = hash_of(arena, cert, EVP_sha256());
	out->sha1 = hash_of(arena, cert, EVP_sha1());
	out->subject = name_of(arena, X509_get_subject_name(cert));
	out->issuer = name_of(arena, X509_get_issuer_name(cert));
	out->serial = serial_of(arena, cert);
	out->begins = seconds_of(X509_get0_notBefore(cert));
	out->ends = seconds_of(X509_get0_notAfter(cert));
	read_names(arena, cert, out);
	X509_free(cert);
	return true;
}
