"""Configurations with one mistake: a key misspelt, a value of another type,
a field left out. One of each kind for every field, whatever file it is in."""

import copy
import hashlib


def places(value, path=()):
    """(path, holder, key) of every value within lists and maps."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield (*path, key), inner
        yield from places(inner, (*path, key))


def holder_of(tree, path):
    for key in path[:-1]:
        tree = tree[key]
    return tree


def misspelt(tree, path):
    key = path[-1]
    if not isinstance(key, str) or len(key) < 3:
        return None
    holder = holder_of(tree, path)
    wrong = key[:-2] + key[-1] + key[-2] if key[-1] != key[-2] else key[:-1]
    holder[wrong] = holder.pop(key)
    return tree


def other_type(tree, path):
    holder = holder_of(tree, path)
    old = holder[path[-1]]
    if isinstance(old, bool):
        new = "perhaps"
    elif isinstance(old, (int, float)):
        new = "many"
    elif isinstance(old, str):
        new = {"text": old}
    elif isinstance(old, list):
        new = "text" if old and not isinstance(old[0], str) else {"a": 1}
    else:
        new = "text"
    holder[path[-1]] = new
    return tree


def left_out(tree, path):
    del holder_of(tree, path)[path[-1]]
    return tree


KINDS = (misspelt, other_type, left_out)


def field(tree, path):
    """The path without numbers and within messages only their types."""
    out = []
    for i, key in enumerate(path):
        if isinstance(key, int):
            continue
        inner = tree
        for step in path[: i + 1]:
            inner = inner[step]
        if isinstance(inner, dict) and "@type" in inner:
            out = [str(inner["@type"]).rpartition("/")[2]]
        else:
            out.append(str(key))
    return ".".join(out)


def mutants(trees):
    """(name, tree) of all of them; trees is {name: tree}."""
    seen = set()
    for name, tree in sorted(trees.items()):
        for path, _ in places(tree):
            for kind in KINDS:
                what = f"{kind.__name__} {field(tree, path)}"
                if what in seen:
                    continue
                changed = kind(copy.deepcopy(tree), path)
                if changed is not None:
                    seen.add(what)
                    yield f"{what} in {name}", changed


def some(all_of_them, n):
    """n of them, the same ones in every run."""
    return sorted(
        all_of_them, key=lambda m: hashlib.sha256(m[0].encode()).digest()
    )[:n]
