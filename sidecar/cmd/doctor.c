/*
 * sallyport doctor URL: sends marked requests through a web server to the
 * gateway, compares what it sees with what was sent, and says what to write
 * where. The mark is in the state file, so whoever may not write that gets
 * nothing from a gateway in this way.
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jsonpage.h"
#include "cmd/cmd.h"
#include "cmd/doctor.h"
#include "cmd/load.h"
#include "cmd/state.h"
#include "cmd/table.h"
#include "cmd/terminal.h"
#include "state/master.h"

enum {
	TIMEOUT_MS = 20 * 1000,
	BODY_LEN = 4 * 1000 * 1000,
	BODY_MAX = 1000 * 1000 * 1000,
	OUTPUT_MAX = 1024 * 1024,
	LABEL_WIDTH = 9,
	LINE_WIDTH = 79,
};

/* The URL taken apart; freed at the end of the process's work. */
struct place_asked {
	char site[512], host[320];
};

static int
refuse(const char *what, const char *why)
{
	(void)fprintf(stderr, "sallyport doctor: %s: %s\n", what, why);
	return CMD_USAGE;
}

static void
take_part(CURLU *url, CURLUPart part, unsigned flags, char *out, size_t size)
{
	char *text = NULL;

	out[0] = '\0';
	if (!curl_url_get(url, part, &text, flags))
		(void)snprintf(out, size, "%s", text);
	curl_free(text);
}

static int
split_url(
    CURLU *url, const char *text, struct doctor *d, struct place_asked *to)
{
	char scheme[16], host[256], port[16];
	size_t len;

	if (curl_url_set(url, CURLUPART_URL, text,
		CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME))
		return refuse(text, "this is no URL");
	take_part(url, CURLUPART_SCHEME, 0, scheme, sizeof(scheme));
	take_part(url, CURLUPART_HOST, 0, host, sizeof(host));
	take_part(url, CURLUPART_PORT, 0, port, sizeof(port));
	take_part(url, CURLUPART_PATH, 0, d->path, sizeof(d->path) - 1);
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		return refuse(text, "it begins neither with http:// nor with "
				    "https://");
	(void)snprintf(
	    to->host, sizeof(to->host), "%s%s%s", host, *port ? ":" : "", port);
	(void)snprintf(to->site, sizeof(to->site), "%s://%s", scheme, to->host);
	len = strlen(d->path);
	if (!len || d->path[len - 1] != '/')
		(void)snprintf(d->path + len, sizeof(d->path) - len, "/");
	d->site.url = to->site;
	d->site.host = to->host;
	return CMD_OK;
}

static int
read_options(const struct args *args, struct doctor *d, struct place_asked *to)
{
	const char *size = args_value(args, "--body", 0);
	const char *front = args_value(args, "--front", 0);
	CURLU *url = curl_url();
	uint64_t bytes = BODY_LEN;
	int status;

	if (!url)
		abort();
	status = split_url(url, args_operand(args, 0), d, to);
	curl_url_cleanup(url);
	if (status)
		return status;
	if (size && (!str_to_u64(str_of(size), &bytes) || bytes > BODY_MAX))
		return refuse(size, "--body is a number of bytes, at most "
				    "1000000000");
	d->body_len = (int64_t)bytes;
	d->server = SERVER_OTHER;
	if (front)
		d->server = server_by_name(str_of(front));
	if (front && d->server == SERVER_OTHER)
		return refuse(front,
		    "--front is lighttpd, apache, nginx, caddy or haproxy");
	d->site.insecure = args_value(args, "--insecure", 0);
	d->site.timeout_ms = TIMEOUT_MS;
	return CMD_OK;
}

/* ---- the socket, if the gateway is not reached ---- */

static void
note_config(void *arg, const struct master_report *m)
{
	(void)snprintf(arg, MASTER_CONFIG_MAX, "%s", m->config);
}

static void
count_one(void *arg, pid_t pid, int64_t joined_ns)
{
	size_t *n = arg;

	(void)pid;
	(void)joined_ns;
	++*n;
}

/* What connect says, or NULL if somebody listens. */
static const char *
try_socket(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0 || strlen(path) >= sizeof(at.sun_path))
		return "it cannot be tried";
	memcpy(at.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)))
		error = errno;
	(void)close(fd);
	return error ? strerror(error) : NULL;
}

