# SPDX-License-Identifier: BSD-3-Clause
"""generate.py KIND SCHEMA OUTPUT: what the schema of the control plane is turned into.

KIND: header, grammar, methods (C), reference (Markdown), man (roff)
"""
import json
import sys

TYPES = {
    "name": ("string", "NAME"),
    "text": ("string", "TEXT"),
    "subnet4": ("string", "SUBNET"),
    "subnet6": ("string", "PREFIX"),
    "prefix": ("string", "PREFIX"),
    "addr4": ("string", "ADDRESS"),
    "addr6": ("string", "ADDRESS"),
    "addr": ("string", "ADDRESS"),
    "mac": ("string", "MAC"),
    "number": ("integer", None),
    "bool": ("boolean", "yes|no"),
    "choice": ("string", None),
}
C_HEAD = "// SPDX-License-Identifier: BSD-3-Clause\n// Made from schema.json by generate.py.\n"


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def c_name(*words):
    return "_".join(w.replace("-", "_") for w in words if w)


def load(path):
    with open(path, encoding="ascii") as f:
        schema = json.load(f)
    for noun in schema["nouns"]:
        for verb in noun["verbs"]:
            keys = []
            for key in verb.get("keys", []):
                keys += schema["sets"][key] if isinstance(key, str) else [key]
            verb["keys"] = keys
            verb["id"] = c_name(noun["name"], verb["verb"])
            verb["method"] = ".".join(w for w in (noun["name"], verb["verb"]) if w)
            verb["words"] = " ".join(w for w in (noun["name"], verb["verb"]) if w)
            for key in keys:
                assert key["type"] in TYPES, key
    return schema


def verbs(schema):
    return [(noun, verb) for noun in schema["nouns"] for verb in noun["verbs"]]


def header(schema):
    out = [C_HEAD + "#pragma once\n"]
    out.append("enum rp_method {")
    out += [f"\tRP_METHOD_{v['id']}," for _, v in verbs(schema)]
    out.append("\tRP_METHOD_COUNT,\n};\n")
    for noun in schema["nouns"]:
        keys = {}
        for verb in noun["verbs"]:
            for key in verb["keys"]:
                keys.setdefault(key["name"], key)
        if not keys:
            continue
        prefix = noun["name"].upper()
        out.append(f"enum rp_{noun['name']}_key {{")
        out += [f"\tRP_KEY_{c_name(prefix, k.upper())}," for k in keys]
        out.append("};\n")
        limits = [
            f"\tRP_{end.upper()}_{c_name(prefix, k.upper())} = {key[end]},"
            for k, key in keys.items()
            for end in ("min", "max")
            if end in key
        ]
        if limits:
            out += ["enum {"] + limits + ["};\n"]
        for k, key in keys.items():
            if "choices" in key:
                name = c_name(prefix, k.upper())
                out.append("enum {")
                out += [f"\tRP_{name}_{c.upper()}," for c in key["choices"]]
                out.append("};")
                out.append(f"extern const char *const rp_choices_{name.lower()}[];\n")
    return "\n".join(out)


def c_key(noun, key):
    parts = [
        f".name = {c_string(key['name'])}",
        f".id = RP_KEY_{c_name(noun['name'].upper(), key['name'].upper())}",
        f".type = RP_VALUE_{key['type'].upper()}",
    ]
    parts += [f".{flag} = true" for flag in ("required", "repeat", "clearable") if key.get(flag)]
    parts += [f".{end} = {key[end]}" for end in ("min", "max") if end in key]
    if "choices" in key:
        parts.append(f".choices = rp_choices_{c_name(noun['name'], key['name'])}")
    if "names" in key:
        parts.append(f".names = {c_string(key['names'])}")
    parts.append(f".help = {c_string(key['help'])}")
    return "\t{" + ", ".join(parts) + "},"


def c_command(noun, verb):
    parts = [
        f".noun = {c_string(noun['name'])}",
        f".verb = {c_string(verb['verb'])}",
        f".method = {c_string(verb['method'])}",
        f".id = RP_METHOD_{verb['id']}",
    ]
    for flag in ("named", "needs-key", "changes"):
        if verb.get(flag):
            parts.append(f".{c_name(flag)} = true")
    if verb["keys"]:
        parts.append(f".n_keys = {len(verb['keys'])}, .keys = {verb['id']}_keys")
    if "columns" in verb:
        parts.append(f".columns = {verb['id']}_columns")
    parts.append(f".help = {c_string(verb['help'])}")
    return "\t{" + ", ".join(parts) + "},"


