/*
 * What several filters need, made of chain/host.h alone, so that it runs
 * wherever filters run.
 */
#ifndef SALLYPORT_CHAIN_KIT_H
#define SALLYPORT_CHAIN_KIT_H

#include "chain/host.h"
#include "chain/match.h"

/* ---- while a configuration is built; errors are said, NULL follows ---- */

const struct string_match *kit_string_match(
    struct setup *, const struct conf_string_matcher *);
const struct regex *kit_regex(struct setup *, const struct conf_regex *);

/* Header matchers that all have to hold. */
struct kit_matches {
	const struct header_match **items;
	size_t n;
};
struct kit_matches kit_header_matches(
    struct setup *, const struct conf_header_matcher *, size_t n);

/* A list of HeaderValueOption, compiled. */
struct kit_fields;
const struct kit_fields *kit_fields(
    struct setup *, const conf_header_options *);

/* A google.protobuf.Struct as JSON text; absent with the error said. */
struct str kit_json(struct setup *, const struct node *);

/* ---- while a request runs ---- */

/* Whether all matches hold; true if there are none. */
bool kit_headers_hold(
    struct exchange *, enum host_map, const struct kit_matches *);

/* Throws the dice; without a fraction it never, or as fallback says, happens. */
bool kit_percent(struct exchange *, const struct conf_fractional_percent *);
bool kit_happens(
    struct exchange *, const struct conf_runtime_fraction *, bool fallback);

/*
 * Applies the fields as routes do: values and what exists are those of the
 * beginning, then comes what overwrites, then what is added. To the request
 * or the response, or to the headers of an answer that is being made. NULL
 * does nothing.
 */
void kit_fields_apply(
    struct exchange *, enum host_map, const struct kit_fields *);
void kit_fields_write(
    struct exchange *, const struct kit_fields *, struct headers *);

#endif
