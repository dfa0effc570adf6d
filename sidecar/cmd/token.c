/*
 * sallyport token: makes a token that a configuration accepts, and says why
 * it does not accept another.
 */
#include "config.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/jsonpage.h"
#include "chain/jwt.h"
#include "chain/match.h"
#include "chain/setup.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/table.h"
#include "config/scalar.h"

enum { TOKEN_MAX = JWS_LEN_MAX, OUTPUT_MAX = 1024 * 1024 };

/* ---- the providers of a configuration ---- */

static const struct jwt_rules *
find_rules(struct loaded *l)
{
	const struct conf_hcm *hcm = l->gateway->hcm;
	struct setup setup = { .gateway = l->gateway, .diag = l->diag };

	for (size_t i = 0; i < hcm->http_filters.n; i++) {
		const struct any *any = hcm->http_filters.items[i].typed_config;

		if (!any || !str_eq(any->type, str_of(conf_jwt_message.name)))
			continue;
		setup.path = any->path;
		return jwt_rules_build(
		    &setup, schema_decode_any(
				l->arena, l->diag, &conf_jwt_message, any));
	}
	(void)fputs(
	    "sallyport token: this configuration asks for no token\n", stderr);
	return NULL;
}

/* The provider of that name, or the first. */
static const struct jwt_provider *
find_provider(const struct jwt_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->n_providers; i++)
		if (!name || str_eq(rules->providers[i].name, str_of(name)))
			return &rules->providers[i];
	(void)fprintf(stderr, "sallyport token: no provider \"%s\"; there is",
	    name ? name : "");
	for (size_t i = 0; i < rules->n_providers; i++)
		(void)fprintf(stderr, "%s \"" STR_FMT "\"", i ? "," : "",
		    STR_ARG(rules->providers[i].name));
	(void)fputc('\n', stderr);
	return NULL;
}

/* ---- minting ---- */

static const struct jwk *
signing_key(const struct jwt_provider *p)
{
	const unsigned secret =
	    1U << JOSE_HS256 | 1U << JOSE_HS384 | 1U << JOSE_HS512;

	for (size_t i = 0; i < p->keys.n; i++)
		if (p->keys.keys[i].algs & secret)
			return &p->keys.keys[i];
	(void)fputs("sallyport token: the provider has public keys only; a "
		    "token is made where the private key is\n",
	    stderr);
	return NULL;
}

static jwt_alg_t
algorithm_of(const struct jwk *key)
{
	if (key->algs & 1U << JOSE_HS256)
		return JWT_ALG_HS256;
	return key->algs & 1U << JOSE_HS384 ? JWT_ALG_HS384 : JWT_ALG_HS512;
}

static void
set_claim(cJSON *claims, const char *name, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(claims, name);
	(void)cJSON_AddItemToObject(claims, name, value);
}

/* What is JSON keeps its type, but for those that are texts (RFC 7519). */
static cJSON *
claim_value(const char *name, const char *text)
{
	cJSON *value = NULL;

	if (strcmp(name, "iss") != 0 && strcmp(name, "sub") != 0 &&
	    strcmp(name, "jti") != 0)
		value = cJSON_ParseWithOpts(text, NULL, true);
	return value ? value : cJSON_CreateString(text);
}

/* "name=value" */
static bool
add_claim(struct arena *arena, cJSON *claims, const char *claim)
{
	const char *equals = strchr(claim, '=');
	const char *name;

	if (!equals || equals == claim) {
		(void)fprintf(stderr,
		    "sallyport token: a claim is NAME=VALUE, not %s\n", claim);
		return false;
	}
	name =
	    arena_cstr(arena, (struct str){ claim, (size_t)(equals - claim) });
	set_claim(claims, name, claim_value(name, equals + 1));
	return true;
}

/* Issuer, audience, times, and the claims asked for; later ones win. */
static bool
add_claims(struct arena *arena, cJSON *claims, const struct jwt_provider *p,
    const struct args *args, int64_t lifetime_s)
{
	const struct conf_jwt_provider *conf = p->conf;
	int64_t now = clock_wall_now_ns() / NS_PER_S;
	const char *claim;

	set_claim(claims, "iat", cJSON_CreateNumber((double)now));
	set_claim(
	    claims, "exp", cJSON_CreateNumber((double)(now + lifetime_s)));
	if (conf->issuer.len)
		set_claim(claims, "iss",
		    cJSON_CreateString(arena_cstr(arena, conf->issuer)));
	if (conf->audiences.n)
		set_claim(claims, "aud",
		    cJSON_CreateString(
			arena_cstr(arena, conf->audiences.items[0])));
	for (size_t i = 0; (claim = args_value(args, "--claim", i)); i++)
		if (!add_claim(arena, claims, claim))
			return false;
	return true;
}

