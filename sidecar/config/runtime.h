/*
 * Envoy's runtime: keys that override values of the configuration, from the
 * layers of layered_runtime, read once when the configuration is loaded. The
 * messages that name a key (RuntimeFractionalPercent, ...) ask here, with
 * diag_runtime(), while they are decoded: in default_value stands what holds.
 */
#ifndef SALLYPORT_CONFIG_RUNTIME_H
#define SALLYPORT_CONFIG_RUNTIME_H

#include "config/model.h"

/* envoy.config.bootstrap.v3 */
struct conf_disk_layer {
	const struct node *node;
	struct str symlink_root, subdirectory;
	bool append_service_cluster;
};
struct conf_runtime_layer {
	const struct node *node;
	struct str name;
	const struct node *static_layer; /* a map, nested as the user likes */
	struct conf_disk_layer *disk_layer;
	struct conf_empty *admin_layer;
};
struct conf_layered_runtime {
	const struct node *node;
	CONF_LIST(struct conf_runtime_layer) layers;
};
extern const struct schema_message conf_layered_runtime_message;

/*
 * Reads the layers, later ones over earlier ones. disk_cluster is node.cluster,
 * for a disk layer that appends it. What is wrong is added to the diag.
 */
struct runtime *runtime_read(struct arena *, struct diag *,
    const struct conf_layered_runtime *, struct str disk_cluster);

/*
 * The value of a key as Envoy reads it. False, leaving *out alone, if there is
 * no such key or no such value of it; a NULL runtime has no keys. A double that
 * is no integer counts as an integer without its fraction.
 */
bool runtime_u64(const struct runtime *, struct str key, uint64_t *out);
bool runtime_double(const struct runtime *, struct str key, double *out);

/* A FractionalPercent, or a number of percent. */
bool runtime_fraction(const struct runtime *, struct str key,
    struct conf_fractional_percent *out);

/*
 * Says which keys nobody has asked for: a warning, but an error for those by
 * which Envoy itself is known to go.
 */
void runtime_tell_unread(const struct runtime *, struct diag *);

#endif
