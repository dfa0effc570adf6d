/*
 * What the short form's tables cannot say: secrets, origins, transforms, and
 * what parts of the file ask of each other.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/regex.h"
#include "config/bootstrap.h"
#include "config/short_check.h"

#define SECRET_MAX     4096
#define SECRET_ADVISED 32
#define JWKS_MAX       (1U << 20)

static struct str
without_newline(struct str s)
{
	if (str_ends(s, STR("\n")))
		s.len--;
	if (str_ends(s, STR("\r")))
		s.len--;
	return s;
}

static struct str
credential_path(
    struct short_pass *p, const char *at, const struct short_secret *s)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	struct place place = short_place(s->node, "credential");

	if (str_find_char(s->credential, '/', 0) < s->credential.len ||
	    str_starts(s->credential, STR("."))) {
		diag_error(
		    p->diag, place, at, "a credential is a name, not a path");
		return STR_NONE;
	}
	if (!directory || !*directory) {
		diag_error(p->diag, place, at,
		    "there are no credentials: CREDENTIALS_DIRECTORY is not "
		    "set");
		diag_hint(p->diag,
		    "systemd sets it for units with LoadCredential=" STR_FMT,
		    STR_ARG(s->credential));
		return STR_NONE;
	}
	return arena_printf(
	    p->arena, "%s/" STR_FMT, directory, STR_ARG(s->credential));
}

/* The bytes of a secret, or absent with the error added. */
static struct str
read_secret(struct short_pass *p, const char *at, const struct short_secret *s)
{
	struct conf_data_source source = { .node = s->node,
		.environment_variable = s->env,
		.filename = s->file };
	struct str bytes;

	if (s->credential.ptr)
		source.filename = credential_path(p, at, s);
	if (!s->env.ptr && !source.filename.ptr)
		return STR_NONE;
	bytes = bootstrap_data(p->arena, p->diag, at, &source, SECRET_MAX);
	if (!bytes.ptr || s->env.ptr)
		return bytes;
	bytes = without_newline(bytes);
	if (bytes.len)
		return bytes;
	diag_error(p->diag, s->node->place, at, "it is empty");
	return STR_NONE;
}

static void
check_algorithms(struct short_pass *p, const struct short_jwt *jwt)
{
	static const char *const known[] = { "HS256", "HS384", "HS512", NULL };

	if (jwt->jwks && jwt->algorithms.n) {
		diag_error(p->diag, short_place(jwt->node, "algorithms"), "jwt",
		    "`algorithms` goes with `secret` only");
		diag_hint(p->diag, "put \"alg\" into each key of the JWK set");
		return;
	}
	for (size_t i = 0; i < jwt->algorithms.n; i++) {
		struct str name = jwt->algorithms.items[i];
		struct place place =
		    short_item_place(jwt->node, "algorithms", i);
		const char *near = schema_nearest(name, known);
		size_t at = 0;

		while (known[at] && !str_eq(str_of(known[at]), name))
			at++;
		if (!name.ptr)
			continue;
		if (!known[at]) {
			diag_error(p->diag, place, "jwt.algorithms",
			    "'" STR_FMT
			    "' is no algorithm for a secret: HS256, HS384 "
			    "and HS512 are",
			    STR_ARG(name));
			if (near)
				diag_hint(p->diag, "did you mean `%s`?", near);
			else
				diag_hint(p->diag,
				    "public keys are given with `jwks`");
		} else if (short_contains(&jwt->algorithms, i, name)) {
			diag_error(p->diag, place, "jwt.algorithms",
			    "'" STR_FMT "' stands here twice", STR_ARG(name));
		}
	}
}

static void
check_claims(struct short_pass *p, const struct short_jwt *jwt)
{
	for (size_t i = 0; i < jwt->claims.n; i++) {
		const struct map_entry *e = &jwt->claims.items[i];
		const struct str *header = e->value;

		if (e->key.len == 0)
			diag_error(p->diag, e->place, "jwt.claims",
			    "a claim has a name");
		if (header->ptr && !short_is_token(*header))
			diag_error(p->diag, e->place, "jwt.claims",
			    "'" STR_FMT "' is no header name",
			    STR_ARG(*header));
	}
}

