/*
 * Prints what the manual has from tables: sallyport-filters(7) from the
 * registry of filters ("filters"), and the fields of Envoy's messages that are
 * refused or have no effect, for sallyport-from-envoy(7) ("stances").
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/filter.h"
#include "chain/router_rules.h"
#include "config/api.h"
#include "config/model.h"

enum { MESSAGES_MAX = 256 };

/* Messages in messages, in the order they are met; each is printed once. */
struct page {
	FILE *out;
	const struct schema_message *messages[MESSAGES_MAX];
	size_t n;
};

/* Text in which nothing is a macro or an escape. */
static void
put_text(const struct page *page, const char *text)
{
	bool begins = true;

	for (; *text; text++) {
		if (begins && (*text == '.' || *text == '\''))
			(void)fputs("\\&", page->out);
		if (*text == '\\')
			(void)fputs("\\e", page->out);
		else if (*text == '-')
			(void)fputs("\\-", page->out);
		else
			(void)fputc(*text, page->out);
		begins = *text == '\n';
	}
}

/* A message's full name, in lines that may end behind its dots. */
static void
put_name(const struct page *page, const char *before, const char *name,
    const char *after)
{
	(void)fputs(before, page->out);
	for (; *name; name++) {
		(void)fputc(*name, page->out);
		if (*name == '.')
			(void)fputs("\\:", page->out);
	}
	(void)fputs(after, page->out);
}

/* "StringMatcher" of "envoy.type.matcher.v3.StringMatcher". */
static const char *
last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

static void
put_line(const struct page *page, const char *before, const char *text,
    const char *after)
{
	(void)fputs(before, page->out);
	put_text(page, text);
	(void)fputs(after, page->out);
}

/* The messages that enforced fields hold go to the list. */
static void
note_message(struct page *page, const struct schema_message *message)
{
	for (size_t i = 0; i < page->n; i++)
		if (page->messages[i] == message)
			return;
	if (page->n == MESSAGES_MAX)
		abort();
	page->messages[page->n++] = message;
}

static const char *
type_word(const struct schema_field *f)
{
	switch (f->type) {
	case SCHEMA_BOOL:
		return "true or false";
	case SCHEMA_U32:
	case SCHEMA_U64:
	case SCHEMA_I64:
	case SCHEMA_DOUBLE:
		return "number";
	case SCHEMA_STR:
		return "text";
	case SCHEMA_BYTES:
		return "base64";
	case SCHEMA_DURATION:
		return "duration";
	case SCHEMA_ENUM:
		return "word";
	case SCHEMA_MESSAGE:
		return last_part(f->message->name);
	case SCHEMA_ANY:
		return "message with @type";
	case SCHEMA_NODE:
		return "anything";
	}
	return "";
}

static void
put_choices(const struct page *page, const struct schema_choice *c)
{
	const char *between = "One of ";

	for (; c && c->name; c++) {
		if (c->refused)
			continue;
		put_line(page, between, c->name, "");
		between = ", ";
	}
	(void)fputs(".\n", page->out);
}

static void
put_refused_choices(const struct page *page, const struct schema_choice *c)
{
	for (; c && c->name; c++) {
		if (!c->refused)
			continue;
		put_line(page, "Refused is ", c->name, "");
		put_line(page, ": ", c->refused, ".\n");
	}
}

/* Bounds of numbers and durations, the default. */
static void
put_limits(const struct page *page, const struct schema_field *f)
{
	const char *unit = f->type == SCHEMA_DURATION ? " s" : "";

	if (f->min != 0 || f->max != 0)
		(void)fprintf(page->out, "From %.10g%s to %.10g%s.\n", f->min,
		    unit, f->max, unit);
	if (f->required)
		(void)fputs("It is required.\n", page->out);
	if (f->fallback)
		put_line(page, "By default ", f->fallback, ".\n");
}

static bool
ends_a_sentence(const char *text)
{
	return *text && text[strlen(text) - 1] == '.';
}

static void
put_sentences(const struct page *page, const char *text)
{
	char first[2] = { (char)toupper((unsigned char)*text), '\0' };

	if (!*text)
		return;
	put_line(page, "", first, "");
	put_line(page, "", text + 1, ends_a_sentence(text) ? "\n" : ".\n");
}