def grammar(schema):
    out = [C_HEAD + '#include "control/command.h"\n']
    for noun in schema["nouns"]:
        seen = set()
        for verb in noun["verbs"]:
            for key in verb["keys"]:
                if "choices" in key and key["name"] not in seen:
                    seen.add(key["name"])
                    words = ", ".join(c_string(c) for c in key["choices"])
                    name = c_name(noun["name"], key["name"])
                    out.append(f"const char *const rp_choices_{name}[] = {{{words}, NULL}};")
        for verb in noun["verbs"]:
            if verb["keys"]:
                out.append(f"static const struct rp_key {verb['id']}_keys[] = {{")
                out += [c_key(noun, key) for key in verb["keys"]] + ["};"]
            if "columns" in verb:
                words = ", ".join(c_string(c) for c in verb["columns"])
                out.append(f"static const char *const {verb['id']}_columns[] = {{{words}, NULL}};")
        out.append(f"static const struct rp_command {noun['name']}_commands[] = {{")
        out += [c_command(noun, verb) for verb in noun["verbs"]] + ["};"]
        bare = [i for i, v in enumerate(noun["verbs"]) if v["verb"] == noun.get("bare")]
        out.append(
            f"static const struct rp_noun noun_{noun['name']} = {{.name = {c_string(noun['name'])}, "
            f".n_commands = {len(noun['verbs'])}, .commands = {noun['name']}_commands, "
            f".bare = {'&' + noun['name'] + '_commands[' + str(bare[0]) + ']' if bare else 'NULL'}}};\n"
        )
    nouns = ", ".join(f"&noun_{n['name']}" for n in schema["nouns"])
    out.append(f"const struct rp_noun *const rp_nouns[] = {{{nouns}, NULL}};\n")
    return "\n".join(out)


def methods(schema):
    out = [C_HEAD + '#include "control/method.h"\n']
    out.append("const rp_method_fn rp_methods[RP_METHOD_COUNT] = {")
    out += [f"\t[RP_METHOD_{v['id']}] = rp_method_{v['id']}," for _, v in verbs(schema)]
    out.append("};\n")
    return "\n".join(out)


def usage_of(key):
    if key["type"] == "number":
        return f"{key['min']}..{key['max']}"
    if key["type"] == "choice":
        return "|".join(key["choices"])
    return TYPES[key["type"]][1]


def json_type(key):
    kind = TYPES[key["type"]][0]
    if key.get("repeat"):
        kind = f"array of {kind}s"
    if key.get("clearable") and not key.get("repeat"):
        kind += " or null"
    return kind


def describe(key):
    text = key["help"]
    if key["type"] == "number":
        text += f" ({key['min']} to {key['max']})"
    if key["type"] == "choice":
        text += " (" + ", ".join(key["choices"]) + ")"
    return text


def reference(schema):
    out = [
        "# The control socket",
        "",
        "<!-- Made from lib/control/schema.json by lib/control/generate.py: change those. -->",
        "",
        "JSON-RPC 2.0 over a Unix stream socket, `/run/ringplane/control.sock` unless ringplane was",
        "told another `--control`. A message is a JSON object or, for a batch, an array, of at most",
        "1 MiB; messages need no separator, newlines are welcome. Requests are answered in their",
        "order; notifications (without `id`) are not answered. Parameters are by name. The same",
        "methods are `ringctl`'s commands: `network.create` is `ringctl network create`.",
        "",
        "```",
        '$ echo \'{"jsonrpc":"2.0","id":1,"method":"nic.get","params":{"name":"vm1"}}\' |',
        "  socat - UNIX-CONNECT:/run/ringplane/control.sock",
        "```",
        "",
        "## Errors",
        "",
        "`code` is one of JSON-RPC's own (-32700 no JSON, -32600 no request, -32601 no such method,",
        "-32602 a parameter is wrong), else a negative errno: -2 there is no such thing, -16 it is in",
        "use, -17 it is taken, -28 no room. `message` is one line for people. `data` has the parts:",
        "`errno` (a name such as `EEXIST`), `field`, `value`, `expected`, and `where` (line and column)",
        "for files of commands.",
        "",
        "## Events",
        "",
        "After `events.subscribe` the connection gets notifications `event` with `params.event`, one",
        "of `network.created`, `network.updated`, `network.deleted`, `nic.created`, `nic.updated`,",
        "`nic.deleted`, `nic.connected`, `nic.disconnected`, and the whole object as `params.network`",
        "or `params.nic`; of what is deleted only its `uuid`.",
        "",
        "## Methods",
    ]
    for _, verb in verbs(schema):
        out += ["", f"### {verb['method']}", "", verb["help"][0].upper() + verb["help"][1:] + "."]
        params = []
        if verb.get("named"):
            what = "name" if verb["verb"] == "create" else "name or UUID"
            params.append(f"| `name` | string | yes | {what} |")
        for key in verb["keys"]:
            required = "yes" if key.get("required") else ""
            params.append(f"| `{key['name']}` | {json_type(key)} | {required} | {describe(key)} |")
        if params:
            out += ["", "| parameter | type | required | |", "|---|---|---|---|"] + params
        if "result" not in verb:
            out += ["", "Result: `null`."]
            continue
        many = ", an array of objects" if "columns" in verb else ""
        out += ["", f"Result{many}:", "", "| field | type | |", "|---|---|---|"]
        out += [f"| `{n}` | {t} | {h} |" for n, t, h in schema["results"][verb["result"]]]
    return "\n".join(out) + "\n"


