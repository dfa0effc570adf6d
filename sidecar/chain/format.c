/*
 * Substitution formats: a text is compiled into pieces, each literal bytes
 * or an operator; a json_format into its own tree with texts as leaves.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "chain/exchange.h"
#include "chain/format.h"
#include "chain/metadata.h"
#include "chain/route.h"
#include "config/bootstrap.h"

enum { VALUE_MAX = 64 * 1024 };

struct piece;

/* An operator's value; absent if there is none for this exchange. */
typedef struct str get_fn(const struct piece *, const struct exchange *);

enum args { ARGS_NONE, ARGS_REQUIRED, ARGS_OPTIONAL };

struct command {
	const char *name;
	enum args args;
	bool number; /* typed as a number in json_format */
	get_fn *get;
};

struct piece {
	const struct command *op; /* NULL: literal */
	struct str text; /* literal, or the operator's argument */
	struct str first, second; /* header names of "X?Y" */
	size_t max_len; /* SIZE_MAX: no limit */
};

struct format {
	struct piece *pieces;
	size_t n;
	bool omit_empty;
	/* json_format instead of pieces */
	const struct node *json;
	struct json_leaf *leaves; /* scalars of json in walking order */
	size_t n_leaves;
	struct str content_type;
};

struct json_leaf {
	const struct node *node;
	const struct format *format;
};

/* ---- operators ---- */

static struct str
number(const struct exchange *x, int64_t value)
{
	return arena_printf(x->arena, "%lld", (long long)value);
}

static struct str
two_headers(const struct headers *h, const struct piece *p)
{
	struct str value = headers_get(h, p->first);

	return value.ptr || !p->second.ptr ? value : headers_get(h, p->second);
}

static struct str
get_request_header(const struct piece *p, const struct exchange *x)
{
	return two_headers(&x->request, p);
}

static struct str
get_response_header(const struct piece *p, const struct exchange *x)
{
	return two_headers(&x->response, p);
}

static struct str
get_protocol(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->peer.protocol;
}

static struct str
get_code(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return number(x, exchange_status(x));
}

static struct str
get_details(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->details;
}

static struct str
get_flags(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return exchange_flags_text(x->arena, x->flags);
}

static struct str
get_received(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return number(x, (int64_t)x->bytes_received);
}

static struct str
get_sent(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return number(x, (int64_t)x->bytes_sent);
}

static struct str
span_ms(const struct exchange *x, int64_t until_ns)
{
	return until_ns ? number(x, (until_ns - x->start_ns) / NS_PER_MS)
			: STR_NONE;
}

static struct str
get_duration(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return span_ms(x, clock_boot_ns());
}

static struct str
get_request_duration(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return span_ms(x, x->upload_end_ns);
}

static struct str
get_response_duration(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return span_ms(x, x->upstream_headers_ns);
}

/* %1f to %9f become that many digits of the fraction; strftime does the rest. */
static struct str
start_time(const struct piece *p, const struct exchange *x)
{
	time_t seconds = (time_t)(x->start_wall_ns / NS_PER_S);
	char format[128], out[256], digits[32];
	size_t n = 0, width;
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)snprintf(digits, sizeof(digits), "%09lld",
	    (long long)(x->start_wall_ns % NS_PER_S));
	for (size_t i = 0; i < p->text.len && n + 10 < sizeof(format); i++) {
		const char *at = p->text.ptr + i;
		if (*at == '%' && i + 2 < p->text.len && at[1] >= '1' &&
		    at[1] <= '9' && at[2] == 'f') {
			width = (size_t)(at[1] - '0');
			memcpy(format + n, digits, width);
			n += width;
			i += 2;
			continue;
		}
		format[n++] = *at;
		if (*at == '%' && i + 1 < p->text.len)
			format[n++] = p->text.ptr[++i];
	}
	format[n] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = strftime(out, sizeof(out), format, &tm);
#pragma GCC diagnostic pop
	return arena_str(x->arena, (struct str){ out, n });
}

