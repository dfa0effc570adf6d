"""Sallyport in each of its settings, behind each web server.

The files of conf/ are included as they stand; what a test adds around them
(ports, modules, where the log goes) is written here.
"""

import json
import os
import shutil
import signal

from . import client
from .process import Child, children_of, free_port, resident_kib
from .wait import until

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
CONF = f"{ROOT}/conf"
PROGRAM = os.environ.get("SALLYPORT", f"{ROOT}/build/sallyport")
# Their shadow memory makes it pointless to measure ours.
HAS_SANITIZERS = (
    os.path.exists(PROGRAM) and b"__asan_init" in open(PROGRAM, "rb").read()
)
APACHE_MODULES = "/usr/lib/apache2/modules"


def environment(more=None):
    env = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "ASAN_OPTIONS": "detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    env.update(more or {})
    return env


def write(path, text):
    """text may be a configuration as a dict."""
    if not isinstance(text, str):
        text = json.dumps(text, indent=2)
    with open(path, "w") as f:
        f.write(text)
    return path


class Log:
    """An access log of JSON lines."""

    def __init__(self, path):
        self.path = path

    def lines(self):
        try:
            with open(self.path, "rb") as f:
                return [json.loads(line) for line in f.read().splitlines()]
        except FileNotFoundError:
            return []

    def wait(self, n=1, what=lambda line: True):
        """The lines that match, once there are at least n."""

        def enough():
            found = [line for line in self.lines() if what(line)]
            return found if len(found) >= n else None

        return until(enough, f"{n} matching lines in {self.path}")

    def of(self, response):
        """The line of the request that this response answered."""
        wanted = response.header("x-request-id")
        assert wanted, response
        return self.wait(1, lambda line: line.get("request_id") == wanted)[0]


class Sallyport(Child):
    """`sallyport serve`: a master and its workers."""

    def __init__(
        self,
        folder,
        config,
        workers=1,
        listen=None,
        env=None,
        state=True,
        options=(),
        preexec=None,
        name="sallyport",
        suffix="yaml",
        under=(),
    ):
        """under is a program, with its arguments, that runs ours."""
        self.folder = folder
        self.config = write(f"{folder}/{name}.{suffix}", config)
        self.address = f"{folder}/{name}.sock"
        self.state = f"{folder}/sallyport.state"
        self.log = Log(f"{folder}/{name}.log")
        args = [*under, PROGRAM, "serve", "-c", self.config]
        args += ["--workers", str(workers), "--access-log", self.log.path]
        if listen != "as configured":
            args += ["--listen", f"unix:{self.address}"]
        if state:
            args += ["--state", self.state]
        super().__init__(
            name, args + list(options), folder, environment(env), preexec
        )
        self.n_workers = workers

    def workers(self):
        return children_of(self.pid)

    def ready(self):
        self.wait_for(self.address)
        until(lambda: len(self.workers()) == self.n_workers, "all workers run")
        return self

    def resident_kib(self, peak=False):
        return max(resident_kib(pid, peak) for pid in self.workers())


class Front(Child):
    """A web server; requests go to it."""

    def __init__(self, name, args, folder, port, env=None, gateway=None):
        self.address = ("127.0.0.1", port)
        self.gateway = gateway
        self.log = gateway.log if gateway else None
        super().__init__(name, args, folder, environment(env))
        # lighttpd ends with 1 if connections were open.
        self.expected = (0, 1) if name == "lighttpd" else (0,)
        self.wait_for(self.address)

    def request(self, method, target, headers=(), body=None, **options):
        return client.request(
            self.address, method, target, headers, body, **options
        )

    def get(self, target, headers=(), **options):
        return self.request("GET", target, headers, **options)


