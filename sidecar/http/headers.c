/* The header list. Messages have a few dozen fields, so it is searched. */
#include "config.h"

#include "http/headers.h"

void
headers_init(struct headers *h, struct arena *arena)
{
	*h = (struct headers){ .arena = arena };
}

void
headers_add(struct headers *h, struct str name, struct str value)
{
	struct header *bigger;
	size_t cap;

	if (h->n == h->cap) {
		cap = h->cap ? h->cap * 2 : 24;
		bigger = ARENA_ARRAY(h->arena, cap, struct header);
		if (h->n)
			memcpy(bigger, h->items, h->n * sizeof(*bigger));
		h->items = bigger;
		h->cap = cap;
	}
	h->items[h->n++] = (struct header){ name, value };
}

/* Position of the first field of that name from there on, or n. */
static size_t
find_from(const struct headers *h, struct str name, size_t from)
{
	while (from < h->n && !str_eq(h->items[from].name, name))
		from++;
	return from;
}

struct str
headers_get(const struct headers *h, struct str name)
{
	size_t at = find_from(h, name, 0);

	return at < h->n ? h->items[at].value : STR_NONE;
}

struct str
headers_nth(const struct headers *h, struct str name, size_t index)
{
	size_t at = find_from(h, name, 0);

	while (at < h->n && index--)
		at = find_from(h, name, at + 1);
	return at < h->n ? h->items[at].value : STR_NONE;
}

struct str
headers_joined(const struct headers *h, struct str name)
{
	struct str all = headers_get(h, name), next;

	for (size_t i = 1; all.ptr; i++) {
		next = headers_nth(h, name, i);
		if (!next.ptr)
			break;
		all = arena_printf(
		    h->arena, STR_FMT "," STR_FMT, STR_ARG(all), STR_ARG(next));
	}
	return all;
}

static size_t
remove_from(struct headers *h, struct str name, size_t from)
{
	size_t kept = find_from(h, name, from), n = h->n;

	for (size_t i = kept; i < n; i++)
		if (!str_eq(h->items[i].name, name))
			h->items[kept++] = h->items[i];
	h->n = kept;
	return n - kept;
}

size_t
headers_remove(struct headers *h, struct str name)
{
	return remove_from(h, name, 0);
}

void
headers_set(struct headers *h, struct str name, struct str value)
{
	size_t at = find_from(h, name, 0);

	if (at == h->n) {
		headers_add(h, name, value);
		return;
	}
	h->items[at].value = value;
	remove_from(h, name, at + 1);
}

/* Names of 63 bytes and more share a bit. */
static uint64_t
length_bit(struct str name)
{
	return UINT64_C(1) << (name.len < 63 ? name.len : 63);
}

static bool
is_among(struct str name, const struct str *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* Most fields are of a length that none of the names has. */
void
headers_remove_all(struct headers *h, const struct str *names, size_t n)
{
	uint64_t lengths = 0;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		lengths |= length_bit(names[i]);
	for (size_t i = 0; i < h->n; i++) {
		if (lengths & length_bit(h->items[i].name) &&
		    is_among(h->items[i].name, names, n))
			continue;
		if (kept != i)
			h->items[kept] = h->items[i];
		kept++;
	}
	h->n = kept;
}

size_t
headers_size(const struct headers *h)
{
	size_t size = 0;

	for (size_t i = 0; i < h->n; i++)
		size += h->items[i].name.len + h->items[i].value.len + 4;
	return size;
}

/* RFC 9110 section 5.6.2; a bit for each of the first 128 characters. */
static bool
is_tchar(unsigned char c)
{
	static const uint32_t set[4] = { 0, 0x03ff6cfa, 0xc7fffffe,
		0x57ffffff };

	return c < 128 && set[c / 32] >> (c % 32) & 1;
}

bool
header_name_is_valid(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];
		if ((c < 'a' || c > 'z') && c != '-' && !is_tchar(c))
			return false;
	}
	return name.len > 0;
}

bool
header_value_is_valid(struct str value)
{
	for (size_t i = str_find_control(value, 0); i < value.len;
	     i = str_find_control(value, i + 1))
		if (value.ptr[i] == '\r' || value.ptr[i] == '\n' ||
		    value.ptr[i] == '\0')
			return false;
	return true;
}

bool
header_is_writable(struct str name, struct str value)
{
	if (str_starts(name, STR(":")))
		name = str_slice(name, 1, name.len);
	return header_name_is_valid(name) && value.len > 0 &&
	       header_value_is_valid(value);
}

struct str
header_name_lower(struct arena *arena, struct str name)
{
	char *copy;
	size_t i;

	for (i = 0; i < name.len; i++)
		if (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z')
			break;
	if (i == name.len)
		return name;
	copy = arena_cstr(arena, name);
	for (; i < name.len; i++)
		copy[i] = ascii_lower(copy[i]);
	return (struct str){ copy, name.len };
}

struct str
header_name_sought(struct arena *arena, struct str name)
{
	struct str lower = header_name_lower(arena, name);

	return str_eq(lower, STR("host")) ? STR(":authority") : lower;
}

static void
remove_named_in_connection(struct headers *h)
{
	struct str rest, name;

	for (size_t i = 0; (rest = headers_nth(h, STR("connection"), i)).ptr;
	     i++) {
		while (rest.ptr) {
			name = str_trim(str_split(&rest, ','));
			name = header_name_lower(h->arena, name);
			if (name.len && name.ptr[0] != ':' &&
			    !str_eq(name, STR("connection")) &&
			    !str_eq(name, STR("te")))
				headers_remove(h, name);
		}
	}
}

void
headers_remove_hop_by_hop(struct headers *h)
{
	static const struct str names[] = { STR_INIT("connection"),
		STR_INIT("keep-alive"), STR_INIT("proxy-connection"),
		STR_INIT("transfer-encoding"), STR_INIT("upgrade") };

	remove_named_in_connection(h);
	headers_remove_all(h, names, sizeof(names) / sizeof(names[0]));
}
