/* Reads the header section of a response. */
#include "config.h"

#include "upstream/head.h"

unsigned
head_status(struct str raw)
{
	const char *p = raw.ptr;
	unsigned status = 0;

	if (raw.len < 13 || !str_starts(raw, STR("HTTP/1.")) ||
	    !ascii_is_digit(p[7]) || p[8] != ' ')
		return 0;
	for (size_t i = 9; i < 12; i++) {
		if (!ascii_is_digit(p[i]))
			return 0;
		status = status * 10 + (unsigned)(p[i] - '0');
	}
	if (p[12] != ' ' && p[12] != '\r' && p[12] != '\n')
		return 0;
	return status >= 100 ? status : 0;
}

/* Cuts the next line off *rest, without its end. */
static struct str
next_line(struct str *rest)
{
	struct str line = str_split(rest, '\n');

	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool
is_folded(struct str line)
{
	return line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
}

/* Takes out the line ends within a field that was folded; its length then. */
static size_t
unfold(char *at, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (at[i] != '\n' &&
		    !(at[i] == '\r' && i + 1 < len && at[i + 1] == '\n'))
			at[n++] = at[i];
	return n;
}

/* A field with the lines folded into it; block is what *rest is cut from. */
static struct str
next_field(struct str *rest, char *block)
{
	struct str field = next_line(rest), line;
	bool folded = false;

	while (rest->ptr && is_folded(*rest)) {
		line = next_line(rest);
		field.len = (size_t)(line.ptr + line.len - field.ptr);
		folded = true;
	}
	if (folded)
		field.len = unfold(block + (field.ptr - block), field.len);
	return field;
}

static enum err
add_field(struct headers *out, size_t max, struct str field, char *name_at)
{
	size_t colon = str_find_char(field, ':', 0);
	struct str name = str_slice(field, 0, colon);
	struct str value = str_trim(str_slice(field, colon + 1, field.len));

	if (colon == field.len || !header_name_is_valid(name) ||
	    !header_value_is_valid(value))
		return ERR_BAD;
	if (out->n > max)
		return ERR_FULL;
	for (size_t i = 0; i < name.len; i++)
		name_at[i] = ascii_lower(name_at[i]);
	headers_add(out, name, value);
	return ERR_OK;
}

/* Whether the fields leave no doubt where the body ends. */
static const char *
framing_fault(const struct headers *h)
{
	struct str length = headers_get(h, STR("content-length"));
	struct str coding = headers_get(h, STR("transfer-encoding"));
	uint64_t n = 0;

	if (length.ptr && coding.ptr)
		return "both content-length and transfer-encoding";
	if (coding.ptr && (!str_eq_nocase(coding, STR("chunked")) ||
			      headers_nth(h, STR("transfer-encoding"), 1).ptr))
		return "a transfer-encoding that is not chunked";
	if (headers_nth(h, STR("content-length"), 1).ptr)
		return "more than one content-length";
	if (length.ptr && (!str_to_u64(length, &n) || n > INT64_MAX))
		return "a content-length that is not a number";
	if (str_eq(headers_get(h, STR(":status")), STR("204")) &&
	    (coding.ptr || n > 0))
		return "a body where none can be";
	return NULL;
}

/* A CR alone ends nothing; what stands behind it would be lost. */
static bool
is_empty_line(struct str rest)
{
	return str_starts(rest, STR("\n")) || str_starts(rest, STR("\r\n"));
}

enum err
head_parse(struct str raw, size_t max, struct headers *out, const char **reason)
{
	char *block = arena_cstr(out->arena, raw);
	struct str rest = { block, raw.len }, field;
	enum err err;

	*reason = "a malformed status line";
	if (!head_status(raw))
		return ERR_BAD;
	field = next_line(&rest);
	headers_add(out, STR(":status"), str_slice(field, 9, 12));
	*reason = "a malformed header field";
	while (rest.ptr && rest.len && !is_empty_line(rest)) {
		if (is_folded(rest))
			return ERR_BAD;
		field = next_field(&rest, block);
		err = add_field(out, max, field, block + (field.ptr - block));
		if (err)
			return err;
	}
	*reason = framing_fault(out);
	return *reason ? ERR_BAD : ERR_OK;
}
