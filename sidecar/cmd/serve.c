/*
 * sallyport serve: a master with its workers. And the same without arguments
 * under a web server that has spawned the process: a worker on the socket
 * on descriptor 0, or one CGI request.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/table.h"
#include "front/cgi.h"
#include "front/listen.h"
#include "front/master.h"
#include "state/master.h"

enum { SOCKET_MODE = 0660 };

struct options {
	const char *config;
	const char *state; /* NULL: the default */
	const char *log;
	const char *listen[LISTEN_MAX];
	size_t n_listen;
	unsigned workers;
	enum load_mode mode;
};

static bool
set_workers(struct options *o, const char *value)
{
	uint64_t n;

	if (!str_to_u64(str_of(value), &n) || n == 0 || n > WORKERS_MAX)
		return false;
	o->workers = (unsigned)n;
	return true;
}

static int
set_log_level(const char *word, const char *from)
{
	enum log_level level;

	if (!log_level_read(word, &level)) {
		(void)fprintf(stderr,
		    "sallyport serve: %s is error, warning, info or debug, not "
		    "%s\n",
		    from, word);
		return CMD_USAGE;
	}
	log_set_level(level);
	return CMD_OK;
}

static int
read_options(int argc, char **argv, struct options *o)
{
	struct args args;
	int status = args_read(&args, cmd_find("serve"), argc, argv);
	const char *workers, *level;

	if (status)
		return status;
	level = args_value(&args, "--log-level", 0);
	if (level && set_log_level(level, "--log-level"))
		return CMD_USAGE;
	o->config = args_value(&args, "--config", 0);
	o->state = args_value(&args, "--state", 0);
	o->log = args_value(&args, "--access-log", 0);
	if (args_value(&args, "--allow-unknown-static-fields", 0))
		o->mode = LOAD_LENIENT;
	while (o->n_listen < LISTEN_MAX &&
	       (o->listen[o->n_listen] =
		       args_value(&args, "--listen", o->n_listen)))
		o->n_listen++;
	if (args_value(&args, "--listen", LISTEN_MAX)) {
		(void)fprintf(stderr,
		    "sallyport serve: more than %d times --listen\n",
		    LISTEN_MAX);
		return CMD_USAGE;
	}
	workers = args_value(&args, "--workers", 0);
	if (workers && !set_workers(o, workers)) {
		(void)fprintf(stderr,
		    "sallyport serve: --workers is a number from 1 to %d, not "
		    "%s\n",
		    WORKERS_MAX, workers);
		return CMD_USAGE;
	}
	return CMD_OK;
}

/* The shared state, or private memory where the default has no place. */
static struct state *
open_state(const char *path)
{
	struct state *state;
	const char *file = path ? path : SALLYPORT_STATE_FILE;

	if (!state_open(file, &state))
		return state;
	if (path)
		return NULL;
	log_warn("no state file: limits and breakers are kept in memory, "
		 "for this process and its workers only");
	return state_private();
}

/* "unix:PATH" or "HOST:PORT" of the file's listener; NULL if it has none. */
static const char *
listener_address(const struct loaded *l, unsigned *mode)
{
	const struct conf_listener *listener = l->gateway->listener;
	const struct conf_address *a = listener ? listener->address : NULL;
	const struct conf_socket_address *tcp = a ? a->socket_address : NULL;
	bool is_v6;

	if (a && a->pipe) {
		if (a->pipe->mode)
			*mode = a->pipe->mode;
		return arena_printf(
		    l->arena, "unix:" STR_FMT, STR_ARG(a->pipe->path))
		    .ptr;
	}
	if (!tcp)
		return NULL;
	is_v6 = str_find_char(tcp->address, ':', 0) < tcp->address.len;
	return arena_printf(l->arena,
	    is_v6 ? "[" STR_FMT "]:%u" : STR_FMT ":%u", STR_ARG(tcp->address),
	    tcp->port_value)
	    .ptr;
}

/* Opens all sockets; *text names them for the log. */
static enum err
open_sockets(const struct options *o, const struct loaded *l,
    struct listen_sockets *sockets, struct str *text)
{
	unsigned mode = SOCKET_MODE;
	const char *address;
	enum err err = listen_inherit(sockets);

	*text = sockets->n ? STR("inherited sockets") : STR_NONE;
	for (size_t i = 0; i < o->n_listen && !err; i++) {
		err = listen_open(sockets, o->listen[i], mode);
		*text = arena_printf(l->arena, STR_FMT "%s%s", STR_ARG(*text),
		    text->len ? ", " : "", o->listen[i]);
	}
	if (err || sockets->n)
		return err;
	address = listener_address(l, &mode);
	if (!address) {
		log_error("nothing to listen on: give --listen");
		return ERR_CONFIG;
	}
	*text = str_of(address);
	return listen_open(sockets, address, mode);
}

