#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/load.h"
#include "config/bootstrap.h"
#include "config/diag.h"
#include "config/runtime.h"
#include "state/counter.h"

enum { CONFIG_MEMORY = 64 * 1024 };

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

/* The file that is taken where none is named, and nobody has made it yet. */
static void
hint_at_init(const char *file, struct diag *diag)
{
	if (!strcmp(file, SALLYPORT_CONFIG_FILE) && access(file, F_OK))
		diag_hint(diag,
		    "`sallyport init` makes a first one; -c FILE, or "
		    "SALLYPORT_CONFIG of a web server, names another");
}

static enum err
read_only(const char *file, enum load_mode mode, struct loaded *out)
{
	struct arena *arena = arena_new(CONFIG_MEMORY);

	*out = (struct loaded){
		.arena = arena, .tree = tree_new(arena), .diag = diag_new(arena)
	};
	if (mode == LOAD_LENIENT)
		diag_allow_unknown(out->diag);
	out->bootstrap = bootstrap_read(out->tree, file, out->diag);
	if (out->bootstrap && !diag_errors(out->diag))
		return ERR_OK;
	/* What compiling would find wrong is told in the same run. */
	if (out->bootstrap)
		(void)build(out, NULL, NULL);
	else
		hint_at_init(file, out->diag);
	return ERR_CONFIG;
}

/* Says what the diag has, and keeps the words. */
static void
say(struct loaded *l)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out) {
		diag_print(l->diag, stderr);
		return;
	}
	diag_print(l->diag, out);
	if (!fclose(out))
		l->said = arena_str(l->arena, (struct str){ text, len });
	if (l->said.len)
		(void)fwrite(l->said.ptr, 1, l->said.len, stderr);
	free(text);
}

enum err
load_read(const char *file, enum load_mode mode, struct loaded *out)
{
	enum err err = read_only(file, mode, out);

	if (err)
		say(out);
	return err;
}

enum err
load_build(struct loaded *l, struct state *state, const char *log)
{
	enum err err = build(l, state, log);

	say(l);
	tree_forget(l->tree);
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

enum err
load_quietly(const char *file, struct state *state, struct loaded *out)
{
	enum err err = read_only(file, LOAD_STRICT, out);

	return err ? err : build(out, state, NULL);
}

void
load_free(struct loaded *l)
{
	arena_free(l->arena);
	l->arena = NULL;
}