def lighttpd(folder, include, variables, gateway=None, more="", env=None):
    """variables are set before the file of conf/ is included."""
    port = free_port()
    os.makedirs(f"{folder}/htdocs", exist_ok=True)
    sets = "".join(f'var.{k} = "{v}"\n' for k, v in variables.items())
    conf = write(
        f"{folder}/lighttpd.conf",
        f'server.document-root = "{folder}/htdocs"\n'
        f'server.bind = "127.0.0.1"\nserver.port = {port}\n'
        f'server.errorlog = "{folder}/lighttpd.error"\n'
        f'server.breakagelog = "{folder}/lighttpd.breakage"\n'
        f'server.upload-dirs = ( "{folder}" )\n'
        f"server.max-fds = 8192\nserver.max-connections = 4000\n"
        f'{sets}include "{CONF}/lighttpd/{include}"\n{more}',
    )
    args = [
        shutil.which("lighttpd", path="/usr/sbin:/usr/bin"),
        "-D",
        "-f",
        conf,
    ]
    return Front("lighttpd", args, folder, port, env, gateway)


def behind_lighttpd(gateway, more=""):
    return lighttpd(
        gateway.folder,
        "sallyport.conf",
        {"sallyport_socket": gateway.address},
        gateway,
        more,
    )


def program_in(folder):
    """A copy that another user may run, in a path without spaces."""
    target = f"{folder}/sallyport"
    if not os.path.exists(target):
        shutil.copy(PROGRAM, target)
        os.chmod(target, 0o755)
    return target


def spawn_environment(folder, config, env):
    """For the settings in which the web server starts Sallyport."""
    os.chmod(folder, 0o777)
    write(f"{folder}/sallyport.yaml", config)
    values = {
        "SALLYPORT_CONFIG": f"{folder}/sallyport.yaml",
        "SALLYPORT_STATE": f"{folder}/sallyport.state",
        "SALLYPORT_ACCESS_LOG": f"{folder}/sallyport.log",
    }
    values.update(env or {})
    return values


def with_log(front, folder):
    front.log = Log(f"{folder}/sallyport.log")
    return front


def lighttpd_starting(include, folder, config, env=None, more=""):
    values = spawn_environment(folder, config, env)
    variables = {
        "sallyport_program": program_in(folder),
        "sallyport_socket": f"{folder}/spawned.sock",
        "sallyport_config": values["SALLYPORT_CONFIG"],
        "sallyport_state": values["SALLYPORT_STATE"],
        "sallyport_log": values["SALLYPORT_ACCESS_LOG"],
    }
    front = lighttpd(folder, include, variables, env=values, more=more)
    return with_log(front, folder)


def lighttpd_spawned(folder, config, env=None):
    return lighttpd_starting("sallyport-spawned.conf", folder, config, env)


def lighttpd_cgi(folder, config, env=None):
    more = "".join(
        f'setenv.set-environment += ( "{k}" => "{v}" )\n'
        for k, v in (env or {}).items()
    )
    return lighttpd_starting("sallyport-cgi.conf", folder, config, env, more)


def apache(folder, include, modules, defines, gateway=None, env=None, more=""):
    port = free_port()
    loads = "".join(
        f"LoadModule {m}_module {APACHE_MODULES}/mod_{m}.so\n" for m in modules
    )
    sets = "".join(f'Define {k} "{v}"\n' for k, v in defines.items())
    user = "User www-data\nGroup www-data\n" if os.getuid() == 0 else ""
    conf = write(
        f"{folder}/apache.conf",
        f"ServerRoot {folder}\nServerName gateway.test\n"
        f"PidFile {folder}/apache.pid\nErrorLog {folder}/apache.error\n"
        f"DefaultRuntimeDir {folder}\nMutex sem\n"
        f"Listen 127.0.0.1:{port}\n{user}{loads}{sets}"
        f"DocumentRoot {folder}\n{more}Include \"{CONF}/apache/{include}\"\n",
    )
    program = shutil.which("apache2", path="/usr/sbin:/usr/bin")
    args = [program, "-D", "FOREGROUND", "-f", conf]
    return Front("apache", args, folder, port, env, gateway)


COMMON_MODULES = ["mpm_event", "authz_core", "alias", "env"]