static struct str
get_start_time(const struct piece *p, const struct exchange *x)
{
	time_t seconds = (time_t)(x->start_wall_ns / NS_PER_S);
	struct tm tm;

	if (p->text.len)
		return start_time(p, x);
	(void)gmtime_r(&seconds, &tm);
	return arena_printf(x->arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, (int)(x->start_wall_ns % NS_PER_S / NS_PER_MS));
}

static struct str
get_upstream_host(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->upstream_host;
}

static struct str
get_upstream_cluster(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->cluster ? x->cluster->name : STR_NONE;
}

static struct str
get_route_name(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->route && x->route->name.len ? x->route->name : STR_NONE;
}

static struct str
with_port(const struct exchange *x, struct str address, struct str port)
{
	bool v6 = str_find_char(address, ':', 0) < address.len;

	if (!address.ptr)
		return STR_NONE;
	return arena_printf(x->arena,
	    v6 ? "[" STR_FMT "]:" STR_FMT : STR_FMT ":" STR_FMT,
	    STR_ARG(address), STR_ARG(port.ptr ? port : STR("0")));
}

static struct str
get_client_address(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->client_address;
}

static struct str
get_client(const struct piece *p, const struct exchange *x)
{
	bool is_peer = str_eq(x->client_address, x->peer.address);

	(void)p;
	return with_port(
	    x, x->client_address, is_peer ? x->peer.port : STR_NONE);
}

static struct str
get_peer_address(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->peer.address;
}

static struct str
get_peer(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return with_port(x, x->peer.address, x->peer.port);
}

static struct str
get_local(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return with_port(x, x->peer.local_address, x->peer.local_port);
}

static struct str
get_local_address(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->peer.local_address;
}

static struct str
get_local_port(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->peer.local_port;
}

static struct str
get_failure(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->failure_text;
}

static struct str
get_attempts(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->attempts ? number(x, x->attempts) : STR_NONE;
}

static struct str
get_local_body(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->local_body;
}

static struct str
get_metadata(const struct piece *p, const struct exchange *x)
{
	struct str rest = p->text, ns = str_split(&rest, ':'), name = rest;
	char *dotted;

	if (!name.ptr)
		return STR_NONE;
	dotted = arena_cstr(x->arena, name);
	for (size_t i = 0; i < name.len; i++)
		if (dotted[i] == ':')
			dotted[i] = '.';
	return metadata_get(x, ns, (struct str){ dotted, name.len });
}

static struct str
get_environment(const struct piece *p, const struct exchange *x)
{
	const char *value = getenv(arena_cstr(x->arena, p->text));

	return value && *value ? str_of(value) : STR_NONE;
}

static struct str
get_hostname(const struct piece *p, const struct exchange *x)
{
	char name[256];

	(void)p;
	if (gethostname(name, sizeof(name) - 1))
		return STR_NONE;
	name[sizeof(name) - 1] = '\0';
	return arena_str(x->arena, str_of(name));
}

