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
