#include "config.h"

#include "cmd/load.h"
#include "config/bootstrap.h"
#include "config/diag.h"

enum { CONFIG_MEMORY = 64 * 1024 };

enum err
load_read(const char *file, struct loaded *out)
{
	struct arena *arena = arena_new(CONFIG_MEMORY);

	*out = (struct loaded){ .arena = arena, .diag = diag_new(arena) };
	out->bootstrap = bootstrap_read(arena, file, out->diag);
	if (out->bootstrap && !diag_errors(out->diag))
		return ERR_OK;
	diag_print(out->diag, stderr);
	return ERR_CONFIG;
}

enum err
load_build(struct loaded *l, struct state *state, const char *log)
{
	l->gateway = gateway_build(l->arena, l->bootstrap, state, l->diag);
	if (l->gateway) {
		l->clusters = clusters_build(l->arena, l->gateway, l->diag);
		l->log = access_log_build(l->arena, l->gateway, log, l->diag);
	}
	diag_print(l->diag, stderr);
	return l->gateway && l->clusters && l->log && !diag_errors(l->diag)
		   ? ERR_OK
		   : ERR_CONFIG;
}

void
load_free(struct loaded *l)
{
	arena_free(l->arena);
	l->arena = NULL;
}