def roff(text):
    return text.replace("\\", "\\e").replace("-", "\\-")


def man(schema):
    out = [
        '.\\" SPDX-License-Identifier: BSD-3-Clause',
        '.\\" Made from lib/control/schema.json by lib/control/generate.py: change those.',
        ".TH RINGCTL 1 \"\" ringplane",
        ".SH NAME",
        "ringctl \\- command line of ringplane's control socket",
        ".SH SYNOPSIS",
        ".B ringctl",
        "[\\fIOPTION\\fR]... \\fINOUN\\fR [\\fIVERB\\fR] [\\fINAME\\fR] [\\fIKEY VALUE\\fR]...",
        ".br",
        ".B ringctl",
        "[\\fIOPTION\\fR]... \\fB\\-f\\fR \\fIFILE\\fR",
        ".SH DESCRIPTION",
        "Tells a running ringplane what to do and shows what it says. Keys come in any order; one that",
        "takes several values is repeated. A list that is given replaces the old one; \\fBnone\\fR empties",
        "it. Without a command, commands are read from the standard input unless that is a terminal.",
        ".PP",
        "A file of commands has one a line, with # before comments; it is also what ringplane\\(aqs",
        "\\fB\\-\\-init\\fR takes and \\fBstate save\\fR writes. It stops at the first command that fails; each",
        "command is all or nothing.",
        ".SH OPTIONS",
        ".TP",
        "\\fB\\-s\\fR, \\fB\\-\\-socket\\fR \\fIPATH\\fR",
        "The control socket; default: \\fB$RINGPLANE_CONTROL\\fR, else /run/ringplane/control.sock.",
        ".TP",
        "\\fB\\-j\\fR, \\fB\\-\\-json\\fR",
        "Print results, events and errors as JSON, one value a line.",
        ".TP",
        "\\fB\\-f\\fR, \\fB\\-\\-file\\fR \\fIFILE\\fR",
        "Run the commands of a file; \\- is the standard input.",
        ".TP",
        "\\fB\\-h\\fR, \\fB\\-\\-help\\fR [\\fINOUN\\fR]",
        "List the commands, or one noun's with all their keys.",
        ".TP",
        "\\fB\\-\\-version\\fR",
        "The version of ringctl; \\fBringctl version\\fR asks the daemon.",
        ".SH COMMANDS",
    ]
    for _, verb in verbs(schema):
        line = f"\\fB{roff(verb['words'])}\\fR" + (" \\fINAME\\fR" if verb.get("named") else "")
        out += [".TP", line, roff(verb["help"][0].upper() + verb["help"][1:]) + "."]
        if not verb["keys"]:
            continue
        out.append(".RS")
        for key in verb["keys"]:
            value = usage_of(key) + ("|none" if key.get("clearable") else "")
            flags = ", ".join(
                w for w, on in (("required", key.get("required")), ("may be repeated", key.get("repeat"))) if on
            )
            out += [".TP", f"\\fB{roff(key['name'])}\\fR \\fI{roff(value)}\\fR"]
            out.append(roff(key["help"] + (f" ({flags})" if flags else "")) + ".")
        out.append(".RE")
    out += [
        ".SH EXIT STATUS",
        "0 done; 1 ringplane refused, or cannot be reached; 2 the command is wrong.",
        ".SH FILES",
        "/run/ringplane/control.sock",
        ".SH SEE ALSO",
        "The methods behind the commands: doc/control.md.",
    ]
    return "\n".join(out) + "\n"


def main():
    kinds = {f.__name__: f for f in (header, grammar, methods, reference, man)}
    kind, source, target = sys.argv[1:]
    with open(target, "w", encoding="ascii") as f:
        f.write(kinds[kind](load(source)))


main()
