/* Texts and files of YAML and JSON. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "config/read.h"
#include "config/yaml_loader.h"

#define FILE_MAX (16U << 20)

static const struct node *
parse(struct loader *l, struct str text)
{
	const struct node *top;

	if (!yaml_parser_initialize(&l->parser))
		abort();
	yaml_parser_set_encoding(&l->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &l->parser, (const unsigned char *)text.ptr, text.len);
	top = yaml_document(l);
	yaml_parser_delete(&l->parser);
	free(l->stack);
	if (!top && !l->stopped)
		diag_error(l->diag, (struct place){ l->source, 1, 1 }, NULL,
		    "the file is empty");
	return top;
}

static struct source *
new_source(struct tree *tree, const char *name, struct str text)
{
	struct source *source = ARENA_NEW(tree_arena(tree), struct source);

	source->name = arena_cstr(tree_arena(tree), str_of(name));
	source->text = text;
	return source;
}

static struct str
without_mark(struct str text)
{
	return str_starts(text, STR("\xef\xbb\xbf"))
		   ? str_slice(text, 3, text.len)
		   : text;
}

static bool
is_small(struct str text, const char *name, struct diag *diag)
{
	if (text.len <= FILE_MAX)
		return true;
	diag_error(diag, (struct place){ 0 }, NULL, "%s: larger than %u MiB",
	    name, FILE_MAX >> 20);
	return false;
}

const struct node *
yaml_parse_tree(
    struct tree *tree, struct str text, const char *name, struct diag *diag)
{
	struct loader l = { .tree = tree, .diag = diag };

	if (!is_small(text, name, diag))
		return NULL;
	text = without_mark(text);
	l.source = new_source(tree, name, text);
	tree_keep_source(tree, l.source);
	return yaml_prepare(&l, name, &text) ? parse(&l, text) : NULL;
}

const struct node *
yaml_parse(
    struct arena *arena, struct str text, const char *name, struct diag *diag)
{
	return yaml_parse_tree(tree_new(arena), text, name, diag);
}

const struct node *
yaml_read(struct tree *tree, const char *path, struct diag *diag)
{
	struct str text;
	enum err err = read_file(tree_rest(tree), path, FILE_MAX, &text);

	if (!err)
		return yaml_parse_tree(tree, text, path, diag);
	diag_error(diag, (struct place){ 0 }, NULL, "%s: %s", path,
	    err == ERR_FULL ? "larger than 16 MiB" : strerror(errno));
	return NULL;
}