static void
put_field(struct page *page, const struct schema_field *f)
{
	put_line(page, ".It Va ", f->name, "");
	(void)fprintf(page->out, " Pq %s",
	    f->label == SCHEMA_LIST  ? "list of "
	    : f->label == SCHEMA_MAP ? "map of "
				     : "");
	put_line(page, "", type_word(f), "\n");
	if (f->text)
		put_sentences(page, f->text);
	if (f->choices) {
		put_choices(page, f->choices);
		put_refused_choices(page, f->choices);
	}
	put_limits(page, f);
	if (f->type == SCHEMA_MESSAGE)
		note_message(page, f->message);
}

static bool
has_row(const struct schema_message *message, const char *name)
{
	for (const struct schema_field *f = message->fields; f->name; f++)
		if (!strcmp(f->name, name))
			return true;
	return false;
}

/* Fields of a stance, and Envoy's that have no row here. */
static void
put_reasons(const struct page *page, const struct schema_message *message,
    enum schema_stance stance, const char *title)
{
	const struct api_message *api = api_find(str_of(message->name));
	bool any = false;

	for (const struct schema_field *f = message->fields; f->name; f++) {
		if (f->stance != stance)
			continue;
		(void)fputs(any ? "" : title, page->out);
		any = true;
		put_line(page, ".It Va ", f->name, "\n");
		put_sentences(page, f->text ? f->text : "");
	}
	for (size_t i = 0; stance == SCHEMA_REFUSED && api && i < api->n_fields;
	     i++) {
		const struct api_field *f = &api_fields[api->field + i];
		if (has_row(message, f->name))
			continue;
		(void)fputs(any ? "" : title, page->out);
		any = true;
		put_line(page, ".It Va ", f->name, "\n");
		(void)fputs(f->disallowed ? "Envoy refuses it, too.\n"
					  : "Not known here.\n",
		    page->out);
	}
	if (any)
		(void)fputs(".El\n", page->out);
}

static void
put_fields(struct page *page, const struct schema_message *message)
{
	bool any = false;

	for (const struct schema_field *f = message->fields; f->name; f++) {
		if (f->stance != SCHEMA_ENFORCED)
			continue;
		if (!any)
			(void)fputs(".Bl -tag -width Ds\n", page->out);
		any = true;
		put_field(page, f);
	}
	(void)fputs(any ? ".El\n" : "It has no fields.\n", page->out);
	put_reasons(page, message, SCHEMA_DELEGATED,
	    ".Pp\nAccepted without effect:\n.Bl -tag -width Ds\n");
	put_reasons(page, message, SCHEMA_REFUSED,
	    ".Pp\nRefused:\n.Bl -tag -width Ds\n");
}

static void
put_filter(struct page *page, const struct filter *filter)
{
	put_line(page, ".Ss ", filter->name, "\n");
	put_sentences(page, filter->text);
	if (filter->short_form) {
		(void)fputs(".Pp\nIn the short form:\n.Dl ", page->out);
		put_line(page, "", filter->short_form, "\n");
	}
	put_name(page, ".Pp\nIts configuration is ", filter->conf->name, ":\n");
	put_fields(page, filter->conf);
	if (filter->held)
		note_message(page, filter->held);
	if (!filter->route_conf)
		(void)fputs(".Pp\nRoutes cannot change it.\n", page->out);
	else if (filter->route_conf == filter->conf)
		(void)fputs(
		    ".Pp\nA route may have the same of its own.\n", page->out);
	else {
		put_name(page, ".Pp\nA route may have ",
		    filter->route_conf->name, ":\n");
		put_fields(page, filter->route_conf);
	}
}

static const char head[] =
    ".Dd November 26, 2026\n"
    ".Dt SALLYPORT-FILTERS 7\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm sallyport-filters\n"
    ".Nd the filters of Sallyport, and every field of them\n"
    ".Sh DESCRIPTION\n"
    "A request passes the filters of\n"
    ".Va http_filters\n"
    "in the order they are written and ends at the router; the answer passes\n"
    "them in reverse.\n"
    "A filter whose name begins with envoy is Envoy's and behaves as there.\n"
    "One whose name begins with sallyport is ours: it is written as a\n"
    "DynamicModuleFilter of the module sallyport, with its name in\n"
    ".Va filter_name ,\n"
    "and runs in a stock Envoy, too, that finds libsallyport.so.\n"
    ".Pp\n"
    "The short form has fewer words for the most common of it;\n"
    ".Dl sallyport expand FILE\n"
    "prints what it stands for.\n"
    "Fields may be written in snake_case or lowerCamelCase.\n"
    "A field that is refused is an error with its place in the file, never\n"
    "left out without a word.\n"
    "What a field of type message holds is in\n"
    ".Sx MESSAGES .\n";

