"""A case: one YAML file from which the bootstrap and the requests are made.

    about: what it shows, in a sentence
    hcm: {...}             fields of the HttpConnectionManager, over the defaults
    routes: [...]          routes of the only virtual host, "*"; or instead:
    virtual_hosts: [...]   all virtual hosts; or
    route_config: {...}    fields of the RouteConfiguration
    filters: [...]         http_filters before the router: either whole entries,
                           or {name, type, ...fields}, type being the message
                           ("cors.v3.Cors" stands for
                           envoy.extensions.filters.http.cors.v3.Cors)
    router: {...}          fields of the router filter
    clusters: {name: {...}}   beside or over "backend"; "hosts" lists the hosts:
                           A, B, C are three scripted backends, T one that
                           speaks TLS, DEAD is a port where nobody listens, FULL
                           one where nobody accepts
    listener: {...}        fields of the listener
    bootstrap: {...}       laid over the whole at last
    yaml: text             the whole bootstrap as it is, instead of all these
    json: true             the bootstrap is a file in JSON
    log: text              format of the access log, instead of LOG
    varying: [[pattern, replacement]]   what must differ in the log: times
    env: {NAME: value}     environment of both programs
    files: {name: text}    files; @FOLDER@ anywhere stands for their folder
    counters: [regex]      counters compared beside those of counters.py
    requests:              each is a text, or {request: text, ...}
    - GET /path            a request line, then header lines, a blank, a body;
                           Host and Connection: close are added unless given,
                           Content-Length with a body, POST, PUT and PATCH
    - request: |           the long form:
        POST /x
        X-A: 1

        body
      answers: [{...}]     what the backends answer, one after the other, the
                           last again and again; see judge/backend.py
      during: [text, ...]  requests that are under way meanwhile: they have
                           reached their backends, whose answers "hold"; one
                           with "calls" when there were so many
      calls: 2             waits until the backends were asked so often
    - raw: "GET / HTTP..." bytes as they are

Ports in texts: @A@, @B@, @C@, @T@, @DEAD@ and @PORT@, the listener's. @TLS@ is
a folder of certificates (authority.py).
"""

import copy
import json
import os

import yaml

TYPE = "type.googleapis.com/"
FILTER = TYPE + "envoy.extensions.filters.http."
HCM = (
    TYPE + "envoy.extensions.filters.network.http_connection_manager.v3."
    "HttpConnectionManager"
)
FILE_LOG = TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog"
LOG = (
    "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %RESPONSE_CODE% "
    "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% route=%ROUTE_NAME% "
    "cluster=%UPSTREAM_CLUSTER% host=%UPSTREAM_HOST% rx=%BYTES_RECEIVED% "
    "tx=%BYTES_SENT% tries=%UPSTREAM_REQUEST_ATTEMPT_COUNT% "
    "why=%UPSTREAM_TRANSPORT_FAILURE_REASON%\n"
)
KNOWN = {
    *("about", "hcm", "routes", "virtual_hosts", "route_config", "filters"),
    *("router", "clusters", "bootstrap", "log", "env", "files", "counters"),
    *("requests", "yaml", "json", "listener", "varying"),
}


class Request:
    def __init__(self, entry):
        if not isinstance(entry, dict):
            entry = {"request": entry}
        self.answers = entry.get("answers") or [{}]
        self.during = [Request(r) for r in entry.get("during", [])]
        self.calls = entry.get("calls", 0)
        if "raw" in entry:
            self.data = entry["raw"].encode("latin-1")
        else:
            self.data = written(entry["request"])
        self.method = self.data.split(b" ")[0].decode("latin-1")
        self.title = self.data.split(b"\r\n")[0].decode("latin-1")[:80]


