/* sallyport.yaml(5), from the tables that the short form is read by. */
#include "config.h"

#include <string.h>

#include "cmd/manual5.h"
#include "config/short_form.h"

/* What mdoc(7) would take for a request or an escape. */
static void
put_text(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		(void)fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			(void)fputs("\\e", out);
		else if (*text == '`')
			(void)fputs("\"", out);
		else
			(void)fputc(*text, out);
	}
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
	case SCHEMA_DURATION:
		return "duration, such as 500ms, 5s, 1h";
	case SCHEMA_ENUM:
		return "one of";
	case SCHEMA_MESSAGE:
		return "map";
	case SCHEMA_NODE:
		return "text or map";
	case SCHEMA_STR:
	case SCHEMA_BYTES:
	case SCHEMA_ANY:
		break;
	}
	return "text";
}

/* "list of maps", "one of none, jwt", "number from 1 to 10000" */
static void
put_type(const struct schema_field *f, FILE *out)
{
	const struct schema_choice *c = f->choices;

	if (f->label == SCHEMA_MAP)
		(void)fputs("map of texts", out);
	else
		(void)fprintf(out, "%s%s%s",
		    f->label == SCHEMA_LIST ? "list of " : "", type_word(f),
		    f->label == SCHEMA_LIST ? "s" : "");
	for (; c && c->name; c++)
		(void)fprintf(
		    out, "%s%s", c == f->choices ? " " : ", ", c->name);
	if (f->min != f->max)
		(void)fprintf(out, ", %.15g to %.15g%s", f->min, f->max,
		    f->type == SCHEMA_DURATION ? " seconds" : "");
}

static void
put_field(const struct schema_field *f, FILE *out)
{
	(void)fprintf(out, ".It Cm %s\n", f->name);
	put_text(f->text, out);
	(void)fputs("\n.br\n.Em Type :\n", out);
	put_type(f, out);
	if (f->required)
		(void)fputs("; required", out);
	if (f->fallback) {
		(void)fputs(".\n.Em Default :\n", out);
		put_text(f->fallback, out);
	} else if (f->type == SCHEMA_BOOL) {
		(void)fputs(".\n.Em Default :\nfalse", out);
	} else if (f->type == SCHEMA_ENUM) {
		(void)fprintf(out, ".\n.Em Default :\n%s", f->choices->name);
	}
	(void)fputs(".\n", out);
	if (!f->envoy)
		return;
	(void)fputs(".br\n.Em Envoy :\n", out);
	put_text(f->envoy, out);
	(void)fputs(".\n", out);
}

/* "One of add, set, remove is given, and no other of them." */
static void
put_alternatives(const struct schema_message *m, FILE *out)
{
	const char *before = "One of\n.Cm ";

	if (!m->required_oneof)
		return;
	for (const struct schema_field *f = m->fields; f->name; f++) {
		if (!f->oneof || strcmp(f->oneof, m->required_oneof) != 0)
			continue;
		(void)fprintf(out, "%s%s", before, f->name);
		before = " ,\n.Cm ";
	}
	(void)fputs("\nis given, and no other of them.\n", out);
}

static void
put_fields(const struct schema_message *m, FILE *out)
{
	put_alternatives(m, out);
	(void)fputs(".Bl -tag -width Ds\n", out);
	for (const struct schema_field *f = m->fields; f->name; f++)
		if (f->stance == SCHEMA_ENFORCED)
			put_field(f, out);
	(void)fputs(".El\n", out);
}

/* The maps in the map at path, each under a head of its own. */
static void
put_messages(const struct schema_message *m, const char *path, FILE *out)
{
	char below[128];

	for (const struct schema_field *f = m->fields; f->name; f++) {
		if (!f->message)
			continue;
		(void)snprintf(below, sizeof(below), "%s%s%s%s", path,
		    *path ? "." : "", f->name,
		    f->label == SCHEMA_LIST ? "[]" : "");
		(void)fprintf(out, ".Ss %s\n", below);
		put_text(f->text, out);
		(void)fputc('\n', out);
		put_fields(f->message, out);
		put_messages(f->message, below, out);
	}
}