static const char tail[] = ".Sh SEE ALSO\n"
			   ".Xr sallyport 1 ,\n"
			   ".Xr sallyport-from-envoy 7 ,\n"
			   ".Xr sallyport-fronts 7\n";

static void
print_filters(struct page *page)
{
	(void)fputs(head, page->out);
	(void)fputs(".Sh FILTERS\n", page->out);
	for (size_t i = 0; filter_registry[i]; i++)
		put_filter(page, filter_registry[i]);
	(void)fputs(".Ss envoy.filters.http.router\n"
		    "Forwards the request; every chain ends with it.\n"
		    ".Pp\nIts configuration is\n",
	    page->out);
	put_name(page, "", router_message.name, ":\n");
	put_fields(page, &router_message);
	(void)fputs(".Sh MESSAGES\n", page->out);
	for (size_t i = 0; i < page->n; i++) {
		put_name(page, ".Ss ", page->messages[i]->name, "\n");
		put_fields(page, page->messages[i]);
	}
	(void)fputs(tail, page->out);
}

static bool
has_stance(const struct schema_message *message, enum schema_stance stance)
{
	for (const struct schema_field *f = message->fields; f->name; f++)
		if (f->stance == stance)
			return true;
	return false;
}

/* All messages that are reached from those at the front of the list. */
static void
note_all(struct page *page)
{
	for (size_t i = 0; i < page->n; i++)
		for (const struct schema_field *f = page->messages[i]->fields;
		     f->name; f++)
			if (f->stance == SCHEMA_ENFORCED &&
			    f->type == SCHEMA_MESSAGE)
				note_message(page, f->message);
}

/*
 * Envoy's messages that mean different things in different places have a
 * table for each: told apart by the field that leads there.
 */
static void
put_place(const struct page *page, size_t of)
{
	const struct schema_message *m = page->messages[of];
	bool is_one = true;

	for (size_t i = 0; i < page->n; i++)
		is_one &=
		    i == of || strcmp(page->messages[i]->name, m->name) != 0;
	for (size_t i = 0; !is_one && i < page->n; i++)
		for (const struct schema_field *f = page->messages[i]->fields;
		     f->name; f++) {
			if (f->type != SCHEMA_MESSAGE || f->message != m)
				continue;
			put_name(page, "Where it is the\n.Va ", f->name, "");
			put_name(page, "\nof\n.Li ",
			    last_part(page->messages[i]->name), ":\n");
			return;
		}
}

static void
print_stance(
    const struct page *page, enum schema_stance stance, const char *title)
{
	(void)fputs(title, page->out);
	for (size_t i = 0; i < page->n; i++) {
		const struct schema_message *m = page->messages[i];
		if (!has_stance(m, stance))
			continue;
		put_name(page, ".Ss ", m->name, "\n");
		put_place(page, i);
		put_reasons(page, m, stance, ".Bl -tag -width Ds -compact\n");
	}
}

static void
print_stances(struct page *page)
{
	note_message(page, &conf_bootstrap_message);
	note_message(page, &conf_hcm_message);
	note_all(page);
	print_stance(page, SCHEMA_REFUSED,
	    ".Sh REFUSED FIELDS\n"
	    "A file that has one of these is not loaded.\n"
	    "Those of filters are in\n.Xr sallyport-filters 7 .\n");
	print_stance(page, SCHEMA_DELEGATED,
	    ".Sh FIELDS WITHOUT EFFECT\n"
	    "These are accepted, with a notice, since what they are about is "
	    "somebody else's here.\n");
}

int
main(int argc, char **argv)
{
	struct page page = { .out = stdout };

	if (argc == 2 && !strcmp(argv[1], "filters"))
		print_filters(&page);
	else if (argc == 2 && !strcmp(argv[1], "stances"))
		print_stances(&page);
	else
		return EXIT_FAILURE;
	return fflush(page.out) || ferror(page.out) ? EXIT_FAILURE
						    : EXIT_SUCCESS;
}
