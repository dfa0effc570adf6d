/* DataSource: bytes of a file, of the configuration or of the environment. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "config/bootstrap.h"
#include "config/diag.h"
#include "config/read.h"

static struct str
file_data(struct arena *arena, struct diag *diag, const char *path,
    const struct conf_data_source *source, size_t max)
{
	struct str out;
	enum err err =
	    read_file(arena, arena_cstr(arena, source->filename), max, &out);

	if (!err)
		return out;
	if (err == ERR_FULL)
		diag_error(diag, source->node->place, path,
		    STR_FMT ": larger than %zu bytes",
		    STR_ARG(source->filename), max);
	else
		diag_error(diag, source->node->place, path, STR_FMT ": %s",
		    STR_ARG(source->filename), strerror(errno));
	return STR_NONE;
}

static struct str
environment_data(struct arena *arena, struct diag *diag, const char *path,
    const struct conf_data_source *source)
{
	char *name = arena_cstr(arena, source->environment_variable);
	const char *value = getenv(name);

	if (!value)
		diag_error(diag, source->node->place, path,
		    "environment variable %s is not set", name);
	return arena_str(arena, str_of(value));
}

static struct str
source_name(const struct conf_data_source *source)
{
	if (source->filename.ptr)
		return source->filename;
	if (source->environment_variable.ptr)
		return source->environment_variable;
	return STR("it");
}

struct str
bootstrap_text(struct arena *arena, struct diag *diag, const char *path,
    const struct conf_data_source *source, size_t max)
{
	struct str out = source->inline_string;

	if (source->filename.ptr)
		out = file_data(arena, diag, path, source, max);
	else if (source->environment_variable.ptr)
		out = environment_data(arena, diag, path, source);
	else if (source->inline_bytes.ptr)
		out = source->inline_bytes;
	if (out.len <= max)
		return out;
	diag_error(
	    diag, source->node->place, path, "larger than %zu bytes", max);
	return STR_NONE;
}

struct str
bootstrap_data(struct arena *arena, struct diag *diag, const char *path,
    const struct conf_data_source *source, size_t max)
{
	struct str out = bootstrap_text(arena, diag, path, source, max);

	if (!out.ptr || out.len)
		return out;
	diag_error(diag, source->node->place, path, "%s" STR_FMT " is empty",
	    source->environment_variable.ptr ? "environment variable " : "",
	    STR_ARG(source_name(source)));
	return STR_NONE;
}