static void
check_jwks(struct short_pass *p, const struct short_jwks *jwks)
{
	struct conf_data_source source = { .node = jwks->node,
		.filename = jwks->file };

	if (jwks->file.ptr)
		(void)bootstrap_data(
		    p->arena, p->diag, "jwt.jwks", &source, JWKS_MAX);
}

static void
check_jwt(struct short_pass *p, struct short_jwt *jwt)
{
	if (!jwt)
		return;
	if (jwt->secret)
		jwt->secret_bytes = read_secret(p, "jwt.secret", jwt->secret);
	if (jwt->secret_bytes.ptr && jwt->secret_bytes.len < SECRET_ADVISED)
		diag_warn(p->diag, jwt->secret->node->place, "jwt.secret",
		    "%zu bytes are too few against guessing: have at least "
		    "%d (RFC 7518, section 3.2)",
		    jwt->secret_bytes.len, SECRET_ADVISED);
	if (jwt->jwks)
		check_jwks(p, jwt->jwks);
	check_algorithms(p, jwt);
	check_claims(p, jwt);
	if (jwt->leeway % NS_PER_S)
		diag_error(p->diag, short_place(jwt->node, "leeway"), "jwt",
		    "`leeway` is in whole seconds");
	if (!p->form->needs_jwt)
		diag_warn(p->diag, jwt->node->place, "jwt",
		    "no route has `auth: jwt`: the section has no effect");
}

/* "scheme://host[:port]", as browsers send it, or "null". */
static bool
is_origin(struct short_pass *p, struct str origin)
{
	size_t at = str_find(origin, STR("://"), 0);
	struct str host;
	uint32_t port = 0;

	if (str_eq(origin, STR("null")) || str_eq(origin, STR("*")))
		return true;
	return at > 0 && at < origin.len &&
	       str_eq(short_lower(p, origin), origin) &&
	       short_split_host(
		   p, str_slice(origin, at + 3, origin.len), &host, &port);
}

static void
check_names(struct short_pass *p, const struct node *node, const char *field,
    const conf_strings *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->items[i].ptr && !short_is_token(names->items[i]))
			diag_error(p->diag, short_item_place(node, field, i),
			    "cors", "'" STR_FMT "' is no header name",
			    STR_ARG(names->items[i]));
}

static void
check_cors(struct short_pass *p, const struct short_cors *cors)
{
	if (!cors)
		return;
	for (size_t i = 0; i < cors->origins.n; i++) {
		struct str origin = cors->origins.items[i];
		struct place place = short_item_place(cors->node, "origins", i);

		if (!origin.ptr)
			continue;
		if (!is_origin(p, origin)) {
			diag_error(p->diag, place, "cors.origins",
			    "'" STR_FMT "' is no origin", STR_ARG(origin));
			diag_hint(p->diag,
			    "scheme, host and port in lower case and nothing "
			    "behind: https://app.example.com");
		} else if (str_eq(origin, STR("*")) && cors->credentials) {
			diag_error(p->diag, place, "cors.origins",
			    "\"*\" with `credentials` would let any site act "
			    "as the user: list the origins");
		}
	}
	short_check_methods(p, "cors", cors->node, &cors->methods);
	check_names(p, cors->node, "headers", &cors->headers);
	check_names(p, cors->node, "expose", &cors->expose);
	if (cors->max_age % NS_PER_S)
		diag_error(p->diag, short_place(cors->node, "max_age"), "cors",
		    "`max_age` is in whole seconds");
}

/* A literal: operators begin with %, so each % is doubled. */
static struct str
escape_percent(struct short_pass *p, struct str s)
{
	char *out = arena_alloc(p->arena, 2 * s.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		out[len++] = s.ptr[i];
		if (s.ptr[i] == '%')
			out[len++] = '%';
	}
	return (struct str){ out, len };
}

/* Printable ASCII, blanks and tabs. */
static bool
is_field_value(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] < ' ' && s.ptr[i] != '\t') || s.ptr[i] > '~')
			return false;
	return true;
}

