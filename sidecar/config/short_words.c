/* Words of the short form: hosts, tokens, methods, and where they stand. */
#include "config.h"

#include <arpa/inet.h>

#include "config/short_check.h"

struct place
short_place(const struct node *map, const char *field)
{
	const struct node *value = node_get(map, field);

	return value ? value->place : map->place;
}

struct place
short_item_place(const struct node *map, const char *field, size_t i)
{
	const struct node *list = node_get(map, field);

	return list && list->kind == NODE_LIST && i < list->n
		   ? list->items[i].value->place
		   : map->place;
}

bool
short_is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alpha(s.ptr[i]) && !ascii_is_digit(s.ptr[i]) &&
		    (!s.ptr[i] || !strchr("!#$%&'*+-.^_`|~", s.ptr[i])))
			return false;
	return s.len > 0;
}

static struct str
upper(struct short_pass *p, struct str s)
{
	char *copy = arena_cstr(p->arena, s);

	for (size_t i = 0; i < s.len; i++)
		if (copy[i] >= 'a' && copy[i] <= 'z')
			copy[i] = (char)(copy[i] - 'a' + 'A');
	return (struct str){ copy, s.len };
}

bool
short_contains(const conf_strings *list, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list->items[i], s))
			return true;
	return false;
}

void
short_check_methods(struct short_pass *p, const char *at,
    const struct node *node, const conf_strings *methods)
{
	for (size_t i = 0; i < methods->n; i++) {
		struct str m = methods->items[i];
		struct place place = short_item_place(node, "methods", i);

		if (!m.ptr)
			continue;
		if (!short_is_token(m))
			diag_error(p->diag, place, at,
			    "'" STR_FMT "' is no method", STR_ARG(m));
		else if (!str_eq(upper(p, m), m)) {
			diag_error(p->diag, place, at,
			    "methods are written in upper case");
			diag_hint(
			    p->diag, "write " STR_FMT, STR_ARG(upper(p, m)));
		} else if (short_contains(methods, i, m))
			diag_error(p->diag, place, at,
			    "'" STR_FMT "' stands here twice", STR_ARG(m));
	}
}

bool
short_is_ip(struct short_pass *p, struct str host)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	const char *text = arena_cstr(p->arena, host);

	return inet_pton(AF_INET, text, bytes) == 1 ||
	       inet_pton(AF_INET6, text, bytes) == 1;
}

static bool
is_host_name(struct str host)
{
	for (size_t i = 0; i < host.len; i++)
		if (!ascii_is_alpha(host.ptr[i]) &&
		    !ascii_is_digit(host.ptr[i]) && host.ptr[i] != '-' &&
		    host.ptr[i] != '.' && host.ptr[i] != '_')
			return false;
	return host.len > 0 && host.len <= 253;
}

bool
short_split_host(
    struct short_pass *p, struct str text, struct str *host, uint32_t *port)
{
	size_t end = str_find_char(text, ':', 0);
	uint64_t number;

	if (str_starts(text, STR("["))) {
		end = str_find_char(text, ']', 0);
		*host = str_slice(text, 1, end);
		if (end == text.len || !short_is_ip(p, *host))
			return false;
		end++;
	} else {
		*host = str_slice(text, 0, end);
		if (!is_host_name(*host))
			return false;
	}
	if (end >= text.len)
		return true;
	if (text.ptr[end] != ':' ||
	    !str_to_u64(str_slice(text, end + 1, text.len), &number) ||
	    number < 1 || number > 65535)
		return false;
	*port = (uint32_t)number;
	return true;
}

struct str
short_lower(struct short_pass *p, struct str s)
{
	char *copy = arena_cstr(p->arena, s);

	for (size_t i = 0; i < s.len; i++)
		copy[i] = ascii_lower(copy[i]);
	return (struct str){ copy, s.len };
}