def apache_fcgid(folder, config, env=None):
    values = spawn_environment(folder, config, env)
    defines = {
        "SALLYPORT_PROGRAM": program_in(folder),
        "SALLYPORT_CONFIG": values["SALLYPORT_CONFIG"],
        "SALLYPORT_STATE": values["SALLYPORT_STATE"],
        "SALLYPORT_LOG": values["SALLYPORT_ACCESS_LOG"],
    }
    front = apache(
        folder,
        "sallyport-fcgid.conf",
        [*COMMON_MODULES, "fcgid"],
        defines,
        env=values,
        more=f"FcgidIPCDir {folder}/fcgid\n"
        f"FcgidProcessTableFile {folder}/fcgid_shm\n"
        + "".join(
            f'FcgidInitialEnv {k} "{v}"\n' for k, v in (env or {}).items()
        ),
    )
    return with_log(front, folder)


def apache_proxy(gateway, modules=(), more=""):
    open_socket(gateway)
    return apache(
        gateway.folder,
        "sallyport-proxy.conf",
        [*COMMON_MODULES, "proxy", "proxy_fcgi", *modules],
        {"SALLYPORT_SOCKET": gateway.address},
        gateway,
        more=more,
    )


def nginx(gateway, listen="", more=""):
    """listen and more are of its server, besides the file of conf/."""
    folder, port = gateway.folder, free_port()
    user = "user root;" if os.getuid() == 0 else ""
    conf = write(
        f"{folder}/nginx.conf",
        f"{user} daemon off; worker_processes 1; pid {folder}/nginx.pid;\n"
        f"error_log {folder}/nginx.error;\n"
        "events { worker_connections 4000; }\nhttp {\n"
        f"access_log off; client_body_temp_path {folder}/nb;\n"
        f"proxy_temp_path {folder}/np; fastcgi_temp_path {folder}/nf;\n"
        f"uwsgi_temp_path {folder}/nu; scgi_temp_path {folder}/ns;\n"
        f"upstream sallyport {{ server unix:{gateway.address}; keepalive 64; }}\n"
        f"server {{ listen 127.0.0.1:{port} {listen};\n{more}\n"
        f"include \"{CONF}/nginx/sallyport.conf\"; }} }}\n",
    )
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    args = [program, "-p", folder, "-c", conf, "-e", f"{folder}/nginx.error"]
    return Front("nginx", args, folder, port, None, gateway)


def open_socket(gateway):
    """For web servers that run as a user of their own."""
    os.chmod(gateway.folder, 0o755)
    os.chmod(gateway.address, 0o666)


def caddy(gateway, scheme="http", more=""):
    """more is of its site, besides the snippet of conf/."""
    folder, port = gateway.folder, free_port()
    open_socket(gateway)
    conf = write(
        f"{folder}/Caddyfile",
        "{\n\tadmin off\n\tauto_https off\n}\n"
        f'import "{CONF}/caddy/Caddyfile"\n'
        f"{scheme}://:{port} {{\n\tbind 127.0.0.1\n{more}"
        f"\timport sallyport {gateway.address}\n}}\n",
    )
    args = [
        shutil.which("caddy", path="/usr/sbin:/usr/bin"),
        *("run", "--adapter", "caddyfile", "--config", conf),
    ]
    env = {"HOME": folder, "XDG_DATA_HOME": folder}
    return Front("caddy", args, folder, port, env, gateway)


def haproxy(gateway, bind=""):
    """Its file names the socket of the package; here it is another."""
    folder, port = gateway.folder, free_port()
    open_socket(gateway)
    with open(f"{CONF}/haproxy/sallyport.cfg") as f:
        text = f.read()
    place = "/run/sallyport/sallyport.sock"
    assert place in text
    ours = write(
        f"{folder}/sallyport.cfg", text.replace(place, gateway.address)
    )
    conf = write(
        f"{folder}/haproxy.cfg",
        "defaults\n    mode http\n    timeout client 130s\n"
        "    timeout connect 2s\n    timeout server 130s\n"
        f"frontend web\n    bind 127.0.0.1:{port} {bind}\n"
        "    default_backend sallyport\n",
    )
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    args = [program, "-db", "-f", conf, "-f", ours]
    front = Front("haproxy", args, folder, port, None, gateway)
    front.expected = (0, -signal.SIGTERM)
    return front