static void
look_at_socket(struct doctor *d, const char *path)
{
	struct stat st;
	const char *why = try_socket(path);

	if (stat(path, &st))
		doctor_say(d, AILMENT_UNREACHABLE, DOCTOR_NOTE,
		    "The socket of the configuration, %s: %s", path,
		    strerror(errno));
	else if (why)
		doctor_say(d, AILMENT_UNREACHABLE, DOCTOR_NOTE,
		    "The socket of the configuration, %s: %s", path, why);
	else
		doctor_say(d, AILMENT_UNREACHABLE, DOCTOR_NOTE,
		    "On the socket of the configuration, %s (mode %04o, user "
		    "%u, group %u), somebody listens: the web server must name "
		    "this one, and its user must be able to write to it and to "
		    "enter every folder above it",
		    path, st.st_mode & 07777, st.st_uid, st.st_gid);
}

/* What this host says of a gateway that is not reached. */
static void
look_around(struct doctor *d, const char *config)
{
	char master[MASTER_CONFIG_MAX] = "";
	const struct conf_address *address;
	struct loaded l;
	size_t n = 0;

	state_processes(d->state, count_one, &n);
	if (n)
		doctor_say(d, AILMENT_UNREACHABLE, DOCTOR_NOTE,
		    "%zu gateway process%s with this state file", n,
		    n == 1 ? " runs" : "es run");
	else
		doctor_say(d, AILMENT_UNREACHABLE, DOCTOR_NOTE,
		    "No gateway process runs with this state file");
	masters_each(d->state, note_config, master);
	if (!config && !*master)
		return;
	if (!load_check(config ? config : master, LOAD_STRICT, &l)) {
		address = l.gateway->listener->address;
		if (address && address->pipe)
			look_at_socket(
			    d, arena_cstr(l.arena, address->pipe->path));
	}
	load_free(&l);
}

/* ---- saying it ---- */

static size_t
count(const struct doctor *d, enum severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->findings[i].severity == severity;
	return n;
}

static void
print_lines(const char *text, size_t indent)
{
	struct str rest = str_of(text);

	while (rest.ptr) {
		struct str line = str_split(&rest, '\n');

		(void)printf(
		    "%*s" STR_FMT "\n", (int)indent, "", STR_ARG(line));
	}
}

/* Words in lines, the first of which has begun. */
static void
print_words(const char *text)
{
	struct str rest = str_of(text);
	size_t column = LABEL_WIDTH;

	while (rest.ptr) {
		struct str word = str_split(&rest, ' ');

		if (column > LABEL_WIDTH && column + word.len > LINE_WIDTH) {
			(void)printf("\n%*s", LABEL_WIDTH - 1, "");
			column = LABEL_WIDTH;
		}
		(void)printf(" " STR_FMT, STR_ARG(word));
		column += 1 + word.len;
	}
	(void)fputc('\n', stdout);
}

static void
print_finding(const struct doctor *d, const struct finding *f)
{
	static const struct {
		const char *word;
		enum colour colour;
	} words[] = { [DOCTOR_FINE] = { "ok", COLOUR_GOOD },
		[DOCTOR_NOTE] = { "note", COLOUR_DOUBT },
		[DOCTOR_PROBLEM] = { "PROBLEM", COLOUR_BAD } };
	struct remedy r = remedy_for(f->ailment, d->server);

	(void)printf("%s%-*s%s", terminal_on(stdout, words[f->severity].colour),
	    LABEL_WIDTH - 1, words[f->severity].word, terminal_off(stdout));
	print_words(
	    f->severity == DOCTOR_FINE ? ailment_subject(f->ailment) : f->text);
	if (f->severity != DOCTOR_PROBLEM)
		return;
	print_lines("In", LABEL_WIDTH);
	print_lines(r.where, LABEL_WIDTH + 4);
	print_lines("write", LABEL_WIDTH);
	print_lines(r.write, LABEL_WIDTH + 4);
}

/* Of several targets that are fine one line is enough. */
static bool
is_repeated(const struct doctor *d, size_t at)
{
	for (size_t i = 0; i < d->n; i++)
		if (i != at &&
		    d->findings[i].ailment == d->findings[at].ailment &&
		    (i < at || d->findings[i].severity == DOCTOR_PROBLEM))
			return d->findings[at].severity == DOCTOR_FINE;
	return false;
}