static void
check_value(struct short_pass *p, const char *at, struct short_transform *t)
{
	const struct node *value = t->value;

	if (!t->add.ptr && !t->set.ptr) {
		if (value)
			diag_error(p->diag, value->place, at,
			    "`value` goes with `add` and `set`");
		return;
	}
	if (!value) {
		diag_error(
		    p->diag, t->node->place, at, "`value`: value is required");
		return;
	}
	if (value->kind == NODE_SCALAR)
		t->text = value->scalar;
	else
		t->text = escape_percent(
		    p, read_secret(p, at,
			   schema_decode(p->arena, p->diag,
			       arena_printf(p->arena, "%s.value", at).ptr,
			       &short_secret_message, value)));
	if (!is_field_value(t->text))
		diag_error(p->diag, value->place, at,
		    "a header value is one line of printable ASCII");
}

static void
check_rewrite(
    struct short_pass *p, const char *at, const struct short_transform *t)
{
	const struct regex *regex;
	const char *why;

	if (!t->rewrite.ptr)
		return;
	if (!t->to.ptr)
		diag_error(
		    p->diag, t->node->place, at, "`to`: value is required");
	if (regex_compile(p->arena, t->rewrite, &regex, &why))
		diag_error(p->diag, short_place(t->node, "rewrite"), at,
		    "`rewrite` %s", why);
	else if (!regex_substitution_is_valid(regex, t->to))
		diag_error(p->diag, short_place(t->node, "to"), at,
		    "`to` names a group that `rewrite` does not have");
}

static void
check_transform(struct short_pass *p, const char *at, struct short_transform *t)
{
	struct str name = t->add.ptr ? t->add : t->set.ptr ? t->set : t->remove;

	if (name.ptr && !short_is_token(name))
		diag_error(p->diag, t->node->place, at,
		    "'" STR_FMT "' is no header name", STR_ARG(name));
	if (str_eq_nocase(name, STR("host")))
		diag_error(p->diag, t->node->place, at,
		    "the host header is set from `backend`");
	check_value(p, at, t);
	check_rewrite(p, at, t);
	if (!t->rewrite.ptr && t->to.ptr)
		diag_error(p->diag, short_place(t->node, "to"), at,
		    "`to` goes with `rewrite`");
}

static void
check_transforms(struct short_pass *p, struct short_transforms_both *both)
{
	if (!both)
		return;
	for (size_t i = 0; i < both->request.n; i++)
		check_transform(p,
		    arena_printf(p->arena, "transforms.request[%zu]", i).ptr,
		    &both->request.items[i]);
	for (size_t i = 0; i < both->response.n; i++) {
		struct short_transform *t = &both->response.items[i];
		const char *at =
		    arena_printf(p->arena, "transforms.response[%zu]", i).ptr;

		if (t->rewrite.ptr)
			diag_error(p->diag, t->node->place, at,
			    "`rewrite` is for requests");
		check_transform(p, at, t);
	}
}

static void
check_listen(struct short_pass *p)
{
	struct short_form *form = p->form;
	struct place place = short_place(form->node, "listen");

	if (str_starts(form->listen, STR("unix:"))) {
		form->listen_path =
		    str_slice(form->listen, 5, form->listen.len);
		if (form->listen_path.len == 0 || form->listen_path.len > 107)
			diag_error(p->diag, place, "listen",
			    "the path of a unix socket has 1 to 107 bytes");
		return;
	}
	if (!short_split_host(
		p, form->listen, &form->listen_host, &form->listen_port) ||
	    form->listen_port == 0 || !short_is_ip(p, form->listen_host)) {
		diag_error(p->diag, place, "listen",
		    "'" STR_FMT "' is neither ADDRESS:PORT nor unix:PATH",
		    STR_ARG(form->listen));
		diag_hint(p->diag,
		    "127.0.0.1:9000, [::1]:9000 or unix:/run/sallyport.sock");
	}
}

struct short_form *
short_decode(struct arena *arena, const struct node *top, struct diag *diag)
{
	struct short_pass p = { .arena = arena, .diag = diag };

	p.form = schema_decode(arena, diag, "", &short_form_message, top);
	check_listen(&p);
	for (size_t i = 0; i < p.form->routes.n; i++)
		short_check_route(&p, i);
	short_name_clusters(&p);
	check_jwt(&p, p.form->jwt);
	check_cors(&p, p.form->cors);
	check_transforms(&p, p.form->transforms);
	return p.form;
}
