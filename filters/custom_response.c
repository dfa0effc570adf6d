/*
 * Puts other answers in the place of those that match: of the backend's, and
 * of those that filters and the router have given. What an answer of ours
 * passes on its way to the client, filters further out, it does not pass, as in Envoy.
 */
#include "config.h"

#include "chain/kit.h"
#include "chain/xmatch.h"
#include "config/messages.h"

enum { BODY_MAX = 1024 * 1024 };

struct conf_custom {
	const struct node *node;
	struct conf_matcher *custom_response_matcher;
};

struct conf_local_policy {
	const struct node *node;
	struct conf_data_source *body;
	struct conf_format *body_format;
	uint32_t status_code;
	conf_header_options response_headers_to_add;
	bool preserve_response_code_details;
	struct str response_code_details;
};

static const struct schema_field custom_fields[] = {
	{ .name = "custom_response_matcher",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_custom, custom_response_matcher),
	    .message = &conf_matcher_message,
	    .text = "Which responses get which answer instead." },
	{ .name = NULL },
};

static const struct schema_message custom_message = {
	.name =
	    "envoy.extensions.filters.http.custom_response.v3.CustomResponse",
	.size = sizeof(struct conf_custom),
	.fields = custom_fields,
};

static const struct schema_field local_policy_fields[] = {
	{ .name = "body",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_local_policy, body),
	    .message = &conf_data_source_message,
	    .text = "Body of the answer." },
	{ .name = "body_format",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_local_policy, body_format),
	    .message = &conf_format_message,
	    .text = "Makes the body, of which %LOCAL_REPLY_BODY% may be a "
		    "part." },
	{ .name = "status_code",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_local_policy, status_code),
	    .min = 200,
	    .max = 599,
	    .text = "Status of the answer, instead of the response's." },
	{ .name = "response_headers_to_add",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_local_policy, response_headers_to_add),
	    .message = &conf_header_option_message,
	    .text = "Headers of the answer." },
	{ .name = "preserve_response_code_details",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_local_policy, preserve_response_code_details),
	    .oneof = "response_code_details_action",
	    .text = "Whether the log has the details of the response." },
	{ .name = "response_code_details",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_local_policy, response_code_details),
	    .min_items = 1,
	    .oneof = "response_code_details_action",
	    .text = "Details for the log." },
	{ .name = NULL },
};

static const struct schema_message local_policy_message = {
	.name = "envoy.extensions.http.custom_response.local_response_policy."
		"v3.LocalResponsePolicy",
	.size = sizeof(struct conf_local_policy),
	.fields = local_policy_fields,
};

struct policy {
	const struct conf_local_policy *conf;
	struct str body;
	const struct format *format; /* or NULL */
	const struct kit_fields *fields;
};

static const void *
build_policy(struct setup *s, const struct conf_extension *action)
{
	const struct any *any = action->typed_config;
	const struct conf_local_policy *conf;
	struct policy *p;

	if (str_eq(any->type,
		STR("envoy.extensions.http.custom_response.redirect_policy.v3."
		    "RedirectPolicy"))) {
		host_setup_error(s, action->node,
		    "redirect_policy is not supported: no other backend is "
		    "asked for the answer; use local_response_policy");
		return NULL;
	}
	if (!str_eq(any->type, str_of(local_policy_message.name))) {
		host_setup_error(s, action->node,
		    "Didn't find a registered implementation for '" STR_FMT
		    "' with type URL: '" STR_FMT "'",
		    STR_ARG(action->name), STR_ARG(any->type));
		return NULL;
	}
	conf = host_setup_decode(s, &local_policy_message, any);
	p = ARENA_NEW(host_setup_arena(s), struct policy);
	p->conf = conf;
	if (conf->body)
		p->body = host_setup_data(s, conf->body, BODY_MAX);
	if (conf->body_format)
		p->format = host_setup_body_format(s, conf->body_format);
	p->fields = kit_fields(s, &conf->response_headers_to_add);
	return p;
}

static const void *
configure(struct setup *s, const void *decoded)
{
	const struct conf_custom *conf = decoded;

	return xmatch_build(s, conf->custom_response_matcher, build_policy);
}

/* ---- responses ---- */

static unsigned
status_of(const struct policy *p, struct exchange *x)
{
	uint64_t status = p->conf->status_code;

	if (!status)
		(void)!str_to_u64(
		    host_attribute(x, HOST_RESPONSE_CODE), &status);
	return (unsigned)status;
}

static struct str
details_of(const struct policy *p, struct exchange *x)
{
	if (p->conf->preserve_response_code_details)
		return host_attribute(x, HOST_CODE_DETAILS);
	return p->conf->response_code_details.ptr
		   ? p->conf->response_code_details
		   : STR("");
}

/* The nearest level that has one for this response, the filter's own at last. */
static const struct policy *
find_policy(const struct xmatch *own, struct exchange *x)
{
	const struct xmatch *matcher;
	const struct policy *p;

	for (int i = HOST_LEVELS - 1; i >= 0; i--) {
		matcher = host_route_conf_at(x, (enum host_level)i);
		p = matcher ? xmatch_find(matcher, x) : NULL;
		if (p)
			return p;
	}
	return xmatch_find(own, x);
}

static enum verdict
on_response(const void *conf, void *state, struct exchange *x)
{
	const struct policy *p = find_policy(conf, x);

	(void)state;
	if (!p)
		return FILTER_NEXT;
	host_decided_by(x, p->conf->node);
	host_reply(
	    x, &(struct host_reply){ .status = status_of(p, x),
		   .fields = p->fields,
		   .body = p->format ? host_body_format(x, p->format, p->body)
				     : p->body,
		   .details = host_keep(x, details_of(p, x)) });
	return FILTER_REPLY;
}

const struct filter filter_custom_response = {
	.name = "envoy.filters.http.custom_response",
	.text = "Puts an answer of the configuration in the place of those "
		"that match, of a backend or of a filter.",
	.conf = &custom_message,
	.route_conf = &custom_message,
	.held = &local_policy_message,
	.configure = configure,
	.configure_route = configure,
	.on_response = on_response,
};