static const char head[] =
    ".Dd November 26, 2026\n.Dt SALLYPORT.YAML 5\n.Os\n"
    ".Sh NAME\n.Nm sallyport.yaml\n.Nd configuration of the Sallyport API "
    "gateway\n"
    ".Sh DESCRIPTION\n"
    "The configuration is YAML or JSON, in a short form or in Envoy's own.\n"
    "This page is about the short form; it stands for a configuration of "
    "Envoy, which\n.Ic sallyport expand\nprints.\n"
    "Of each key it is said what it becomes there.\n.Pp\n"
    "A file that has\n.Cm static_resources\nis in Envoy's form: an Envoy v3 "
    "bootstrap with one listener and its HttpConnectionManager.\n"
    "Every field is enforced, left to the web server with a notice, or "
    "refused by name.\n.Pp\n"
    "An unknown key, a key that stands twice, a wrong value, a missing secret "
    "or an undefined environment variable are errors, and nothing starts "
    "with them:\n.Ic sallyport check\nsays all of them, with their places.\n"
    ".Pp\n"
    "Whatever the routes are,\n.Pa /health ,\n.Pa /livez\nand\n.Pa /readyz\n"
    "are answered by the gateway itself:\n"
    "the first with the state of all breakers, the second with 200 as long as "
    "the process lives. The first and the last are 503 while every breaker "
    "is open.\n.Pp\n"
    "Envoy has no filter for what is called sallyport.rate_limit, "
    "sallyport.breaker and sallyport.rewrite below: it is in libsallyport.so, "
    "a dynamic module that Envoy loads.\n"
    ".Sh A SMALL FILE\n.Bd -literal\n"
    "routes:\n"
    "  - path: /api/users\n"
    "    methods: [GET, POST]\n"
    "    backend: http://127.0.0.1:3001\n"
    "    auth: jwt\n"
    "    rate_limit: 100/60s\n"
    "  - path: /api/products\n"
    "    backend: http://127.0.0.1:3002\n"
    "jwt:\n"
    "  secret: { env: JWT_SECRET }\n"
    ".Ed\n"
    ".Sh KEYS\n";

static const char tail[] =
    ".Sh EXAMPLES\n"
    "Everything goes to one backend, without any policy:\n.Bd -literal\n"
    "routes:\n"
    "  - path: /\n"
    "    backend: http://127.0.0.1:3001\n"
    ".Ed\n.Pp\n"
    "Limits by user, for browsers of another origin; a backend that fails is "
    "left alone; the user's name is told to the backend:\n.Bd -literal\n"
    "routes:\n"
    "  - path: /api\n"
    "    backend: https://backend.example/v2\n"
    "    auth: jwt\n"
    "    rate_limit: { limit: 10/1s, key: \"claim:sub\" }\n"
    "    timeout: 5s\n"
    "jwt:\n"
    "  secret: { env: JWT_SECRET }\n"
    "  issuer: https://login.example/\n"
    "  audiences: [api]\n"
    "  claims: { sub: X-User }\n"
    "cors:\n"
    "  origins: [\"https://app.example\"]\n"
    "  credentials: true\n"
    "breaker: { failures: 5, open_for: 30s }\n"
    ".Ed\n.Pp\n"
    "Headers and paths are changed:\n.Bd -literal\n"
    "routes:\n"
    "  - path: /api\n"
    "    strip: false\n"
    "    backend: http://127.0.0.1:3001\n"
    "transforms:\n"
    "  request:\n"
    "    - { rewrite: \"^/v1/(.*)\", to: \"/api/\\e\\e1\" }\n"
    "    - { set: X-Client, value: "
    "\"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%\" }\n"
    "    - { remove: X-Debug }\n"
    "  response:\n"
    "    - { remove: X-Powered-By }\n"
    ".Ed\n"
    ".Sh FILES\n.Bl -tag -width Ds\n"
    ".It Pa " SALLYPORT_CONFIG_FILE "\nWhere it is looked for.\n.El\n"
    ".Sh SEE ALSO\n.Xr sallyport 1 ,\n.Xr sallyport-filters 7 ,\n"
    ".Xr sallyport-from-envoy 7 ,\n.Xr sallyport-from-nginx 7 ,\n"
    ".Xr sallyport-fronts 7\n";

void
manual5_print(FILE *out)
{
	(void)fputs(head, out);
	put_fields(&short_form_message, out);
	put_messages(&short_form_message, "", out);
	(void)fputs(tail, out);
}
