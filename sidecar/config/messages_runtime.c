/* layered_runtime, and the messages whose value a runtime key may override. */
#include "config.h"

#include "config/messages.h"
#include "config/runtime.h"

static const struct schema_field disk_fields[] = {
	{ FIELD(SCHEMA_STR, conf_disk_layer, symlink_root),
	    .text = "Folder of the layer." },
	{ FIELD(SCHEMA_STR, conf_disk_layer, subdirectory),
	    .text = "Folder in it, whose files are keys." },
	{ FIELD(SCHEMA_BOOL, conf_disk_layer, append_service_cluster),
	    .text = "Take the folder in it that is named as node.cluster." },
	{ .name = NULL },
};

static const struct schema_message disk_message = {
	.name = "envoy.config.bootstrap.v3.RuntimeLayer.DiskLayer",
	.size = sizeof(struct conf_disk_layer),
	.fields = disk_fields,
};

static const struct schema_field layer_fields[] = {
	{ FIELD(SCHEMA_STR, conf_runtime_layer, name),
	    .text = "Name of the layer." },
	{ FIELD(SCHEMA_NODE, conf_runtime_layer, static_layer),
	    .text = "Keys and values." },
	{ FIELD(SCHEMA_MESSAGE, conf_runtime_layer, disk_layer),
	    .message = &disk_message, .text = "Keys and values in files." },
	{ FIELD(SCHEMA_MESSAGE, conf_runtime_layer, admin_layer),
	    .message = &conf_empty_message,
	    .text = "Where /runtime_modify would put values." },
	REFUSED("rtds_layer", "configuration comes from files only"),
	{ .name = NULL },
};

static const struct schema_message layer_message = {
	.name = "envoy.config.bootstrap.v3.RuntimeLayer",
	.size = sizeof(struct conf_runtime_layer),
	.fields = layer_fields,
};

static const struct schema_field layered_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_layered_runtime, layers),
	    .label = SCHEMA_LIST, .message = &layer_message,
	    .text = "Layers; what a later one says counts." },
	{ .name = NULL },
};

const struct schema_message conf_layered_runtime_message = {
	.name = "envoy.config.bootstrap.v3.LayeredRuntime",
	.size = sizeof(struct conf_layered_runtime),
	.fields = layered_fields,
};

#define KEY_TEXT "Runtime key whose value counts instead, if it has one."

static const struct schema_choice denominator_choices[] = {
	{ .name = "HUNDRED", .value = 0 },
	{ .name = "TEN_THOUSAND", .value = 1 },
	{ .name = "MILLION", .value = 2 },
	{ .name = NULL },
};

static const struct schema_field fractional_percent_fields[] = {
	{ FIELD(SCHEMA_U32, conf_fractional_percent, numerator),
	    .text = "Parts of the denominator." },
	{ FIELD(SCHEMA_ENUM, conf_fractional_percent, denominator),
	    .choices = denominator_choices,
	    .text = "What the numerator counts parts of; HUNDRED." },
	{ .name = NULL },
};

const struct schema_message conf_fractional_percent_message = {
	.name = "envoy.type.v3.FractionalPercent",
	.size = sizeof(struct conf_fractional_percent),
	.fields = fractional_percent_fields,
};

static const struct schema_field fraction_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_runtime_fraction, default_value),
	    .message = &conf_fractional_percent_message,
	    .text = "The fraction." },
	{ FIELD(SCHEMA_STR, conf_runtime_fraction, runtime_key),
	    .text = KEY_TEXT },
	{ .name = NULL },
};

static void
check_fraction(struct diag *diag, const char *path, void *decoded)
{
	struct conf_runtime_fraction *f = decoded;

	(void)path;
	if (f->default_value)
		runtime_fraction(
		    diag_runtime(diag), f->runtime_key, f->default_value);
}

const struct schema_message conf_runtime_fraction_message = {
	.name = "envoy.config.core.v3.RuntimeFractionalPercent",
	.size = sizeof(struct conf_runtime_fraction),
	.fields = fraction_fields,
	.check = check_fraction,
};

static const struct schema_field u32_fields[] = {
	{ FIELD(SCHEMA_U32, conf_runtime_u32, default_value),
	    .text = "The value." },
	{ FIELD(SCHEMA_STR, conf_runtime_u32, runtime_key), .text = KEY_TEXT },
	{ .name = NULL },
};

static void
check_u32(struct diag *diag, const char *path, void *decoded)
{
	struct conf_runtime_u32 *u = decoded;
	uint64_t value = u->default_value;

	(void)path;
	runtime_u64(diag_runtime(diag), u->runtime_key, &value);
	u->default_value = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

const struct schema_message conf_runtime_u32_message = {
	.name = "envoy.config.core.v3.RuntimeUInt32",
	.size = sizeof(struct conf_runtime_u32),
	.fields = u32_fields,
	.check = check_u32,
};

static const struct schema_field double_fields[] = {
	{ FIELD(SCHEMA_DOUBLE, conf_runtime_double, default_value),
	    .text = "The value." },
	{ FIELD(SCHEMA_STR, conf_runtime_double, runtime_key),
	    .text = KEY_TEXT },
	{ .name = NULL },
};

static void
check_double(struct diag *diag, const char *path, void *decoded)
{
	struct conf_runtime_double *d = decoded;

	(void)path;
	runtime_double(diag_runtime(diag), d->runtime_key, &d->default_value);
}

const struct schema_message conf_runtime_double_message = {
	.name = "envoy.config.core.v3.RuntimeDouble",
	.size = sizeof(struct conf_runtime_double),
	.fields = double_fields,
	.check = check_double,
};