def written(text):
    """The bytes of a request in the short way of writing."""
    head, _, body = text.partition("\n\n")
    lines = head.rstrip("\n").split("\n")
    names = {line.partition(":")[0].strip().lower() for line in lines[1:]}
    first = lines[0].rstrip("\r")
    if " HTTP/" not in first:
        lines[0] = first + " HTTP/1.1"
    if "host" not in names:
        lines.insert(1, "Host: gateway.test")
    if "connection" not in names:
        lines.append("Connection: close")
    data = body.encode()
    wants_length = data or first.split(" ")[0] in ("POST", "PUT", "PATCH")
    if wants_length and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def merged(base, over):
    """over laid on base: maps are merged, anything else is replaced."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    out = dict(base)
    for key, value in over.items():
        out[key] = merged(base.get(key), value)
    return out


def http_filter(entry):
    if "typed_config" in entry or "type" not in entry:
        return entry
    fields = {k: v for k, v in entry.items() if k not in ("type", "name")}
    kind = entry["type"]
    full = TYPE + kind if kind.startswith("envoy.") else FILTER + kind
    outer = {}
    for key in ("disabled", "is_optional"):
        if key in fields:
            outer[key] = fields.pop(key)
    return {
        "name": entry.get("name", "envoy.filters.http." + kind.split(".")[0]),
        "typed_config": {"@type": full, **fields},
        **outer,
    }


def cluster(name, fields):
    fields = dict(fields or {})
    hosts = fields.pop("hosts", None)
    out = {"name": name, "type": "STATIC", "connect_timeout": "1s", **fields}
    if hosts is not None:
        out["load_assignment"] = {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [host(h) for h in hosts]}],
            **out.get("load_assignment", {}),
        }
    return out


def host(entry):
    """A host: its letter, or {host: letter, ...fields of the LbEndpoint}."""
    if not isinstance(entry, dict):
        entry = {"host": entry}
    fields = {k: v for k, v in entry.items() if k != "host"}
    address = {"address": "127.0.0.1", "port_value": f"@{entry['host']}@"}
    return merged(
        {"endpoint": {"address": {"socket_address": address}}}, fields
    )


class Case:
    known = KNOWN

    def __init__(self, path):
        self.path = path
        self.id = "/".join(path.removesuffix(".yaml").split("/")[-2:])
        with open(path) as f:
            self.parts = yaml.safe_load(f)
        unknown = set(self.parts) - self.known
        assert not unknown, f"{self.id}: unknown parts {unknown}"
        self.requests = [Request(r) for r in self.parts["requests"]]
        self.env = self.parts.get("env") or {}
        self.files = self.parts.get("files") or {}
        self.counters = self.parts.get("counters") or []
        self.varying = self.parts.get("varying") or []
        self.file = "config.json" if self.parts.get("json") else "config.yaml"

    def route_config(self):
        parts = self.parts
        hosts = parts.get("virtual_hosts") or [
            {
                "name": "all",
                "domains": ["*"],
                "routes": parts.get("routes")
                or [{"match": {"prefix": "/"}, "route": {"cluster": "backend"}}],
            }
        ]
        return merged(
            {"name": "routes", "virtual_hosts": hosts},
            parts.get("route_config") or {},
        )

    def hcm(self):
        parts = self.parts
        router = {
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": FILTER + "router.v3.Router",
                **(parts.get("router") or {}),
            },
        }
        log = {
            "name": "log",
            "typed_config": {
                "@type": FILE_LOG,
                "path": "@FOLDER@/access.log",
                "log_format": {
                    "text_format_source": {
                        "inline_string": parts.get("log") or LOG
                    }
                },
            },
        }
        return merged(
            {
                "@type": HCM,
                "stat_prefix": "in",
                "access_log": [log],
                "route_config": self.route_config(),
                "http_filters": [
                    *map(http_filter, parts.get("filters") or []),
                    router,
                ],
            },
            parts.get("hcm") or {},
        )

    def bootstrap(self):
        clusters = {"backend": {"hosts": ["A"]}}
        clusters.update(self.parts.get("clusters") or {})
        listener = {
            "name": "in",
            "address": {
                "socket_address": {
                    "address": "127.0.0.1",
                    "port_value": "@PORT@",
                }
            },
            "filter_chains": [
                {"filters": [{"name": "hcm", "typed_config": self.hcm()}]}
            ],
            **(self.parts.get("listener") or {}),
        }
        return merged(
            {
                "static_resources": {
                    "listeners": [listener],
                    "clusters": [cluster(*item) for item in clusters.items()],
                },
            },
            self.parts.get("bootstrap") or {},
        )

    def text(self, places):
        """The bootstrap as YAML or JSON, its @PLACES@ filled in."""
        if "yaml" in self.parts:
            text = self.parts["yaml"]
        elif self.parts.get("json"):
            text = json.dumps(self.bootstrap())
        else:
            text = yaml.safe_dump(
                self.bootstrap(),
                sort_keys=False,
                allow_unicode=True,
                width=4096,
            )
        return filled(text, places)


def filled(text, places):
    for name, value in places.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def all_cases(folder):
    found = []
    for top, _, names in os.walk(folder):
        found += [f"{top}/{n}" for n in names if n.endswith(".yaml")]
    return sorted(found)
