/*
 * Envoy's substitution format ("%REQ(X-ID?:PATH):10%"), used by access logs,
 * header values and local replies.
 */
#ifndef SALLYPORT_CHAIN_FORMAT_H
#define SALLYPORT_CHAIN_FORMAT_H

#include "base/buf.h"
#include "config/model.h"

struct format;
struct exchange;

/* Compiles the text of a header value; NULL with the error added. */
const struct format *format_text(
    struct arena *, struct str text, const struct node *, struct diag *);

/* The same for the text of a log. */
const struct format *format_log_text(
    struct arena *, struct str text, const struct node *, struct diag *);

/* Compiles text_format, text_format_source or json_format. */
const struct format *format_build(
    struct arena *, const struct conf_format *, struct diag *);

/* An Envoy json_format Struct. */
const struct format *format_json(
    struct arena *, const struct node *, struct diag *);

/* What a body in this format is: text/plain, application/json, or as configured. */
struct str format_content_type(const struct format *);

/* Appends the rendered text: absent values are "-" (json: null). */
enum err format_render(
    const struct format *, const struct exchange *, struct buf *) CHECKED;

/* The same where absent values vanish, as in header values; in the exchange's arena. */
struct str format_value(const struct format *, const struct exchange *);

#endif
