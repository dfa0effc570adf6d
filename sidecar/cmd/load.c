#include "config.h"

#include "cmd/load.h"
#include "config/bootstrap.h"
#include "config/diag.h"
#include "config/runtime.h"
#include "state/counter.h"

enum { CONFIG_MEMORY = 64 * 1024 };

static enum err
read_only(const char *file, enum load_mode mode, struct loaded *out)
{
	struct arena *arena = arena_new(CONFIG_MEMORY);

	*out = (struct loaded){ .arena = arena, .diag = diag_new(arena) };
	if (mode == LOAD_LENIENT)
		diag_allow_unknown(out->diag);
	out->bootstrap = bootstrap_read(arena, file, out->diag);
	return out->bootstrap && !diag_errors(out->diag) ? ERR_OK : ERR_CONFIG;
}

static enum err
build(struct loaded *l, struct state *state, const char *log)
{
	l->gateway = gateway_build(l->arena, l->bootstrap, state, l->diag);
	if (l->gateway) {
		l->clusters = clusters_build(l->arena, l->gateway, l->diag);
		l->log = access_log_build(l->arena, l->gateway, log, l->diag);
		runtime_tell_unread(diag_runtime(l->diag), l->diag);
	}
	return l->gateway && l->clusters && l->log && !diag_errors(l->diag)
		   ? ERR_OK
		   : ERR_CONFIG;
}

enum err
load_read(const char *file, enum load_mode mode, struct loaded *out)
{
	enum err err = read_only(file, mode, out);

	if (err)
		diag_print(out->diag, stderr);
	return err;
}

enum err
load_build(struct loaded *l, struct state *state, const char *log)
{
	enum err err = build(l, state, log);

	diag_print(l->diag, stderr);
	if (!err && state)
		counter_add(state,
		    counter_find(state, STR("server.static_unknown_fields")),
		    diag_unknowns(l->diag));
	return err;
}

enum err
load_check(const char *file, enum load_mode mode, struct loaded *out)
{
	enum err err = read_only(file, mode, out);

	return err ? err : build(out, NULL, NULL);
}

void
load_free(struct loaded *l)
{
	arena_free(l->arena);
	l->arena = NULL;
}