static const struct command operators[] = {
	{ "REQ", ARGS_REQUIRED, false, get_request_header },
	{ "REQUEST_HEADER", ARGS_REQUIRED, false, get_request_header },
	{ "RESP", ARGS_REQUIRED, false, get_response_header },
	{ "RESPONSE_HEADER", ARGS_REQUIRED, false, get_response_header },
	{ "PROTOCOL", ARGS_NONE, false, get_protocol },
	{ "RESPONSE_CODE", ARGS_NONE, true, get_code },
	{ "RESPONSE_CODE_DETAILS", ARGS_NONE, false, get_details },
	{ "RESPONSE_FLAGS", ARGS_NONE, false, get_flags },
	{ "BYTES_RECEIVED", ARGS_NONE, true, get_received },
	{ "BYTES_SENT", ARGS_NONE, true, get_sent },
	{ "DURATION", ARGS_NONE, true, get_duration },
	{ "REQUEST_DURATION", ARGS_NONE, true, get_request_duration },
	{ "RESPONSE_DURATION", ARGS_NONE, true, get_response_duration },
	{ "START_TIME", ARGS_OPTIONAL, false, get_start_time },
	{ "UPSTREAM_HOST", ARGS_NONE, false, get_upstream_host },
	{ "UPSTREAM_CLUSTER", ARGS_NONE, false, get_upstream_cluster },
	{ "UPSTREAM_REMOTE_ADDRESS", ARGS_NONE, false, get_upstream_host },
	{ "UPSTREAM_REQUEST_ATTEMPT_COUNT", ARGS_NONE, true, get_attempts },
	{ "UPSTREAM_TRANSPORT_FAILURE_REASON", ARGS_NONE, false, get_failure },
	{ "ROUTE_NAME", ARGS_NONE, false, get_route_name },
	{ "DOWNSTREAM_REMOTE_ADDRESS", ARGS_NONE, false, get_client },
	{ "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", ARGS_NONE, false,
	    get_client_address },
	{ "DOWNSTREAM_DIRECT_REMOTE_ADDRESS", ARGS_NONE, false, get_peer },
	{ "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", ARGS_NONE, false,
	    get_peer_address },
	{ "DOWNSTREAM_LOCAL_ADDRESS", ARGS_NONE, false, get_local },
	{ "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", ARGS_NONE, false,
	    get_local_address },
	{ "DOWNSTREAM_LOCAL_PORT", ARGS_NONE, true, get_local_port },
	{ "LOCAL_REPLY_BODY", ARGS_NONE, false, get_local_body },
	{ "DYNAMIC_METADATA", ARGS_REQUIRED, false, get_metadata },
	{ "ENVIRONMENT", ARGS_REQUIRED, false, get_environment },
	{ "HOSTNAME", ARGS_NONE, false, get_hostname },
};

/* ---- compiling ---- */

struct compiling {
	struct arena *arena;
	struct diag *diag;
	struct place place;
	struct format *format;
	size_t cap;
	struct str text;
};

static struct piece *
add_piece(struct compiling *c)
{
	struct format *f = c->format;
	struct piece *bigger;

	if (f->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 4;
		bigger = ARENA_ARRAY(c->arena, c->cap, struct piece);
		if (f->n)
			memcpy(bigger, f->pieces, f->n * sizeof(*bigger));
		f->pieces = bigger;
	}
	f->pieces[f->n].max_len = SIZE_MAX;
	return &f->pieces[f->n++];
}

static bool
is_command_char(char c)
{
	return (c >= 'A' && c <= 'Z') || ascii_is_digit(c) || c == '_';
}

static const struct command *
find_operator(struct str name)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (str_eq(str_of(operators[i].name), name))
			return &operators[i];
	return NULL;
}

static bool
takes_headers(const struct command *op)
{
	return op->get == get_request_header || op->get == get_response_header;
}

/* "X?Y" in lower case; false if there are more than two. */
static bool
split_headers(struct compiling *c, struct piece *p)
{
	struct str rest = header_name_lower(c->arena, p->text);

	p->first = str_split(&rest, '?');
	p->second = rest.ptr ? str_split(&rest, '?') : STR_NONE;
	return !rest.ptr;
}

static bool
fail(struct compiling *c, size_t at, const char *why, struct str name)
{
	diag_error(c->diag, c->place, NULL,
	    "Incorrect configuration: " STR_FMT ". %s" STR_FMT
	    " at position %zu",
	    STR_ARG(c->text), why, STR_ARG(name), at);
	return false;
}

/* The operator that begins behind the % at *at; moves *at behind its end. */
static bool
compile_operator(struct compiling *c, size_t *at)
{
	struct str s = c->text, name, len_text;
	size_t begin = *at, i = begin, close;
	struct piece *p = add_piece(c);
	uint64_t len;

	while (i < s.len && is_command_char(s.ptr[i]))
		i++;
	name = str_slice(s, begin, i);
	if (i < s.len && s.ptr[i] == '(') {
		close = str_find_char(s, ')', i);
		if (close == s.len)
			return fail(c, begin, "Missing )", STR(""));
		p->text = str_slice(s, i + 1, close);
		i = close + 1;
	}
	if (i < s.len && s.ptr[i] == ':') {
		close = str_find_char(s, '%', i);
		len_text = str_slice(s, i + 1, close);
		if (!str_to_u64(len_text, &len))
			return fail(c, begin, "Not a length: ", len_text);
		p->max_len = (size_t)len;
		i = close;
	}
	if (!name.len || i >= s.len || s.ptr[i] != '%')
		return fail(c, begin, "Couldn't find valid command", STR(""));
	*at = i + 1;
	p->op = find_operator(name);
	if (!p->op)
		return fail(
		    c, begin, "Not supported field in StreamInfo: ", name);
	if (p->op->args == ARGS_REQUIRED && !p->text.len)
		return fail(c, begin, "Parameters are required by ", name);
	if (p->op->args == ARGS_NONE && p->text.ptr)
		return fail(c, begin, "No parameters are taken by ", name);
	if (takes_headers(p->op) && !split_headers(c, p))
		return fail(c, begin,
		    "More than 1 alternative header specified in token: ",
		    p->text);
	return true;
}

