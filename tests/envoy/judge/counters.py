"""The counters that are compared in every case, by Envoy's names."""

import re

COMPARED = [
    r"http\.in\.downstream_rq_(total|completed|[1-5]xx|http[123]_total)",
    r"http\.in\.downstream_rq_(timeout|idle_timeout|max_duration_reached)",
    r"http\.in\.downstream_rq_(too_large|non_relative_path)",
    r"http\.in\.downstream_rq_(failed_path_normalization"
    r"|redirected_with_normalized_path)",
    r"http\.in\.downstream_rq_(rejected_via_ip_detection|ws_on_non_ws_route)",
    r"http\.in\.(no_route|no_cluster|rq_total|rq_redirect|rq_direct_response)",
    r"http\.in\.rs_too_large",
    r"http\.in\.cors\..*",
    r".*\.http_local_rate_limit\..*",
    r"http\.in\.fault\..*",
    r"(http\.in\.)?set_metadata\..*",
    r"http_filter_name\..*",
    r"http\.in\.jwt_authn\..*",
    # Of connections only what does not depend on which of them are reused.
    r"cluster\.[^.]+\.((internal|external|canary|retry)\.)?"
    r"upstream_rq_(completed|[1-5]xx|\d{3}|unknown)",
    r"cluster\.[^.]+\.upstream_rq_(total|cancelled|timeout|maintenance_mode"
    r"|max_duration_reached|per_try_(idle_)?timeout|retry.*|pending_overflow"
    r"|pending_failure_eject|active_overflow|drop_overload"
    r"|[rt]x_reset)",
    r"cluster\.[^.]+\.(retry_or_shadow_abandoned|original_dst.*|bind_errors)",
    r"cluster\.[^.]+\.upstream_cx_(connect_(fail|timeout)|none_healthy"
    r"|overflow|protocol_error|max_duration_reached)",
    r"vhost\..*",
]


def chosen(counters, more):
    wanted = re.compile("|".join(f"(?:{p})" for p in [*COMPARED, *more]))
    return {
        f"counter:{name}": value
        for name, value in counters.items()
        if wanted.fullmatch(name)
    }
