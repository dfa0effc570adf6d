"""The table of intended differences, differences.yaml.

An entry is {case, request, part, envoy, sallyport, reason}. case is "R4/prefix"
or a pattern ("*"); request is the number of the request, from 0, or left out
for all; part is what compare.py calls it ("status", "header:via",
"backend.header:te", "log[0]", "counter:http.in.no_route") or a pattern.
envoy and sallyport, where given, must be the values seen. An entry that
covers nothing where its case was run is an error: the difference has vanished.
"""

import fnmatch
import re

import yaml

KEYS = {"case", "request", "part", "envoy", "sallyport", "reason"}


class Table:
    def __init__(self, path):
        with open(path) as f:
            self.entries = yaml.safe_load(f) or []
        self.used = set()
        for entry in self.entries:
            assert set(entry) <= KEYS, entry
            assert len(entry["reason"]) > 20, entry

    def covers(self, case, request, part, values):
        for i, entry in enumerate(self.entries):
            if (
                fnmatch.fnmatchcase(case, entry["case"])
                and entry.get("request", request) == request
                and fnmatch.fnmatchcase(part, escaped(entry["part"]))
                and entry.get("envoy", values[0]) == values[0]
                and entry.get("sallyport", values[1]) == values[1]
            ):
                self.used.add((i, case if entry["case"] == case else None))
                return True
        return False

    def vanished(self, case):
        """Entries of exactly this case that covered nothing."""
        return [
            e
            for i, e in enumerate(self.entries)
            if e["case"] == case and (i, case) not in self.used
        ]

    def unused_patterns(self):
        used = {i for i, _ in self.used}
        return [e for i, e in enumerate(self.entries) if i not in used]


def escaped(pattern):
    """"log[0]" means itself; only * and ? are special."""
    return re.sub(r"\[", "[[]", pattern)