static unsigned
count_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

static struct worker
worker_of(const struct loaded *l, struct state *state,
    const struct listen_sockets *sockets)
{
	return (struct worker){ .gateway = l->gateway,
		.clusters = l->clusters,
		.log = l->log,
		.state = state,
		.sockets = sockets->fds,
		.n_sockets = sockets->n,
		.ready_fd = -1 };
}

/* What a master serves, and what it may serve next. */
struct serving {
	const struct options *options;
	struct state *state;
	struct listen_sockets sockets;
	struct loaded now, next;
	int id; /* in the list of masters */
};

/* All that is wrong with the file, or all warnings, once more as a text. */
static bool
load_next(void *arg, struct worker *worker, struct str *text)
{
	struct serving *s = arg;
	enum err err =
	    load_read(s->options->config, s->options->mode, &s->next);

	if (!err)
		err = load_build(&s->next, s->state, s->options->log);
	*text = s->next.said;
	if (err)
		return false;
	*worker = worker_of(&s->next, s->state, &s->sockets);
	return true;
}

static void
settle(void *arg, bool is_taken, struct str text)
{
	struct serving *s = arg;

	master_note(
	    s->state, s->id, is_taken ? MASTER_RELOADED : MASTER_REFUSED, text);
	if (is_taken) {
		load_free(&s->now);
		s->now = s->next;
		s->next = (struct loaded){ .arena = NULL };
	} else {
		load_free(&s->next);
	}
}

static int
run_master(struct serving *s)
{
	const struct options *o = s->options;
	struct master_options master = { .workers = o->workers ? o->workers
							       : count_cores(),
		.load = load_next,
		.settle = settle,
		.arg = s };
	struct str text;
	struct worker worker;
	pid_t pid = getpid();
	int status = CMD_FAILED;

	if (load_build(&s->now, s->state, o->log))
		return CMD_CONFIG;
	if (!open_sockets(o, &s->now, &s->sockets, &text)) {
		master.addresses = text.ptr;
		worker = worker_of(&s->now, s->state, &s->sockets);
		s->id = master_join(s->state, o->config, master.workers);
		status = master_run(&worker, &s->sockets, &master);
		if (pid == getpid())
			master_leave(s->state, s->id);
	}
	listen_close(&s->sockets);
	return status;
}

int
cmd_serve(int argc, char **argv)
{
	struct options o = { .workers = 0 };
	struct serving s = { .options = &o };
	int status = read_options(argc, argv, &o);

	if (status)
		return status;
	status = CMD_CONFIG;
	if (!load_read(o.config, o.mode, &s.now)) {
		status = CMD_FAILED;
		s.state = open_state(o.state);
		if (s.state) {
			status = run_master(&s);
			state_close(s.state);
		}
	}
	load_free(&s.now);
	load_free(&s.next);
	return status;
}

/* Environment variable, or NULL if it is unset or empty. */
static const char *
setting(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int
run_spawned(struct loaded *l, struct state *state)
{
	struct listen_sockets sockets = { .fds = { STDIN_FILENO }, .n = 1 };
	struct worker worker;

	if (load_build(l, state, setting("SALLYPORT_ACCESS_LOG")))
		return CMD_CONFIG;
	worker = worker_of(l, state, &sockets);
	if (!socket_listens(STDIN_FILENO))
		return cgi_run(&worker);
	if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK))
		return CMD_FAILED;
	return worker_run(&worker);
}

int
cmd_spawned(void)
{
	const char *file = setting("SALLYPORT_CONFIG");
	const char *level = setting("SALLYPORT_LOG_LEVEL");
	struct loaded l;
	struct state *state;
	int status = CMD_CONFIG;

	if (!socket_listens(STDIN_FILENO) && !setting("GATEWAY_INTERFACE")) {
		(void)fputs("sallyport: which command? See sallyport help. "
			    "Without one it runs only\n"
			    "where a web server starts it.\n",
		    stderr);
		return CMD_USAGE;
	}
	if (level && set_log_level(level, "SALLYPORT_LOG_LEVEL"))
		return CMD_USAGE;
	if (!load_read(file ? file : SALLYPORT_CONFIG_FILE, LOAD_STRICT, &l)) {
		status = CMD_FAILED;
		state = open_state(setting("SALLYPORT_STATE"));
		if (state) {
			status = run_spawned(&l, state);
			state_close(state);
		}
	}
	load_free(&l);
	return status;
}
