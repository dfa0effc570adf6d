"""The pages of the manual: well formed, complete, and true where they can be
run."""

import glob
import os
import re
import shutil
import subprocess

import pytest
from harness import servers
from harness.config import ENV, one_route
from harness.process import free_port
from harness.servers import CONF, PROGRAM, ROOT, Front, write
from harness.tokens import bearer, hmac_token

SOURCES = f"{ROOT}/sidecar/manual"
BUILT = f"{os.path.dirname(os.path.abspath(PROGRAM))}/sidecar/manual"


def pages():
    return sorted(glob.glob(f"{SOURCES}/*.7") + glob.glob(f"{BUILT}/*.7"))


def read(path):
    with open(path) as f:
        return f.read()


def page(name):
    for path in pages():
        if os.path.basename(path) == name:
            return read(path)
    pytest.skip(f"no {name} beside {PROGRAM}")


def test_pages_are_well_formed():
    """Without warnings of man, or of mandoc where it is there."""
    assert len(pages()) >= 2
    for path in pages():
        if shutil.which("man"):
            done = subprocess.run(
                ["man", "--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l", path],
                env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
            )
            assert (done.returncode, done.stderr) == (0, ""), path
        if shutil.which("mandoc"):
            done = subprocess.run(
                ["mandoc", "-T", "lint", "-W", "error", path],
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stdout
        long = [x for x in read(path).split("\n") if "\t\t" in x]
        assert not long, path


def test_every_filter_and_field_is_in_its_page():
    text = page("sallyport-filters.7").replace("\\-", "-")
    text = text.replace("\\:", "")
    sources = glob.glob(f"{ROOT}/filters/*.c")
    assert len(sources) > 10
    for path in sources:
        source = read(path)
        name = re.search(
            r"const struct filter filter_\w+ = \{\s+\.name = \"([^\"]+)\"",
            source,
        ).group(1)
        assert f".Ss {name}\n" in text, name
        rows = re.findall(r"\{ \.name = \"([a-z_]+)\",\s+\.type", source)
        rows += re.findall(r"REFUSED\(\s*\"([a-z_]+)\"", source)
        for row in rows:
            assert f".It Va {row}" in text, (name, row)


def test_the_page_for_envoy_names_what_is_refused():
    text = page("sallyport-from-envoy.7")
    assert "@STANCES@" not in text
    for field in ("dynamic_resources", "health_checks", "outlier_detection"):
        refused = text.split(".Sh REFUSED FIELDS")[1]
        refused = refused.split(".Sh FIELDS WITHOUT EFFECT")[0]
        assert f".It Va {field}\n" in refused


def test_pages_point_at_pages_that_exist():
    names = {os.path.basename(path) for path in pages()}
    if f"{BUILT}/sallyport-filters.7" not in pages():
        pytest.skip(f"no pages beside {PROGRAM}")
    for path in pages():
        for name, section in re.findall(r"^\.Xr (\S+) (\d)", read(path), re.M):
            assert section != "7" or f"{name}.7" in names, (path, name)


# ---- the idioms of sallyport-from-nginx(7) ----


def idioms():
    """By title and program: the text of each block."""
    found = {}
    text = read(f"{SOURCES}/sallyport-from-nginx.7")
    for section in re.split(r"^\.Ss ", text, flags=re.M)[1:]:
        title = section.partition("\n")[0]
        for item in section.split(".It Sy ")[1:]:
            program, _, rest = item.partition("\n")
            if rest.startswith(".Bd -literal\n"):
                block = rest[len(".Bd -literal\n") :].partition(".Ed\n")[0]
                found.setdefault(title, {})[program] = block
    return found


IDIOMS = idioms()


def for_backends(text, a, b):
    text = text.replace("127.0.0.1:3001", a.authority)
    return text.replace("127.0.0.1:3002", b.authority)


def nginx_alone(folder, text):
    port = free_port()
    listen = f"listen 127.0.0.1:{port};"
    if "server {\n" in text:
        text = text.replace("server {\n", f"server {{ {listen}\n")
    else:
        text = f"server {{ {listen}\n{text}}}\n"
    user = "user root;" if os.getuid() == 0 else ""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf = write(
        f"{folder}/alone.conf",
        f"{user} daemon off; pid {folder}/nginx.pid;\n"
        f"error_log {folder}/nginx.error;\nevents {{ }}\n"
        f"http {{ access_log off;\n{temporary}{text}}}\n",
    )
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    args = [program, "-p", folder, "-c", conf, "-e", f"{folder}/nginx.error"]
    return Front("nginx", args, folder, port)


def apache_alone(folder, text):
    file = os.path.relpath(write(f"{folder}/alone.inc", text), f"{CONF}/apache")
    modules = [*servers.COMMON_MODULES, "proxy", "proxy_http", "headers"]
    return servers.apache(folder, file, modules, {})


def start(scene, program, title, a, b):
    text = for_backends(IDIOMS[title][program], a, b)
    folder = scene.new_folder()
    if program == "Sallyport":
        return scene.behind(text, front="nginx", folder=folder, env=ENV)
    alone = {"nginx": nginx_alone, "Apache": apache_alone}[program]
    return scene.keep(alone(folder, text))


def prefix(front, a, _):
    assert front.get("/shop/items/7?x=1").status == 200
    assert a.requests[-1].target == "/items/7?x=1"
    a.response_status = 302
    a.response_headers = [("Location", f"{a.url}/b")]
    place = front.get("/shop/headers").header("location")
    assert place == "http://gateway.test/shop/b"


def prefix_of_nginx(front, a, _):
    # proxy_redirect default, whose port is the listener's.
    assert front.get("/shop/items/7?x=1").status == 200
    assert a.requests[-1].target == "/items/7?x=1"


def limit(front, a, _):
    got = [front.get("/search/x").status for _ in range(8)]
    # A slow machine may let one more through where tokens drip.
    assert got[:5] == [200] * 5
    assert got.count(429) >= 2


def token(front, a, b):
    if front.gateway:
        assert front.get("/orders/7").status == 401
        good = bearer(hmac_token())
    else:

        async def check(stream):
            await stream.read_body()
            good = stream.request.header("authorization") == "Basic ok"
            await stream.answer(200 if good else 401, [("X-User", "alice")])

        b.on["/check"] = check
        assert front.get("/orders/7").status == 401
        good = {"Authorization": "Basic ok"}
    assert not a.requests
    assert front.get("/orders/7", {**good, "X-User": "root"}).status == 200
    assert a.requests[-1].target == "/7"
    assert a.requests[-1].all("x-user") == ["alice"]


def headers(front, a, _):
    a.response_headers = [("X-Powered-By", "x")]
    answer = front.get("/headers", {"Cookie": "a=b"})
    assert answer.status == 200
    assert answer.header("x-powered-by") is None
    assert answer.header("x-frame-options") == "DENY"
    assert a.requests[-1].all("x-gateway") == ["own"]
    assert not a.requests[-1].all("cookie")


def methods(front, a, _):
    assert front.get("/feed/x").status == 200
    answer = front.request("POST", "/feed/x", body=b"")
    assert answer.status == (405 if front.gateway else 403)
    assert len(a.requests) == 1


def works(front, a, _):
    assert front.get("/x").status == 200


TRIALS = {
    ("A prefix that goes to a backend", "nginx"): prefix_of_nginx,
    ("A prefix that goes to a backend", "Apache"): prefix,
    ("A prefix that goes to a backend", "Sallyport"): prefix,
    ("A limit per client", "nginx"): limit,
    ("A limit per client", "Sallyport"): limit,
    ("Only with a token", "nginx"): token,
    ("Only with a token", "Sallyport"): token,
    ("Headers", "nginx"): headers,
    ("Headers", "Apache"): headers,
    ("Headers", "Sallyport"): headers,
    ("Only some methods", "nginx"): methods,
    ("Only some methods", "Apache"): methods,
    ("Only some methods", "Sallyport"): methods,
    ("A time limit", "nginx"): works,
    ("A time limit", "Apache"): works,
    ("A time limit", "Sallyport"): works,
    ("A backend that is down", "nginx"): works,
    ("A backend that is down", "Sallyport"): works,
}


@pytest.mark.parametrize("title, program", TRIALS)
def test_an_idiom_does_what_the_page_says(scene, title, program):
    a, b = scene.backend(), scene.backend()
    front = start(scene, program, title, a, b)
    TRIALS[title, program](front, a, b)


def test_every_idiom_is_tried():
    there = {(t, p) for t in IDIOMS for p in IDIOMS[t]}
    parts = {t for t in there if t[0] == "Part of a site"}
    assert there - parts == set(TRIALS)
    assert {p for _, p in parts} == {"nginx", "Apache"}


def test_a_part_of_a_site_stays_with_the_web_server(scene, backend):
    for program in ("nginx", "Apache"):
        text = IDIOMS["Part of a site"][program]
        gateway = scene.gateway(one_route(backend, {"path": "/"}))
        folder = gateway.folder
        servers.open_socket(gateway)
        os.makedirs(f"{folder}/www/static")
        write(f"{folder}/www/static/a.txt", "of the web server\n")
        # The path of the project may hold a space.
        text = re.sub(r"/etc/sallyport([^\s;]*)", rf'"{CONF}\1"', text)
        text = text.replace("/srv/www", f"{folder}/www")
        if program == "nginx":
            upstream = read(f"{CONF}/nginx/sallyport-upstream.conf")
            socket = "/run/sallyport/sallyport.sock"
            assert socket in upstream
            front = nginx_alone(
                folder,
                upstream.replace(socket, gateway.address)
                + "server {\n"
                + text
                + "}\n",
            )
        else:
            extra = (
                f'Alias "/static/" "{folder}/www/static/"\n'
                f'<Directory "{folder}/www">\nRequire all granted\n'
                "</Directory>\n"
            )
            file = write(f"{folder}/alone.inc", extra + text)
            front = servers.apache(
                folder,
                os.path.relpath(file, f"{CONF}/apache"),
                [*servers.COMMON_MODULES, "proxy", "proxy_fcgi"],
                {"SALLYPORT_SOCKET": gateway.address},
            )
        scene.keep(front)
        assert front.get("/static/a.txt").body == b"of the web server\n"
        assert front.get("/echo/x").json()["target"] == "/echo/x"
