"""The counters that are compared in every case, by Envoy's names."""

import re

COMPARED = [
    r"http\.in\.cors\..*",
    r"http\.in\.fault\..*",
    r"http\.in\.jwt_authn\..*",
]


def chosen(counters, more):
    wanted = re.compile("|".join(f"(?:{p})" for p in [*COMPARED, *more]))
    return {
        f"counter:{name}": value
        for name, value in counters.items()
        if wanted.fullmatch(name)
    }
