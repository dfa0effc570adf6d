/*
 * Envoy's interface for dynamic modules, as far as we use it, in the form of
 * Envoy 1.40 (its own header is source/extensions/dynamic_modules/abi/abi.h).
 * Envoy promises that a released name, signature or number stays.
 *
 * Hooks are ours and Envoy calls them; callbacks are Envoy's. Envoy binds
 * all names when it loads a module, so one that it lacks would refuse the
 * whole file: all callbacks are weak here, and abi_is_complete() looks
 * whether those that we cannot do without are there.
 */
#ifndef SALLYPORT_MODULE_ABI_H
#define SALLYPORT_MODULE_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What program_init answers; another one only makes Envoy warn. */
#define ABI_VERSION "v0.2.0"

/* Bytes of Envoy's or of ours; borrowed, without a NUL. */
struct abi_bytes {
	const char *ptr;
	size_t len;
};

struct abi_header {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

enum abi_log {
	ABI_LOG_TRACE,
	ABI_LOG_DEBUG,
	ABI_LOG_INFO,
	ABI_LOG_WARN,
	ABI_LOG_ERROR,
	ABI_LOG_CRITICAL,
};

enum abi_map {
	ABI_REQUEST_HEADERS,
	ABI_REQUEST_TRAILERS,
	ABI_RESPONSE_HEADERS,
	ABI_RESPONSE_TRAILERS,
};

/* What a hook for headers answers. */
enum abi_headers_status {
	ABI_HEADERS_CONTINUE,
	ABI_HEADERS_STOP, /* until a body hook answers "continue" */
	ABI_HEADERS_CONTINUE_WITHOUT_END,
	ABI_HEADERS_STOP_ALL_AND_BUFFER,
	ABI_HEADERS_STOP_ALL, /* body hooks too; the peer is held back */
};

enum abi_body_status {
	ABI_BODY_CONTINUE,
	ABI_BODY_STOP_AND_BUFFER,
	ABI_BODY_STOP, /* the peer is held back */
	ABI_BODY_STOP_NO_BUFFER,
};

enum abi_trailers_status { ABI_TRAILERS_CONTINUE, ABI_TRAILERS_STOP };

enum abi_attribute {
	ABI_PROTOCOL = 10,
	ABI_RESPONSE_CODE = 15,
	ABI_CODE_DETAILS = 16,
	ABI_SOURCE_ADDRESS = 24, /* with the port */
	ABI_SOURCE_PORT = 25,
	ABI_CLUSTER_NAME = 57,
	ABI_ROUTE_NAME = 61,
};

enum abi_metadata { ABI_METADATA_DYNAMIC };

/* Of a request: what the running body hook brings, and what is kept back. */
enum abi_body { ABI_RECEIVED_BODY, ABI_BUFFERED_BODY };

/*
 * Short names here, Envoy's own in the symbol table. Declarations only: the
 * name stands behind the parameters.
 */
#define ABI_HOOK(name)                                                         \
	__asm__("envoy_dynamic_module_on_" name)                               \
	    __attribute__((visibility("default")))
#define ABI_CALLBACK(name)                                                     \
	__asm__("envoy_dynamic_module_callback_" name)                         \
	    __attribute__((weak, visibility("default")))

/* ---- callbacks: of the process ---- */

void abi_log(enum abi_log, struct abi_bytes text) ABI_CALLBACK("log");
bool abi_log_enabled(enum abi_log) ABI_CALLBACK("log_enabled");

/* On the main thread only: whether Envoy runs to check its configuration. */
bool abi_is_validation(void) ABI_CALLBACK("is_validation_mode");

/* ---- callbacks: of a filter's configuration, while it is made ---- */

/* 0 for success. labels may be NULL. */
int abi_define_counter(void *host_conf, struct abi_bytes name,
    struct abi_bytes *labels, size_t n_labels, size_t *id)
    ABI_CALLBACK("http_filter_config_define_counter");

/* ---- callbacks: of a stream, on its worker's thread ---- */

int abi_count(void *stream, size_t id, struct abi_bytes *labels,
    size_t n_labels, uint64_t by) ABI_CALLBACK("http_filter_increment_counter");

bool abi_get_header(void *stream, enum abi_map, struct abi_bytes name,
    struct abi_bytes *value, size_t index, size_t *n)
    ABI_CALLBACK("http_get_header");
size_t abi_count_headers(void *stream, enum abi_map)
    ABI_CALLBACK("http_get_headers_size");
bool abi_get_headers(void *stream, enum abi_map, struct abi_header *out)
    ABI_CALLBACK("http_get_headers");
bool abi_add_header(void *stream, enum abi_map, struct abi_bytes name,
    struct abi_bytes value) ABI_CALLBACK("http_add_header");
/* A value without a pointer removes the field. */
bool abi_set_header(void *stream, enum abi_map, struct abi_bytes name,
    struct abi_bytes value) ABI_CALLBACK("http_set_header");

void abi_reply(void *stream, uint32_t status, struct abi_header *headers,
    size_t n_headers, struct abi_bytes body, struct abi_bytes details)
    ABI_CALLBACK("http_send_response");
/* A word for %CUSTOM_FLAGS% of the access log. */
void abi_flag(void *stream, struct abi_bytes flag)
    ABI_CALLBACK("http_add_custom_flag");

bool abi_get_metadata(void *stream, enum abi_metadata, struct abi_bytes ns,
    struct abi_bytes key, struct abi_bytes *value)
    ABI_CALLBACK("http_get_metadata_string");
bool abi_get_metadata_number(void *stream, enum abi_metadata,
    struct abi_bytes ns, struct abi_bytes key, double *value)
    ABI_CALLBACK("http_get_metadata_number");
void abi_set_metadata(void *stream, struct abi_bytes ns, struct abi_bytes key,
    struct abi_bytes value) ABI_CALLBACK("http_set_dynamic_metadata_string");

bool abi_get_text(void *stream, enum abi_attribute, struct abi_bytes *value)
    ABI_CALLBACK("http_filter_get_attribute_string");
bool abi_get_number(void *stream, enum abi_attribute, uint64_t *value)
    ABI_CALLBACK("http_filter_get_attribute_int");
/* What per_route_config_new has made for the route nearest to the request. */
const void *abi_route_conf(void *stream)
    ABI_CALLBACK("get_most_specific_route_config");
void abi_clear_route(void *stream) ABI_CALLBACK("http_clear_route_cache");

size_t abi_body_size(void *stream, enum abi_body)
    ABI_CALLBACK("http_get_body_size");
size_t abi_count_chunks(void *stream, enum abi_body)
    ABI_CALLBACK("http_get_body_chunks_size");
bool abi_get_chunks(void *stream, enum abi_body, struct abi_bytes *out)
    ABI_CALLBACK("http_get_body_chunks");
bool abi_append_body(void *stream, enum abi_body, struct abi_bytes)
    ABI_CALLBACK("http_append_body");
bool abi_drain_body(void *stream, enum abi_body, size_t n)
    ABI_CALLBACK("http_drain_body");
/* Whether both bodies are the same bytes. */
bool abi_received_is_buffered(void *stream)
    ABI_CALLBACK("http_received_buffered_request_body");
/* Of what is kept back; beyond it Envoy answers 413. Not in older Envoys. */
uint64_t abi_buffer_limit(void *stream) ABI_CALLBACK("http_get_buffer_limit");
void abi_set_buffer_limit(void *stream, uint64_t limit)
    ABI_CALLBACK("http_set_buffer_limit");

/* Whether this Envoy has all callbacks that every filter of ours needs. */
bool abi_is_complete(void);

/* ---- hooks ---- */

const char *on_program_init(void) ABI_HOOK("program_init");

const void *on_config_new(void *host_conf, struct abi_bytes name,
    struct abi_bytes config) ABI_HOOK("http_filter_config_new");
void on_config_destroy(const void *conf) ABI_HOOK("http_filter_config_destroy");
const void *on_route_config_new(struct abi_bytes name, struct abi_bytes config)
    ABI_HOOK("http_filter_per_route_config_new");
void on_route_config_destroy(const void *conf)
    ABI_HOOK("http_filter_per_route_config_destroy");

const void *on_new(const void *conf, void *stream) ABI_HOOK("http_filter_new");
int on_request_headers(void *stream, const void *self, bool end)
    ABI_HOOK("http_filter_request_headers");
int on_request_body(void *stream, const void *self, bool end)
    ABI_HOOK("http_filter_request_body");
int on_request_trailers(void *stream, const void *self)
    ABI_HOOK("http_filter_request_trailers");
int on_response_headers(void *stream, const void *self, bool end)
    ABI_HOOK("http_filter_response_headers");
int on_response_body(void *stream, const void *self, bool end)
    ABI_HOOK("http_filter_response_body");
int on_response_trailers(void *stream, const void *self)
    ABI_HOOK("http_filter_response_trailers");
void on_stream_complete(void *stream, const void *self)
    ABI_HOOK("http_filter_stream_complete");
void on_destroy(const void *self) ABI_HOOK("http_filter_destroy");

/* Required by Envoy, without a use here. */
void on_scheduled(void *stream, const void *self, uint64_t event)
    ABI_HOOK("http_filter_scheduled");
void on_callout_done(void *stream, const void *self, uint64_t id, int result,
    struct abi_header *headers, size_t n_headers, struct abi_bytes *body,
    size_t n_body) ABI_HOOK("http_filter_http_callout_done");
void on_http_stream_headers(void *stream, const void *self, uint64_t id,
    struct abi_header *headers, size_t n_headers, bool end)
    ABI_HOOK("http_filter_http_stream_headers");
void on_http_stream_data(void *stream, const void *self, uint64_t id,
    const struct abi_bytes *data, size_t n_data, bool end)
    ABI_HOOK("http_filter_http_stream_data");
void on_http_stream_trailers(void *stream, const void *self, uint64_t id,
    struct abi_header *trailers, size_t n_trailers)
    ABI_HOOK("http_filter_http_stream_trailers");
void on_http_stream_complete(void *stream, const void *self, uint64_t id)
    ABI_HOOK("http_filter_http_stream_complete");
void on_http_stream_reset(void *stream, const void *self, uint64_t id,
    int reason) ABI_HOOK("http_filter_http_stream_reset");
void on_above_high_watermark(void *stream, const void *self)
    ABI_HOOK("http_filter_downstream_above_write_buffer_high_watermark");
void on_below_low_watermark(void *stream, const void *self)
    ABI_HOOK("http_filter_downstream_below_write_buffer_low_watermark");

#endif