static bool
compile(struct compiling *c)
{
	struct str s = c->text;
	size_t at = 0, next;

	while (at < s.len) {
		next = str_find_char(s, '%', at);
		if (next > at)
			add_piece(c)->text = str_slice(s, at, next);
		if (next == s.len)
			break;
		at = next + 1;
		if (at < s.len && s.ptr[at] == '%') {
			add_piece(c)->text = str_slice(s, at, at + 1);
			at++;
		} else if (!compile_operator(c, &at)) {
			return false;
		}
	}
	return true;
}

static struct format *
compile_text(struct arena *arena, struct str text, const struct node *node,
    struct diag *diag)
{
	struct compiling c = { .arena = arena,
		.diag = diag,
		.place = node ? node->place : (struct place){ 0 },
		.format = ARENA_NEW(arena, struct format),
		.text = arena_str(arena, text.ptr ? text : STR("")) };

	return compile(&c) ? c.format : NULL;
}

const struct format *
format_text(struct arena *arena, struct str text, const struct node *node,
    struct diag *diag)
{
	return compile_text(arena, text, node, diag);
}

static size_t
count_leaves(const struct node *node)
{
	size_t n = 0;

	if (node->kind == NODE_SCALAR || node->kind == NODE_NULL)
		return 1;
	for (size_t i = 0; i < node->n; i++)
		n += count_leaves(node->items[i].value);
	return n;
}

static bool
is_text(const struct node *node)
{
	return node->kind == NODE_SCALAR &&
	       (node->quoted ||
		   str_find_char(node->scalar, '%', 0) < node->scalar.len);
}

static bool
compile_leaves(struct arena *arena, struct format *f, const struct node *node,
    struct diag *diag)
{
	struct json_leaf *leaf;

	if (node->kind == NODE_LIST || node->kind == NODE_MAP) {
		for (size_t i = 0; i < node->n; i++)
			if (!compile_leaves(
				arena, f, node->items[i].value, diag))
				return false;
		return true;
	}
	leaf = &f->leaves[f->n_leaves++];
	leaf->node = node;
	if (is_text(node))
		leaf->format = compile_text(arena, node->scalar, node, diag);
	return leaf->format || !is_text(node);
}

static int
by_key(const void *a, const void *b)
{
	return str_cmp(((const struct node_item *)a)->key,
	    ((const struct node_item *)b)->key);
}

/* Envoy sorts the properties of a json_format by name. */
static const struct node *
sorted(struct arena *arena, const struct node *node)
{
	struct node *copy;

	if (node->kind != NODE_MAP && node->kind != NODE_LIST)
		return node;
	copy = ARENA_NEW(arena, struct node);
	*copy = *node;
	copy->items = ARENA_ARRAY(arena, node->n + 1, struct node_item);
	for (size_t i = 0; i < node->n; i++) {
		copy->items[i] = node->items[i];
		copy->items[i].value = sorted(arena, node->items[i].value);
	}
	if (node->kind == NODE_MAP)
		qsort(copy->items, copy->n, sizeof(*copy->items), by_key);
	return copy;
}

const struct format *
format_json(struct arena *arena, const struct node *node, struct diag *diag)
{
	struct format *f = ARENA_NEW(arena, struct format);

	f->json = sorted(arena, node);
	f->content_type = STR("application/json");
	f->leaves =
	    ARENA_ARRAY(arena, count_leaves(f->json) + 1, struct json_leaf);
	return compile_leaves(arena, f, f->json, diag) ? f : NULL;
}

