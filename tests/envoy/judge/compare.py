"""What is compared, and how texts that must differ are made alike."""

import re

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PORT = re.compile(r"127\.0\.0\.9:\d+")
# Of the connection, not of the answer; the web server's.
FRAMING = {
    *("connection", "keep-alive", "transfer-encoding", "date"),
    # lighttpd adds it to what it could cut into ranges
    "accept-ranges",
}
VARYING = {"x-envoy-upstream-service-time": "<ms>"}
# What is left of it, when something is tried again.
TIME_LEFT = "x-envoy-expected-rq-timeout-ms"
COOKIE = re.compile(r'="[0-9a-f]{16}"')


def alike(text):
    text = UUID.sub("<uuid>", text)
    text = PORT.sub("127.0.0.9:<port>", text)
    text = COOKIE.sub('="<hash>"', text)
    return text.replace("127.0.0.2", "127.0.0.1")


def fields(headers, leave_out):
    """name -> sorted values."""
    out = {}
    for name, value in headers:
        name = name.lower()
        if name not in leave_out:
            out.setdefault(name, []).append(VARYING.get(name, alike(value)))
    return {name: sorted(values) for name, values in out.items()}


def seen(calls):
    """What the backends were asked, as texts by part. Each has an order of its
    own; which of two is asked first is nobody's promise."""
    calls = sorted(calls, key=lambda call: call[0])
    out = {"calls": "\n".join(f"{n} {r.method} {r.target}" for n, r in calls)}
    for i, (_, request) in enumerate(calls):
        prefix = f"backend[{i}]." if i else "backend."
        found = fields(request.headers, {"connection"})
        # With the same bytes it is the same body, however framed.
        found.pop("transfer-encoding", None)
        found.pop("content-length", None)
        if len(calls) > 1 and TIME_LEFT in found:
            out["time"] = max(out.get("time", 0), int(found[TIME_LEFT][0]))
            found[TIME_LEFT] = ["<ms>"]
        for name, values in found.items():
            out[f"{prefix}header:{name}"] = values
        out[prefix + "body"] = request.body.decode("latin-1")
    return out


def answer(response):
    out = {
        "status": response.status,
        "complete": response.complete,
        "body": alike(response.body.decode("latin-1")),
    }
    for name, values in fields(response.headers, FRAMING).items():
        out[f"header:{name}"] = values
    return out


def differences(envoy, ours):
    """part -> (Envoy's, ours) where they are not the same."""
    out = {}
    for part in sorted({*envoy, *ours}):
        if part == "header:content-length" and part not in envoy:
            continue  # chunked there, of known length behind lighttpd
        if envoy.get(part) != ours.get(part):
            out[part] = (envoy.get(part), ours.get(part))
    return out


def log_lines(text, varying):
    """Lines of the log; varying is a list of patterns and replacements."""
    text = alike(text)
    for pattern, replacement in varying:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return {f"log[{i}]": line for i, line in enumerate(text.splitlines())}
