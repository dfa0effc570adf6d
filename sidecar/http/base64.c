/* Base64 by table; four characters at a time, then the tail with its bits. */
#include "config.h"

#include "http/base64.h"

static const char std_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Values of both alphabets at once; 62 and 63 are told apart by the caller. */
static const signed char values[256] = {
	['A'] = 1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
	17,
	18,
	19,
	20,
	21,
	22,
	23,
	24,
	25,
	26,
	['a'] = 27,
	28,
	29,
	30,
	31,
	32,
	33,
	34,
	35,
	36,
	37,
	38,
	39,
	40,
	41,
	42,
	43,
	44,
	45,
	46,
	47,
	48,
	49,
	50,
	51,
	52,
	['0'] = 53,
	54,
	55,
	56,
	57,
	58,
	59,
	60,
	61,
	62,
	['+'] = 63,
	['-'] = 63,
	['/'] = 64,
	['_'] = 64,
};

/* Value of a character, or -1; the other alphabet's two are strangers. */
static int
value_of(char c, const char *strangers)
{
	if (c == strangers[0] || c == strangers[1])
		return -1;
	return values[(unsigned char)c] - 1;
}

static enum err
decode(struct arena *arena, struct str text, const char *strangers,
    struct str *out)
{
	char *bytes = arena_alloc(arena, text.len / 4 * 3 + 3);
	size_t len = 0;
	uint32_t bits = 0;
	unsigned n = 0;
	int value;

	for (size_t i = 0; i < text.len; i++) {
		value = value_of(text.ptr[i], strangers);
		if (value < 0)
			return ERR_BAD;
		bits = bits << 6 | (uint32_t)value;
		n += 6;
		if (n >= 8) {
			n -= 8;
			bytes[len++] = (char)(bits >> n & 0xff);
		}
	}
	if (n == 6 || (bits & ((1u << n) - 1)) != 0)
		return ERR_BAD;
	*out = (struct str){ bytes, len };
	return ERR_OK;
}

enum err
base64url_decode(struct arena *arena, struct str text, struct str *out)
{
	return decode(arena, text, "+/", out);
}

enum err
base64_decode(struct arena *arena, struct str text, struct str *out)
{
	size_t pad = 0;

	if (text.len % 4)
		return ERR_BAD;
	while (pad < 2 && pad < text.len && text.ptr[text.len - pad - 1] == '=')
		pad++;
	return decode(arena, str_slice(text, 0, text.len - pad), "-_", out);
}

/* Writes the text of the bytes from end on; returns where it ends. */
static char *
encode(struct str bytes, const char *alphabet, char *end)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	uint32_t bits = 0;
	unsigned n = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		bits = bits << 8 | p[i];
		for (n += 8; n >= 6;) {
			n -= 6;
			*end++ = alphabet[bits >> n & 63];
		}
	}
	if (n)
		*end++ = alphabet[bits << (6 - n) & 63];
	return end;
}

struct str
base64url_encode(struct arena *arena, struct str bytes)
{
	char *text = arena_alloc(arena, bytes.len / 3 * 4 + 5);
	char *end = encode(bytes, url_alphabet, text);

	return (struct str){ text, (size_t)(end - text) };
}

struct str
base64_encode(struct arena *arena, struct str bytes)
{
	char *text = arena_alloc(arena, bytes.len / 3 * 4 + 5);
	char *end = encode(bytes, std_alphabet, text);

	while ((end - text) % 4)
		*end++ = '=';
	return (struct str){ text, (size_t)(end - text) };
}