const struct format *
format_build(
    struct arena *arena, const struct conf_format *conf, struct diag *diag)
{
	struct format *f;
	struct str text = conf->text_format;

	if (conf->json_format) {
		f = (struct format *)(uintptr_t)format_json(
		    arena, conf->json_format, diag);
	} else {
		if (conf->text_format_source)
			text = bootstrap_data(arena, diag, NULL,
			    conf->text_format_source, VALUE_MAX);
		f = compile_text(arena, text, conf->node, diag);
		if (f)
			f->content_type = STR("text/plain");
	}
	if (!f)
		return NULL;
	f->omit_empty = conf->omit_empty_values;
	if (conf->content_type.len)
		f->content_type = conf->content_type;
	return f;
}

struct str
format_content_type(const struct format *f)
{
	return f->content_type;
}

/* ---- rendering ---- */

static struct str
piece_value(const struct piece *p, const struct exchange *x)
{
	struct str value;

	if (!p->op)
		return p->text;
	value = p->op->get(p, x);
	return value.ptr ? str_slice(value, 0, p->max_len) : value;
}

static enum err
render_text(const struct format *f, const struct exchange *x, struct str absent,
    struct buf *out)
{
	struct str value;
	enum err err = ERR_OK;

	for (size_t i = 0; i < f->n && !err; i++) {
		value = piece_value(&f->pieces[i], x);
		err = buf_append(out, value.ptr ? value : absent);
	}
	return err;
}

/* A lone operator keeps its type; anything else is a string. */
static enum err
render_typed(const struct format *f, const struct exchange *x, bool omit_empty,
    struct buf *out)
{
	struct buf text;
	struct str value;
	enum err err;

	if (f->n == 1 && f->pieces[0].op) {
		value = piece_value(&f->pieces[0], x);
		if (!value.ptr)
			return buf_append(out, STR("null"));
		return f->pieces[0].op->number ? buf_append(out, value)
					       : json_append_string(out, value);
	}
	buf_init(&text, VALUE_MAX);
	err = render_text(f, x, omit_empty ? STR("") : STR("-"), &text);
	if (!err)
		err = json_append_string(out, buf_bytes(&text));
	buf_free(&text);
	return err;
}

static enum err
render_scalar(const struct format *f, const struct json_leaf *leaf,
    const struct exchange *x, struct buf *out)
{
	if (leaf->format)
		return render_typed(leaf->format, x, f->omit_empty, out);
	return node_print_json(leaf->node, out);
}

static enum err
render_json(const struct format *f, const struct node *node, size_t *leaf,
    const struct exchange *x, struct buf *out)
{
	bool map = node->kind == NODE_MAP;
	enum err err;

	if (!map && node->kind != NODE_LIST)
		return render_scalar(f, &f->leaves[(*leaf)++], x, out);
	err = buf_append_byte(out, map ? '{' : '[');
	for (size_t i = 0; i < node->n && !err; i++) {
		if (i)
			err = buf_append_byte(out, ',');
		if (!err && map)
			err = json_append_string(out, node->items[i].key);
		if (!err && map)
			err = buf_append_byte(out, ':');
		if (!err)
			err =
			    render_json(f, node->items[i].value, leaf, x, out);
	}
	return err ? err : buf_append_byte(out, map ? '}' : ']');
}

enum err
format_render(const struct format *f, const struct exchange *x, struct buf *out)
{
	size_t leaf = 0;
	enum err err;

	if (!f->json)
		return render_text(
		    f, x, f->omit_empty ? STR("") : STR("-"), out);
	err = render_json(f, f->json, &leaf, x, out);
	return err ? err : buf_append_byte(out, '\n');
}

struct str
format_value(const struct format *f, const struct exchange *x)
{
	struct buf text;
	struct str out;

	if (f->n == 1)
		return piece_value(&f->pieces[0], x);
	buf_init(&text, VALUE_MAX);
	out = render_text(f, x, STR(""), &text)
		  ? STR_NONE
		  : arena_str(x->arena, buf_bytes(&text));
	buf_free(&text);
	return out;
}