static int
print_signed(const struct jwk *key, const char *claims)
{
	jwt_t *jwt = NULL;
	char *text = NULL;
	int status = CMD_FAILED;

	if (!jwt_new(&jwt) &&
	    !jwt_set_alg(jwt, algorithm_of(key),
		(const unsigned char *)key->material.ptr,
		(int)key->material.len) &&
	    (!key->kid.ptr || !jwt_add_header(jwt, "kid", key->kid.ptr)) &&
	    claims && !jwt_add_grants_json(jwt, claims))
		text = jwt_encode_str(jwt);
	if (text && puts(text) >= 0 && !fflush(stdout))
		status = CMD_OK;
	if (!text)
		(void)fputs("sallyport token: it cannot be signed\n", stderr);
	free(text);
	jwt_free(jwt);
	return status;
}

static int
mint(struct arena *arena, const struct jwt_provider *p, const struct args *args)
{
	const char *lifetime = args_value(args, "--for", 0);
	const struct jwk *key = signing_key(p);
	int64_t ns = 3600 * NS_PER_S;
	cJSON *claims;
	char *text;
	int status = CMD_USAGE;

	if (!key)
		return CMD_FAILED;
	if (lifetime && !scalar_to_duration(str_of(lifetime), &ns)) {
		(void)fprintf(stderr,
		    "sallyport token: --for is a duration such as 30s, not "
		    "%s\n",
		    lifetime);
		return CMD_USAGE;
	}
	claims = cJSON_CreateObject();
	if (add_claims(arena, claims, p, args, ns / NS_PER_S)) {
		text = cJSON_PrintUnformatted(claims);
		status = print_signed(key, text);
		cJSON_free(text);
	}
	cJSON_Delete(claims);
	return status;
}

/* ---- checking ---- */

