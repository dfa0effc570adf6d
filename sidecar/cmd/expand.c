/* sallyport expand FILE: prints a configuration in Envoy's own form. */
#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/table.h"
#include "config/bootstrap.h"
#include "config/short.h"
#include "config/yaml.h"

#define TEXT_MAX (256U << 20)

static bool
print(const struct node *top, bool has_secrets)
{
	struct buf text;
	struct str bytes;
	bool ok;

	buf_init(&text, TEXT_MAX);
	ok = !node_print(top, &text);
	bytes = buf_bytes(&text);
	if (ok && has_secrets)
		ok = fputs("# This text contains secrets in clear.\n",
			 stdout) >= 0;
	if (ok)
		ok = fwrite(bytes.ptr, 1, bytes.len, stdout) == bytes.len &&
		     fflush(stdout) == 0;
	buf_free(&text);
	return ok;
}

/* The nodes in Envoy's form, or NULL after errors. */
static const struct node *
expand(
    struct arena *arena, const char *path, struct diag *diag, bool *has_secrets)
{
	const struct node *top = yaml_read(tree_new(arena), path, diag);

	if (top && short_is(top)) {
		*has_secrets = short_has_secrets(top);
		top = short_expand(arena, top, diag);
	}
	if (top)
		(void)bootstrap_decode(arena, top, diag);
	return diag_errors(diag) ? NULL : top;
}

int
cmd_expand(int argc, char **argv)
{
	struct arena *arena;
	struct diag *diag;
	const struct node *top;
	bool has_secrets = false;
	struct args args;
	int status = args_read(&args, cmd_find("expand"), argc, argv);

	if (status)
		return status;
	arena = arena_new(65536);
	diag = diag_new(arena);
	top = expand(arena, args_operand(&args, 0), diag, &has_secrets);
	diag_print(diag, stderr);
	if (!top)
		status = CMD_CONFIG;
	else if (!print(top, has_secrets))
		status = CMD_FAILED;
	arena_free(arena);
	return status;
}
