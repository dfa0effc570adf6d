#!/usr/bin/env python3
"""Writes sidecar/config/envoy.api from the descriptors in Envoy's program.

    tests/envoy/api.py ENVOY >sidecar/config/envoy.api

Envoy is built with protobuf's reflection: its section protodesc_cold holds a
FileDescriptorProto for each .proto file, options and with them the rules of
protoc-gen-validate included. The form of the output is explained at its top.
"""

import struct
import sys

TOP = """\
# The messages of Envoy's configuration: fields, types and rules, as they stand
# in the descriptors in the program of Envoy {version}. Made by
# tests/envoy/api.py; do not edit. api.awk makes the table of api.c from it.
#
#	enum NAME
#		VALUE_NAME	NUMBER		[disallowed]
#	message NAME
#		FIELD	TYPE	RULE...
#		?GROUP			a oneof of which one field is needed
#
# TYPE begins with [] for a list and with {{}} for a map, and ends with "?" where
# absence is told from the default. RULE is "key=value" or "key"; one that
# begins with "item." is about a list's items or a map's values, one with "key."
# about a map's keys. Durations are in seconds.
"""

KINDS = {
    1: "double",
    2: "float",
    3: "int64",
    4: "uint64",
    5: "int32",
    6: "fixed64",
    7: "fixed32",
    8: "bool",
    9: "string",
    12: "bytes",
    13: "uint32",
    15: "sfixed32",
    16: "sfixed64",
    17: "sint32",
    18: "sint64",
}
WRAPPERS = {
    "google.protobuf." + name + "Value": name.lower()
    for name in ("Bool", "String", "Bytes", "Double", "Float")
    + ("Int32", "Int64", "UInt32", "UInt64")
}
# Fields of protobuf's descriptors and of validate.proto, by number.
ONE_KIND = {
    1: "float",
    2: "double",
    3: "int32",
    4: "int64",
    5: "uint32",
    6: "uint64",
    13: "bool",
    14: "string",
    15: "bytes",
    16: "enum",
    17: "message",
    18: "repeated",
    19: "map",
    20: "any",
    21: "duration",
    22: "timestamp",
}
NUMERIC = {
    **{1: "const", 2: "lt", 3: "le", 4: "gt", 5: "ge", 6: "in", 7: "not_in"},
    8: "ignore_empty",
}
RULES = {
    "bool": {1: "const"},
    "string": {
        **{2: "min_len", 3: "max_len", 4: "min_bytes", 5: "max_bytes"},
        **{6: "pattern", 7: "prefix", 8: "suffix", 10: "in", 11: "not_in"},
        **{24: "well_known", 25: "strict", 26: "ignore_empty"},
    },
    "bytes": {2: "min_bytes", 3: "max_bytes"},
    "enum": {2: "defined", 3: "in", 4: "not_in"},
    "message": {1: "skip", 2: "required"},
    "any": {1: "required"},
    "duration": {1: "required", 3: "lt", 4: "le", 5: "gt", 6: "ge"},
    "timestamp": {1: "required"},
    "repeated": {1: "min_items", 2: "max_items", 3: "unique"},
    "map": {1: "min_items", 2: "max_items"},
}
DEPRECATED, VALIDATE, DISALLOWED, DISALLOWED_VALUE = 3, 1071, 189503207, 70100853


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def pairs(data, numbers=None):
    """(number, value) of a message's fields; up to one not among numbers."""
    at = 0
    found = []
    while at < len(data):
        tag, after = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if numbers and number not in numbers:
            break
        if wire == 0:
            value, after = varint(data, after)
        elif wire == 2:
            size, after = varint(data, after)
            value, after = data[after : after + size], after + size
        else:
            size = {1: 8, 5: 4}[wire]
            value, after = data[after : after + size], after + size
        found.append((number, value))
        at = after
    return found, at


class Fields:
    def __init__(self, data):
        self.pairs = pairs(data)[0]

    def all(self, number):
        return [value for key, value in self.pairs if key == number]

    def one(self, number, default=None):
        found = self.all(number)
        return found[-1] if found else default

    def text(self, number):
        return self.one(number, b"").decode()

    def option(self, field, number):
        """A field of the message's options, which stand in its own field."""
        return Fields(self.one(field, b"")).one(number)


def section(program, wanted):
    """The bytes of an ELF section."""
    table, count, names = (
        struct.unpack_from("<Q", program, 0x28)[0],
        struct.unpack_from("<H", program, 0x3C)[0],
        struct.unpack_from("<H", program, 0x3E)[0],
    )
    headers = [
        struct.unpack_from("<IIQQQQ", program, table + 64 * i)
        for i in range(count)
    ]
    for name, _, _, _, offset, size in headers:
        start = headers[names][4] + name
        if program[start : program.index(b"\0", start)] == wanted:
            return program[offset : offset + size]
    raise SystemExit(f"no section {wanted.decode()}: is this Envoy's program?")


def files(program):
    """All descriptors of .proto files in the program."""
    data = section(program, b"protodesc_cold")
    known = set(range(1, 13)) | {14}
    at = 0
    while at < len(data):
        if data[at] != 0x0A:
            at += 1
            continue
        _, size = pairs(memoryview(data)[at:], known)
        yield Fields(data[at : at + size])
        at += size


def number_text(value):
    return f"{value:.15g}"


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def seconds(data):
    duration = Fields(data)
    return signed(duration.one(1, 0)) + signed(duration.one(2, 0)) / 1e9


