"""What the web servers break, as sallyport-fronts(7) lists it."""

import re
import subprocess

from .servers import ROOT

PAGE = f"{ROOT}/sidecar/manual/sallyport-fronts.7"

# The settings of each web server, by the file of conf/.
SETTINGS = {
    "lighttpd": {
        "sallyport.conf": "lighttpd",
        "sallyport-spawned.conf": "lighttpd-spawned",
        "sallyport-cgi.conf": "lighttpd-cgi",
    },
    "Apache": {
        "sallyport-proxy.conf": "apache",
        "sallyport-fcgid.conf": "apache-fcgid",
    },
    "nginx": {"sallyport.conf": "nginx"},
    "Caddy": {"Caddyfile": "caddy"},
    "HAProxy": {"sallyport.cfg": "haproxy"},
}
FRONTS = [front for s in SETTINGS.values() for front in s.values()]

VERSIONS = {
    "lighttpd": ("/usr/sbin/lighttpd", "-v"),
    "Apache": ("/usr/sbin/apache2", "-v"),
    "nginx": ("/usr/sbin/nginx", "-v"),
    "Caddy": ("/usr/bin/caddy", "version"),
    "HAProxy": ("/usr/sbin/haproxy", "-v"),
}


def installed_version(server):
    done = subprocess.run(
        VERSIONS[server], capture_output=True, text=True, timeout=30
    )
    return re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr).group()


class List:
    """cells: the reason by (front, behaviour); versions: by web server."""

    def __init__(self, page=PAGE):
        with open(page) as f:
            section = f.read().split(".Sh WHAT WEB SERVERS BREAK\n")[1]
        section = section.split("\n.Sh ")[0]
        self.cells, self.versions = {}, {}
        for part in section.split(".Ss ")[1:]:
            title, _, text = part.partition("\n")
            server, version = title.split()[:2]
            self.versions[server] = version
            for item in text.split(".It Cm ")[1:]:
                self._add(server, item)

    def _add(self, server, item):
        first, _, reason = item.partition("\n")
        names = re.findall(r"[a-z0-9-]+", first.split(" Pq ")[0])
        files = first.partition(" Pq Pa ")[2].replace(",", " ").split()
        reason = reason.split("\n.El")[0].strip()
        assert reason, f"{server}: {first} has no reason"
        for file in files or SETTINGS[server]:
            for name in names:
                cell = (SETTINGS[server][file], name)
                assert cell not in self.cells, f"twice: {cell}"
                self.cells[cell] = reason
