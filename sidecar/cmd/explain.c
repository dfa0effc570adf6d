/*
 * sallyport explain: what happens to a request, and by which lines of the
 * configuration. Nothing is sent and no file but the configuration is read.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/explanation.h"
#include "cmd/table.h"
#include "http/address.h"

enum { OUTPUT_MAX = 16 * 1024 * 1024, PARAMS_MAX = ARGS_MAX + 16 };

/* The request as a web server would hand it over. */
struct asked {
	struct arena *arena;
	struct cgi_param params[PARAMS_MAX];
	size_t n;
	struct str host; /* of the URL, or of a Host header */
};

static int
refuse(const char *what, const char *why)
{
	(void)fprintf(stderr, "sallyport explain: %s: %s\n", what, why);
	return CMD_USAGE;
}

static void
add_param(struct asked *a, const char *name, struct str value)
{
	a->params[a->n++] = (struct cgi_param){ str_of(name), value };
}

/* "https://host/path?query", or a path alone. */
static int
add_url(struct asked *a, const char *text)
{
	struct str url = str_of(text), path;
	struct str scheme = STR("http");
	size_t from = 0, to;

	url = str_slice(url, 0, str_find_char(url, '#', 0));
	if (str_starts_nocase(url, STR("http://")))
		from = strlen("http://");
	else if (str_starts_nocase(url, STR("https://")))
		from = strlen("https://"), scheme = STR("https");
	else if (url.len && url.ptr[0] != '/' && url.ptr[0] != '*')
		return refuse(text, "no http or https URL, and no path");
	for (to = from; from && to < url.len; to++)
		if (url.ptr[to] == '/' || url.ptr[to] == '?')
			break;
	a->host = from ? str_slice(url, from, to) : STR("localhost");
	if (!a->host.len)
		return refuse(text, "there is no host in it");
	path = str_slice(url, to, url.len);
	if (!path.len || path.ptr[0] == '?')
		path = ARENA_JOIN(a->arena, STR("/"), path);
	add_param(a, "REQUEST_SCHEME", scheme);
	add_param(a, "REQUEST_URI", path);
	return CMD_OK;
}

/* "X-Name" as HTTP_X_NAME. */
static struct str
param_name(struct arena *arena, struct str field)
{
	struct str name = ARENA_JOIN(arena, STR("HTTP_"), field);
	char *at = arena_cstr(arena, name);

	for (size_t i = 0; i < name.len; i++) {
		if (at[i] == '-')
			at[i] = '_';
		else if (at[i] >= 'a' && at[i] <= 'z')
			at[i] = (char)(at[i] - 'a' + 'A');
	}
	return (struct str){ at, name.len };
}

/* Fields of one name become one, as web servers hand them over. */
static void
add_field(struct asked *a, struct str name, struct str value)
{
	struct str param = param_name(a->arena, name);
	struct str comma =
	    str_eq(param, STR("HTTP_COOKIE")) ? STR("; ") : STR(", ");

	for (size_t i = 0; i < a->n; i++) {
		if (!str_eq(a->params[i].name, param))
			continue;
		a->params[i].value =
		    ARENA_JOIN(a->arena, a->params[i].value, comma, value);
		return;
	}
	a->params[a->n++] = (struct cgi_param){ param, value };
}

/* "Name: value" */
static int
add_header(struct asked *a, const char *text)
{
	struct str line = str_of(text);
	size_t colon = str_find_char(line, ':', 0);
	struct str name = str_slice(line, 0, colon);
	struct str value = str_trim(str_slice(line, colon + 1, line.len));

	if (colon == line.len || !header_name_is_valid(name) ||
	    !header_value_is_valid(value))
		return refuse(text, "a header is 'Name: value'");
	if (str_eq_nocase(name, STR("host")))
		a->host = value;
	else
		add_field(a, name, value);
	return CMD_OK;
}

/* "10.0.0.1", "10.0.0.1:5000", "::1", "[::1]:5000" */
static int
add_client(struct asked *a, const char *text)
{
	struct str all = str_of(text ? text : "127.0.0.1");
	struct str ip = all, port = STR("0");
	size_t end = str_find_char(all, ']', 0);
	struct address address;

	if (all.ptr[0] == '[' && end < all.len) {
		ip = str_slice(all, 1, end);
		port = str_slice(all, end + 2, all.len);
	} else if (!address_read(all, &address)) {
		end = str_find_char(all, ':', 0);
		ip = str_slice(all, 0, end);
		port = str_slice(all, end + 1, all.len);
	}
	if (!address_read(ip, &address))
		return refuse(text, "no IP address");
	add_param(a, "REMOTE_ADDR", ip);
	add_param(a, "REMOTE_PORT", port.len ? port : STR("0"));
	return CMD_OK;
}

static int
read_request(const struct args *args, struct asked *a)
{
	const char *header;
	int status;

	add_param(a, "REQUEST_METHOD", str_of(args_operand(args, 0)));
	add_param(a, "SERVER_PROTOCOL", STR("HTTP/1.1"));
	add_param(a, "CONTENT_LENGTH", STR("0"));
	status = add_url(a, args_operand(args, 1));
	if (!status)
		status = add_client(a, args_value(args, "--client", 0));
	for (size_t i = 0; !status; i++) {
		header = args_value(args, "--header", i);
		if (!header)
			break;
		status = add_header(a, header);
	}
	add_param(a, "HTTP_HOST", a->host);
	return status;
}

static int
print(const struct explanation *e, bool is_json)
{
	struct buf text;
	struct str bytes;
	enum err err;

	buf_init(&text, OUTPUT_MAX);
	err = is_json ? explanation_write_json(e, &text)
		      : explanation_write_text(e, &text);
	bytes = buf_bytes(&text);
	if (fwrite(bytes.ptr, 1, bytes.len, stdout) != bytes.len ||
	    fflush(stdout))
		err = ERR_SYSTEM;
	buf_free(&text);
	return err ? CMD_FAILED : CMD_OK;
}

static int
explain(const struct args *args, const struct asked *asked)
{
	const char *file = args_value(args, "--config", 0);
	struct state *state = state_private();
	struct explanation e;
	struct loaded l;
	int status = CMD_CONFIG;

	if (!state)
		return CMD_FAILED;
	if (!load_quietly(file ? file : SALLYPORT_CONFIG_FILE, state, &l)) {
		explanation_run(&e, &l, state, asked->params, asked->n);
		status = print(&e, args_value(args, "--json", 0));
		explanation_end(&e);
	} else {
		diag_print(l.diag, stderr);
	}
	load_free(&l);
	state_close(state);
	return status;
}

int
cmd_explain(int argc, char **argv)
{
	struct args args;
	struct asked asked = { .arena = NULL };
	int status = args_read(&args, cmd_find("explain"), argc, argv);

	if (status)
		return status;
	clock_update();
	asked.arena = arena_new(4096);
	status = read_request(&args, &asked);
	if (!status)
		status = explain(&args, &asked);
	arena_free(asked.arena);
	return status;
}
