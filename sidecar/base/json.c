/* JSON strings from arbitrary bytes. */
#include "config.h"

#include "base/json.h"

/* Length of the well-formed UTF-8 sequence at p (Unicode table 3-7), or 0. */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (n < len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static enum err
append_escape(struct buf *b, unsigned char c)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; i + 1 < sizeof(shorts); i += 2) {
		char pair[2] = { '\\', shorts[i + 1] };
		if ((unsigned char)shorts[i] == c)
			return buf_append(b, (struct str){ pair, 2 });
	}
	return buf_printf(b, "\\u%04x", c);
}

enum err
json_append_string(struct buf *b, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t i = 0, plain = 0, len;
	enum err err = buf_append_byte(b, '"');

	while (!err && i < s.len) {
		len = utf8_len(p + i, s.len - i);
		if (len && p[i] >= ' ' && p[i] != '"' && p[i] != '\\' &&
		    p[i] != 0x7f) {
			i += len;
			continue;
		}
		err = buf_append(b, str_slice(s, plain, i));
		if (!err)
			err = len ? append_escape(b, p[i])
				  : buf_append(b, STR("\xef\xbf\xbd"));
		plain = ++i;
	}
	if (!err)
		err = buf_append(b, str_slice(s, plain, s.len));
	return err ? err : buf_append_byte(b, '"');
}