def rule_value(kind, value):
    if kind == "duration":
        return number_text(seconds(value))
    if kind in ("double", "float"):
        size = "<d" if kind == "double" else "<f"
        return number_text(struct.unpack(size, value)[0])
    if isinstance(value, bytes):
        return value.decode()
    return str(signed(value))


FLAGS = {"required", "defined", "ignore_empty", "skip", "unique"}


def well_known(rules):
    name = {1: "header_name", 2: "header_value"}[rules.one(24)]
    return name if rules.one(25, 1) else "loose_" + name


def kind_rules(kind, rules, prefix):
    """The rules of one kind, as texts; what stands in several is joined."""
    names = RULES.get(kind, NUMERIC)
    texts = {}
    for number, value in rules.pairs:
        name = names[number]
        if name == "well_known":
            texts[well_known(rules)] = ""
        elif name in FLAGS:
            texts.update({name: ""} if value else {})
        elif name in texts:
            texts[name] += "|" + rule_value(kind, value)
        elif name != "strict":
            texts[name] = "=" + rule_value(kind, value)
    return [prefix + name + text for name, text in texts.items()]


def field_rules(data, prefix=""):
    out = []
    for number, value in pairs(data)[0]:
        kind = ONE_KIND[number]
        rules = Fields(value)
        nested = {"repeated": {4: "item."}, "map": {4: "key.", 5: "item."}}
        inner = nested.get(kind, {})
        rules.pairs, parts = (
            [p for p in rules.pairs if p[0] not in inner],
            [p for p in rules.pairs if p[0] in inner],
        )
        out += kind_rules(kind, rules, prefix)
        for number, part in parts:
            out += field_rules(part, prefix + inner[number])
    return out


def is_own(name):
    """Not of an older version, nor of another project: those stay opaque."""
    return name.startswith(("envoy.", "xds.")) and ".v3." in name


class Api:
    def __init__(self, program):
        self.messages = {}
        self.enums = {}
        self.entries = {}
        for file in files(program):
            package = file.text(2)
            for message in file.all(4):
                self.add(Fields(message), package)
            for enum in file.all(5):
                self.add_enum(Fields(enum), package)

    def add(self, message, scope):
        name = f"{scope}.{message.text(1)}"
        for nested in message.all(3):
            self.add(Fields(nested), name)
        for enum in message.all(4):
            self.add_enum(Fields(enum), name)
        if message.option(7, 7):
            self.entries[name] = message
        else:
            self.messages[name] = message

    def add_enum(self, enum, scope):
        self.enums[f"{scope}.{enum.text(1)}"] = enum

    def type_of(self, field):
        kind = field.one(5)
        name = field.text(6).lstrip(".")
        if kind == 11 and name in self.entries:
            key, value = (Fields(f) for f in self.entries[name].all(2))
            return "{}" + self.type_of(value)
        if kind == 11:
            text = WRAPPERS[name] + "?" if name in WRAPPERS else name
        elif kind == 14:
            text = name
        else:
            text = KINDS[kind]
        if field.one(4) == 3:
            return "[]" + text
        optional = kind != 11 and (field.one(17) or field.one(9) is not None)
        return text + "?" if optional else text

    def wanted(self):
        """Names of the messages that a configuration may hold."""
        seen = set()
        todo = [
            name
            for name in self.messages
            if name.startswith(("envoy.config.", "envoy.extensions."))
            or name.startswith(("envoy.type.", "xds.type."))
        ]
        while todo:
            name = todo.pop()
            if name in seen or not is_own(name):
                continue
            seen.add(name)
            for field in self.messages[name].all(2):
                kind = self.type_of(Fields(field)).lstrip("[]{}").rstrip("?")
                if kind in self.messages:
                    todo.append(kind)
        return sorted(seen)

    def field_line(self, message, field):
        parts = [field.text(1), self.type_of(field)]
        oneof = field.one(9)
        if oneof is not None and not field.one(17):
            parts.append("of=" + Fields(message.all(8)[oneof]).text(1))
        options = Fields(field.one(8, b""))
        if options.one(DEPRECATED):
            parts.append("deprecated")
        if options.one(DISALLOWED):
            parts.append("disallowed")
        parts += field_rules(options.one(VALIDATE, b""))
        return "\t\t" + "\t".join(parts)

    def lines(self):
        used = set()
        names = self.wanted()
        for name in names:
            for field in self.messages[name].all(2):
                used.add(self.type_of(Fields(field)).lstrip("[]{}").rstrip("?"))
        for name in sorted(used & set(self.enums)):
            yield "\tenum " + name
            for value in self.enums[name].all(2):
                yield self.value_line(Fields(value))
        for name in names:
            message = self.messages[name]
            yield "\tmessage " + name
            for field in message.all(2):
                yield self.field_line(message, Fields(field))
            for oneof in message.all(8):
                oneof = Fields(oneof)
                if oneof.option(2, VALIDATE):
                    yield "\t\t?" + oneof.text(1)

    @staticmethod
    def value_line(value):
        line = f"\t\t{value.text(1)}\t{signed(value.one(2, 0))}"
        banned = value.option(3, DISALLOWED_VALUE)
        return line + "\tdisallowed" if banned else line


def api_text(path, version):
    with open(path, "rb") as file:
        api = Api(file.read())
    lines = [line.removeprefix("\t") for line in api.lines()]
    return TOP.format(version=version) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(api_text(sys.argv[1], sys.argv[2]))