static void
print_date(const char *what, struct jws_date date, int64_t now)
{
	time_t at = (time_t)date.seconds;
	struct tm tm;
	char text[32];

	if (!date.given || date.seconds < 0 || date.seconds > 4e9 ||
	    !gmtime_r(&at, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	(void)printf("  %s %s, %" PRId64 " s %s\n", what, text,
	    at < now ? now - at : at - now, at < now ? "ago" : "from now");
}

static void
print_token(const struct jws *jws, int64_t now)
{
	(void)printf("  algorithm %s\n", jose_alg_name(jws->alg));
	if (jws->kid.ptr)
		(void)printf("  key " STR_FMT "\n", STR_ARG(jws->kid));
	(void)printf("  claims " STR_FMT "\n", STR_ARG(jws->payload_json));
	print_date("issued to hold from", jws->nbf, now);
	print_date("expires", jws->exp, now);
}

/* As the worker judges, step by step. */
static enum jws_status
judge(const struct jwt_provider *p, const struct jws *jws, int64_t now)
{
	struct jwt_claims claims = { jws->exp, jws->nbf,
		{ jws->audiences, jws->n_audiences } };
	enum jws_status status;

	if (p->conf->issuer.len && !str_eq(p->conf->issuer, jws->iss))
		return JWS_UNKNOWN_ISSUER;
	status = jwt_check_claims(p, NULL, &claims, now);
	if (!status && p->subjects &&
	    !string_match_holds(p->subjects, jws->sub))
		return JWS_VERIFICATION_FAILS;
	return status ? status : jws_verify(jws, &p->keys);
}

/* What it should have been, a line each. */
static void
print_hint(const struct jwt_provider *p, enum jws_status status)
{
	if (status == JWS_UNKNOWN_ISSUER)
		(void)printf("    its issuer is to be \"" STR_FMT "\"\n",
		    STR_ARG(p->conf->issuer));
	if (status == JWS_AUDIENCE_NOT_ALLOWED)
		for (size_t i = 0; i < p->conf->audiences.n; i++)
			(void)printf("    its audience may be \"" STR_FMT
				     "\"\n",
			    STR_ARG(p->conf->audiences.items[i]));
	if (status == JWS_VERIFICATION_FAILS)
		(void)puts("    it was signed with another key, or changed");
}

static void
write_date(struct jsonpage *p, const char *name, struct jws_date date)
{
	if (date.given)
		json_put_number(p, name, (double)date.seconds);
}

static void
write_token(struct jsonpage *p, const struct jws *jws)
{
	cJSON *claims =
	    cJSON_ParseWithLength(jws->payload_json.ptr, jws->payload_json.len);

	json_put_string(p, "algorithm", str_of(jose_alg_name(jws->alg)));
	json_put_string(p, "kid", jws->kid);
	write_date(p, "not_before", jws->nbf);
	write_date(p, "expires", jws->exp);
	if (claims)
		json_put_value(p, "claims", claims);
	cJSON_Delete(claims);
}

static void
write_verdict(
    struct jsonpage *out, const struct jwt_provider *p, enum jws_status status)
{
	json_open_map(out, NULL);
	json_put_string(out, "name", p->name);
	json_put_bool(out, "accepted", !status);
	if (status)
		json_put_string(out, "reason", str_of(jws_status_text(status)));
	if (status == JWS_UNKNOWN_ISSUER)
		json_put_string(out, "issuer", p->conf->issuer);
	if (status == JWS_AUDIENCE_NOT_ALLOWED) {
		json_open_list(out, "audiences");
		for (size_t i = 0; i < p->conf->audiences.n; i++)
			json_put_string(out, NULL, p->conf->audiences.items[i]);
		json_close_list(out);
	}
	json_close_map(out);
}

/* What is asked about a token, and how it is said. */
struct inquiry {
	const struct jwt_rules *rules;
	const char *only; /* NULL: all providers */
	struct jsonpage *json; /* NULL: for people */
	int64_t now; /* seconds */
};

/* By each provider that is asked; whether one accepts it. */
static bool
ask_providers(const struct inquiry *q, const struct jws *jws)
{
	bool is_accepted = false;

	for (size_t i = 0; i < q->rules->n_providers; i++) {
		const struct jwt_provider *p = &q->rules->providers[i];
		enum jws_status status;

		if (q->only && !str_eq(p->name, str_of(q->only)))
			continue;
		status = judge(p, jws, q->now);
		is_accepted |= !status;
		if (q->json) {
			write_verdict(q->json, p, status);
			continue;
		}
		(void)printf("provider " STR_FMT ": %s\n", STR_ARG(p->name),
		    status ? jws_status_text(status) : "accepted");
		print_hint(p, status);
	}
	return is_accepted;
}

static bool
check_text(const struct inquiry *q, const struct jws *jws, enum jws_status form)
{
	(void)printf(
	    "token: %s\n", form ? jws_status_text(form) : "well formed");
	if (form)
		return false;
	print_token(jws, q->now);
	return ask_providers(q, jws);
}

static bool
check_json(const struct inquiry *q, const struct jws *jws, enum jws_status form)
{
	struct jsonpage *p = q->json;
	bool is_accepted = false;
	struct str bytes;

	json_open_map(p, NULL);
	json_put_bool(p, "well_formed", !form);
	if (form)
		json_put_string(p, "reason", str_of(jws_status_text(form)));
	else
		write_token(p, jws);
	json_open_list(p, "providers");
	if (!form)
		is_accepted = ask_providers(q, jws);
	json_close_list(p);
	json_put_bool(p, "accepted", is_accepted);
	json_close_map(p);
	json_end(p);
	bytes = buf_bytes(p->out);
	return !p->err &&
	       fwrite(bytes.ptr, 1, bytes.len, stdout) == bytes.len &&
	       is_accepted;
}

static int
check(const struct args *args, const struct jwt_rules *rules, struct str token,
    struct arena *arena)
{
	struct buf text;
	struct jsonpage json = { .out = &text };
	struct inquiry q = { .rules = rules,
		.only = args_value(args, "--provider", 0),
		.json = args_value(args, "--json", 0) ? &json : NULL,
		.now = clock_wall_now_ns() / NS_PER_S };
	struct jws jws;
	enum jws_status form = jws_parse(arena, token, &jws);
	bool is_accepted;

	buf_init(&text, OUTPUT_MAX);
	is_accepted =
	    q.json ? check_json(&q, &jws, form) : check_text(&q, &jws, form);
	buf_free(&text);
	return fflush(stdout) || !is_accepted ? CMD_FAILED : CMD_OK;
}

/* ---- the command ---- */

/* The operand without "Bearer ", or standard input. */
static struct str
read_token(struct arena *arena, const char *operand)
{
	char room[TOKEN_MAX + 2];
	struct str token = str_of(operand);

	if (!operand || !strcmp(operand, "-"))
		token =
		    (struct str){ room, fread(room, 1, sizeof(room), stdin) };
	while (token.len && strchr("\r\n", token.ptr[token.len - 1]))
		token.len--;
	token = str_trim(token);
	if (str_starts_nocase(token, STR("Bearer ")))
		token = str_trim(str_slice(token, 7, token.len));
	return arena_str(arena, token);
}

static int
run(const struct args *args, struct loaded *l)
{
	const char *verb = args_operand(args, 0);
	const char *name = args_value(args, "--provider", 0);
	const struct jwt_rules *rules = find_rules(l);
	const struct jwt_provider *p =
	    rules ? find_provider(rules, name) : NULL;

	if (!p)
		return CMD_FAILED;
	if (!strcmp(verb, "mint"))
		return mint(l->arena, p, args);
	return check(
	    args, rules, read_token(l->arena, args_operand(args, 1)), l->arena);
}

int
cmd_token(int argc, char **argv)
{
	struct args args;
	struct loaded l;
	const char *file, *verb;
	int status = args_read(&args, cmd_find("token"), argc, argv);

	if (status)
		return status;
	verb = args_operand(&args, 0);
	if (strcmp(verb, "mint") != 0 && strcmp(verb, "check") != 0) {
		(void)fprintf(
		    stderr, "sallyport token: mint or check, not %s\n", verb);
		return CMD_USAGE;
	}
	file = args_value(&args, "--config", 0);
	status = CMD_CONFIG;
	if (!load_check(file ? file : SALLYPORT_CONFIG_FILE, LOAD_STRICT, &l))
		status = run(&args, &l);
	else
		diag_print(l.diag, stderr);
	load_free(&l);
	return status;
}