static void
print_text(const struct doctor *d)
{
	size_t problems = count(d, DOCTOR_PROBLEM);

	if (d->is_reached)
		(void)printf("%s%s is answered by %s, and by gateway process "
			     "%lld\n\n",
		    d->site.url, d->path,
		    *d->software ? d->software : server_name(d->server),
		    (long long)d->pid);
	for (size_t i = 0; i < d->n; i++)
		if (!is_repeated(d, i))
			print_finding(d, &d->findings[i]);
	if (problems)
		(void)printf(
		    "\n%zu problem%s\n", problems, problems == 1 ? "" : "s");
	else
		(void)fputs("\nNothing is wrong.\n", stdout);
}

static void
write_finding(
    struct jsonpage *p, const struct doctor *d, const struct finding *f)
{
	static const char *const words[] = { [DOCTOR_FINE] = "ok",
		[DOCTOR_NOTE] = "note",
		[DOCTOR_PROBLEM] = "problem" };
	struct remedy r = remedy_for(f->ailment, d->server);

	json_open_map(p, NULL);
	json_put_string(p, "id", str_of(ailment_id(f->ailment)));
	json_put_string(p, "severity", str_of(words[f->severity]));
	json_put_string(p, "checked", str_of(ailment_subject(f->ailment)));
	if (f->severity != DOCTOR_FINE)
		json_put_string(p, "text", str_of(f->text));
	if (f->severity == DOCTOR_PROBLEM) {
		json_put_string(p, "where", str_of(r.where));
		json_put_string(p, "write", str_of(r.write));
	}
	json_close_map(p);
}

static bool
print_json(const struct doctor *d)
{
	struct buf text;
	struct jsonpage p = { .out = &text };
	struct str bytes;
	bool ok;

	buf_init(&text, OUTPUT_MAX);
	json_open_map(&p, NULL);
	json_put_string(&p, "url", str_of(d->site.url));
	json_put_string(&p, "path", str_of(d->path));
	json_put_bool(&p, "reached", d->is_reached);
	json_put_string(&p, "server", str_of(server_name(d->server)));
	json_put_string(&p, "software", str_of(d->software));
	json_put_number(&p, "problems", (double)count(d, DOCTOR_PROBLEM));
	json_open_list(&p, "findings");
	for (size_t i = 0; i < d->n; i++)
		write_finding(&p, d, &d->findings[i]);
	json_close_list(&p);
	json_close_map(&p);
	json_end(&p);
	bytes = buf_bytes(&text);
	ok = !p.err && fwrite(bytes.ptr, 1, bytes.len, stdout) == bytes.len;
	buf_free(&text);
	return ok;
}

static int
examine(struct doctor *d, const struct args *args)
{
	bool ok = true;

	if (mark_renew(d->state, clock_boot_now_ns(), d->mark)) {
		(void)fputs("sallyport doctor: the state file has no room for "
			    "a mark\n",
		    stderr);
		return CMD_UNAVAILABLE;
	}
	if (doctor_reach(d))
		doctor_examine(d);
	else
		look_around(d, args_value(args, "--config", 0));
	if (args_value(args, "--json", 0))
		ok = print_json(d);
	else
		print_text(d);
	if (!ok || fflush(stdout) || ferror(stdout))
		return CMD_FAILED;
	if (!d->is_reached)
		return CMD_UNAVAILABLE;
	return count(d, DOCTOR_PROBLEM) ? CMD_FAILED : CMD_OK;
}

int
cmd_doctor(int argc, char **argv)
{
	static struct doctor d;
	struct place_asked place;
	struct args args;
	int status = args_read(&args, cmd_find("doctor"), argc, argv);

	if (status)
		return status;
	if (curl_global_init(CURL_GLOBAL_ALL))
		return CMD_FAILED;
	d = (struct doctor){ .state = NULL };
	status = read_options(&args, &d, &place);
	if (!status && state_use(args_value(&args, "--state", 0), &d.state))
		status = CMD_UNAVAILABLE;
	if (!status) {
		status = examine(&d, &args);
		mark_drop(d.state);
		state_close(d.state);
	}
	curl_global_cleanup();
	return status;
}
