"""A real Envoy with our filters inside, for the tests of the module itself."""

import json
import os
import socket
import subprocess

import pytest
import yaml
from harness import client, servers
from harness.process import Child, free_port
from harness.wait import until

from .case import FILE_LOG, FILTER, HCM, TYPE
from .programs import ENVOY, read_answer
from .short import MODULE_FOLDER, module_environment

# Envoy brings its own malloc; tests/unit/check_module has them instead.
without_sanitizers = pytest.mark.skipif(
    servers.HAS_SANITIZERS, reason="Envoy cannot load what has sanitizers"
)

MODULES = FILTER + "dynamic_modules.v3."
STRUCT = TYPE + "google.protobuf.Struct"
TRAPS = os.path.join(MODULE_FOLDER, "tests/envoy/libtraps.so")


def _module(name):
    if name.startswith("traps."):
        return {"module": {"local": {"filename": TRAPS}}}
    return {"name": "sallyport"}


def _filter(message, name, config):
    return {
        "@type": MODULES + message,
        "dynamic_module_config": _module(name),
        "filter_name": name,
        "filter_config": {"@type": STRUCT, "value": config},
    }


def module_filter(filter_name, name=None, /, **config):
    return {
        "name": name or filter_name,
        "typed_config": _filter("DynamicModuleFilter", filter_name, config),
    }


def route_filter(filter_name, /, **config):
    return _filter("DynamicModuleFilterPerRoute", filter_name, config)


def route(prefix, cluster="one", **more):
    return {
        "name": prefix,
        "match": {"prefix": prefix},
        "route": {"cluster": cluster},
        **more,
    }


def cluster(name, port):
    address = {"address": "127.0.0.1", "port_value": port}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [
                {
                    "lb_endpoints": [
                        {"endpoint": {"address": {"socket_address": address}}}
                    ]
                }
            ],
        },
    }


def listener(port, filters, routes=None, log="", folder="", **hcm):
    router = {
        "name": "router",
        "typed_config": {"@type": FILTER + "router.v3.Router"},
    }
    host = {
        "name": "all",
        "domains": ["*"],
        "routes": routes or [route("/")],
    }
    manager = {
        "@type": HCM,
        "stat_prefix": "in",
        "use_remote_address": True,
        "route_config": {"name": "routes", "virtual_hosts": [host]},
        "http_filters": [*filters, router],
        **hcm,
    }
    manager = {k: v for k, v in manager.items() if v is not None}
    if log:
        manager["access_log"] = [
            {
                "name": "log",
                "typed_config": {
                    "@type": FILE_LOG,
                    "path": f"{folder}/access.log",
                    "log_format": {
                        "text_format_source": {"inline_string": log + "\n"}
                    },
                },
            }
        ]
    return {
        "name": "in",
        "address": {
            "socket_address": {"address": "127.0.0.1", "port_value": port}
        },
        "filter_chains": [
            {"filters": [{"name": "hcm", "typed_config": manager}]}
        ],
    }


class Inside(Child):
    """Envoy in a folder of its own. config is a bootstrap, as dict or text."""

    def __init__(
        self,
        folder,
        config,
        port,
        workers=1,
        env=None,
        state=None,
        drain=1,
        epoch=None,
        name="envoy",
    ):
        """drain: seconds that requests of an old configuration have. epoch:
        the number of a hot restart, and the file with the base id."""
        self.folder = folder
        self.address = ("127.0.0.1", port)
        self.state = state or f"{folder}/state"
        if not isinstance(config, str):
            config = yaml.safe_dump(config, sort_keys=False)
        self.config = servers.write(f"{folder}/envoy.yaml", config)
        self.env = servers.environment(
            {**module_environment(self.state), **(env or {})}
        )
        admin = {"admin": {"address": {"pipe": {"path": f"{folder}/admin"}}}}
        if not epoch or epoch[0] == 0:
            base = ["--use-dynamic-base-id"]
            base += ["--base-id-path", epoch[1]] if epoch else []
        else:
            with open(epoch[1]) as f:
                base = ["--base-id", f.read().strip()]
            base += ["--restart-epoch", str(epoch[0])]
            base += ["--parent-shutdown-time-s", "2"]
        super().__init__(
            name,
            [
                *(ENVOY, "-c", self.config, *base),
                *("--config-yaml", json.dumps(admin)),
                *("--concurrency", str(workers)),
                *("--log-level", "warning", "--drain-time-s", str(drain)),
                *("--file-flush-interval-msec", "20"),
            ],
            folder,
            self.env,
        )

    def ready(self):
        self.wait_for(self.address)
        return self

    def send(self, parts, method="GET", timeout=30):
        """The response to the bytes, each part in a segment of its own."""
        with client.connect(self.address, timeout) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                for part in parts:
                    s.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return read_answer(s, method)

    def request(self, method, target, headers=(), body=None, **options):
        return self.send(
            [client.encode_request(method, target, headers, body)],
            method,
            **options,
        )

    def get(self, target, headers=(), **options):
        return self.request("GET", target, headers, **options)

    def admin(self, path, method="GET"):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(f"{self.folder}/admin")
            s.sendall(
                f"{method} {path} HTTP/1.1\r\nHost: admin\r\n"
                "Connection: close\r\nContent-Length: 0\r\n\r\n".encode()
            )
            return client.Response(client.read_all(s)).body.decode()

    def stats(self, pattern):
        text = self.admin(f"/stats?format=json&filter={pattern}")
        return {
            s["name"]: s["value"]
            for s in json.loads(text)["stats"]
            if "name" in s
        }

    def log_lines(self, n):
        """The access log, once it has n lines."""

        def enough():
            try:
                with open(f"{self.folder}/access.log", "rb") as f:
                    lines = f.read().decode("latin-1").splitlines()
            except FileNotFoundError:
                return None
            return lines if len(lines) >= n else None

        return until(enough, f"{n} lines of the access log")


def start(folder, filters, backend, **options):
    """An Envoy with one listener and its cluster "one"."""
    workers = options.pop("workers", 1)
    env, state = options.pop("env", None), options.pop("state", None)
    clusters = options.pop("clusters", ())
    node = options.pop("node", {})
    port = free_port()
    config = {
        "node": node,
        "static_resources": {
            "listeners": [
                listener(port, filters, folder=folder, **options)
            ],
            "clusters": [cluster("one", backend.port), *clusters],
        }
    }
    return Inside(folder, config, port, workers, env, state)


def validate(folder, config, state, env=None):
    """`envoy --mode validate`: whether it is fine, and what it said."""
    if not isinstance(config, str):
        config = yaml.safe_dump(config, sort_keys=False)
    path = servers.write(f"{folder}/check.yaml", config)
    done = subprocess.run(
        [ENVOY, "-c", path, "--mode", "validate", "--use-dynamic-base-id"],
        env=servers.environment({**module_environment(state), **(env or {})}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode == 0, done.stderr
