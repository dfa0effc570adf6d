"""Configurations as dicts; JSON is YAML too."""

import copy

from .tokens import SECRET

JWT = {"secret": {"env": "JWT_SECRET"}}
ENV = {"JWT_SECRET": SECRET}


def one_route(backend, route=None, **top):
    """/api goes to the backend."""
    return routes(
        [{"path": "/api", "backend": backend.url, **(route or {})}], **top
    )


def routes(items, **top):
    return {"routes": copy.deepcopy(items), **top}


def with_jwt(backend, route=None, jwt=None, **top):
    return one_route(
        backend,
        {"auth": "jwt", **(route or {})},
        jwt={**JWT, **(jwt or {})},
        **top,
    )


EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"


def filter_of(name, message, **fields):
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": {"@type": f"{EXTENSIONS}.http.{message}", **fields},
    }


def envoy(backend, envoy_routes=None, filters=(), **hcm):
    """An Envoy bootstrap; everything goes to the backend unless routes say."""
    manager = {
        "@type": f"{EXTENSIONS}.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": "main",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": envoy_routes
                    or [
                        {"match": {"prefix": "/"}, "route": {"cluster": "one"}}
                    ],
                }
            ]
        },
        "http_filters": [*filters, filter_of("router", "router.v3.Router")],
        **hcm,
    }
    address = {"address": backend.host, "port_value": backend.port}
    endpoint = {"endpoint": {"address": {"socket_address": address}}}
    return {
        "static_resources": {
            "listeners": [
                {
                    "name": "main",
                    "address": {
                        "socket_address": {
                            "address": "127.0.0.1",
                            "port_value": 9999,
                        }
                    },
                    "filter_chains": [
                        {"filters": [{"name": "hcm", "typed_config": manager}]}
                    ],
                }
            ],
            "clusters": [
                {
                    "name": "one",
                    "type": "STRICT_DNS"
                    if backend.host == "localhost"
                    else "STATIC",
                    "load_assignment": {
                        "cluster_name": "one",
                        "endpoints": [{"lb_endpoints": [endpoint]}],
                    },
                }
            ],
        }
    }
