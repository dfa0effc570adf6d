"""The counters that are compared in every case, by Envoy's names."""

import re

COMPARED = [
    r"http\.in\.downstream_rq_(total|completed|[1-5]xx|http[123]_total)",
    r"http\.in\.downstream_rq_(timeout|idle_timeout|max_duration_reached)",
    r"http\.in\.downstream_rq_(too_large|non_relative_path)",
    r"http\.in\.downstream_rq_(failed_path_normalization"
    r"|redirected_with_normalized_path)",
    r"http\.in\.downstream_rq_(rejected_via_ip_detection|ws_on_non_ws_route)",
    r"http\.in\.(no_route|rq_total|rq_redirect|rq_direct_response)",
    r"http\.in\.rs_too_large",
    r"http\.in\.cors\..*",
    r".*\.http_local_rate_limit\..*",
    r"http\.in\.fault\..*",
    r"(http\.in\.)?set_metadata\..*",
    r"http_filter_name\..*",
    r"http\.in\.jwt_authn\..*",
]


def chosen(counters, more):
    wanted = re.compile("|".join(f"(?:{p})" for p in [*COMPARED, *more]))
    return {
        f"counter:{name}": value
        for name, value in counters.items()
        if wanted.fullmatch(name)
    }
