#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Write the codec's tables from vk.xml: gen_codec.py vk.xml OUTPUT

OUTPUT's name picks what is written:
  codec_gen.h   struct ids, handle types, command ids, the argument struct of every command
  codec_gen.c   descriptors of every struct and command, read by codec.c
  exec_gen.h    the table of a driver's functions
  exec_gen.c    one function a command: take the arguments out of the struct, call the driver
"""

import os
import sys

from registry import Registry

HEAD = """// SPDX-License-Identifier: BSD-3-Clause
// Generated from vk.xml by gen_codec.py. Do not edit.
"""


def upper(name):
    return "RP_VN_" + name


def c_type(reg, p):
    """The declaration of a parameter as a member of the argument struct."""
    if p.fixed is not None:
        return "const %s *%s" % (p.type, p.name)
    return p.decl


def len_expr(m, owner):
    """C expression of an array's length, from the struct or arguments `v` that hold it."""
    text = m.len.split(",")[0] if m.len else ""
    if m.fixed is not None:
        return str(m.fixed)
    if text == "codeSize / 4":
        return "v->codeSize / 4"
    if text == "(rasterizationSamples + 31) / 32":
        return "((uint64_t)v->rasterizationSamples + 31) / 32"
    if "->" in text:
        base, field = text.split("->")
        return "v->%s != NULL ? v->%s->%s : 0" % (base, base, field)
    counter = next(o for o in owner if o.name == text)
    if counter.stars:
        return "v->%s != NULL ? *v->%s : 0" % (text, text)
    return "v->%s" % text


class Tables:
    def __init__(self, reg):
        self.reg = reg
        self.out = []
        self.lens = {}

    def length_fn(self, c_struct, m, owner):
        expr = len_expr(m, owner)
        key = (c_struct, expr)
        if expr.isdigit():
            key = ("", expr)
        if key not in self.lens:
            name = "len_%d" % len(self.lens)
            self.lens[key] = name
            if expr.isdigit():
                self.out.append("static uint64_t %s(const void *)\n{\n\treturn %s;\n}\n"
                                % (name, expr))
            else:
                self.out.append(
                    "static uint64_t %s(const void *base)\n{\n\tconst %s *v = base;\n\n"
                    "\treturn %s;\n}\n" % (name, c_struct, expr))
        return self.lens[key]

    def member(self, c_struct, m, owner, param):
        reg = self.reg
        kind, detail = reg.category(m.type) if m.type != "VkAllocationCallbacks" else ("null", 0)
        text_len = m.len or ""
        f = {"name": '"%s"' % m.name, "offset": "offsetof(%s, %s)" % (c_struct, m.name)}
        type_id = "0"
        if kind == "null":
            c_kind = "RP_VN_NULL"
        elif m.type == "char" and "null-terminated" in text_len:
            c_kind = "RP_VN_STRING"
        elif kind == "scalar":
            c_kind = {1: "RP_VN_U8", 4: "RP_VN_U32", 8: "RP_VN_U64"}[detail]
        elif kind == "handle":
            c_kind, type_id = "RP_VN_HANDLE", "RP_VN_TYPE_" + m.type
        else:
            c_kind, type_id = "RP_VN_STRUCT", "RP_VN_STRUCT_" + reg.canonical(m.type)
        if c_kind == "RP_VN_STRING":
            shape = "RP_VN_ARRAY" if m.stars > 1 else "RP_VN_ONE"
            if shape == "RP_VN_ARRAY":
                f["len"] = self.length_fn(c_struct, m, owner)
        elif m.fixed is not None and not param:
            shape, f["fixed"] = "RP_VN_FIXED", str(m.fixed)
        elif m.stars and (m.len or m.fixed is not None):
            shape, f["len"] = "RP_VN_ARRAY", self.length_fn(c_struct, m, owner)
        elif m.fixed is not None:
            shape, f["len"] = "RP_VN_ARRAY", self.length_fn(c_struct, m, owner)
        elif m.stars:
            shape = "RP_VN_POINTER"
        else:
            shape = "RP_VN_ONE"
        f["kind"], f["shape"], f["type"] = c_kind, shape, type_id
        f["optional"] = "true" if m.optional else "false"
        f["elem_optional"] = "true" if m.elem_optional else "false"
        f["is_len"] = "true" if m.is_len else "false"
        if param:
            f["dir"] = "RP_VN_" + m.dir
        return "\t{%s},\n" % ", ".join(".%s = %s" % kv for kv in f.items())

    def members(self, label, c_struct, owner, param):
        if not owner:
            return "NULL"
        rows = "".join(self.member(c_struct, m, owner, param) for m in owner)
        self.out.append("static const struct rp_vn_member %s[] = {\n%s};\n" % (label, rows))
        return label

    def write(self):
        reg = self.reg
        rows = []
        for s in reg.structs.values():
            label = self.members("m_" + s.name, s.name, s.members, False)
            chain = "NULL"
            if s.chain:
                chain = "c_" + s.name
                self.out.append("static const uint16_t %s[] = {%s};\n" % (
                    chain, ", ".join("RP_VN_STRUCT_" + c for c in s.chain)))
            rows.append(
                '\t[RP_VN_STRUCT_%s] = {.name = "%s", .size = sizeof(%s), .is_union = %s, '
                ".has_stype = %s, .stype = %s, .members = %s, .n_members = %d, .chain = %s, "
                ".n_chain = %d, .tag = %d},\n" % (
                    s.name, s.name, s.name, str(s.union).lower(), str(s.stype is not None).lower(),
                    s.stype or "0", label, len(s.members), chain, len(s.chain),
                    # The raw words of a colour, so that no float is ever changed.
                    2 if s.name == "VkClearColorValue" else 0))
        crows = []
        for c in reg.commands:
            args = "struct rp_vn_args_" + c.name
            label = self.members("p_" + c.name, args, c.params, True)
            ret = {"void": "RP_VN_RET_VOID", "VkResult": "RP_VN_RET_RESULT"}.get(
                c.ret, "RP_VN_RET_U64")
            ret_off = "offsetof(%s, ret)" % args if c.ret != "void" else "0"
            out = [i for i, p in enumerate(c.params)
                   if p.dir == "OUT" and reg.category(p.type)[0] == "handle"]
            frees = "NONE"
            if c.name.startswith(("vkDestroy", "vkFree")):
                frees = [p.type for p in c.params if p.name != "pAllocator"
                         and reg.category(p.type)[0] == "handle"][-1]
            answers = [p for p in c.params if p.dir != "IN"]
            crows.append(
                '\t{.name = "%s", .id = %d, .minor = %d, .args_size = sizeof(%s), .ret = %s, '
                ".ret_offset = %s, .params = %s, .n_params = %d, .out_handle = %d, "
                ".destroys = RP_VN_TYPE_%s, .answers = %s},\n" % (
                    c.name, c.number, c.minor, args, ret, ret_off, label, len(c.params),
                    out[0] if out else -1, frees,
                    "true" if c.ret != "void" or answers else "false"))
        hrows = "".join('\t[RP_VN_TYPE_%s] = {.name = "%s", .dispatchable = %s},\n' % (
            h, h, "true" if reg.category(h)[1] else "false") for h in reg.handles)
        return (HEAD + '#include "venus/codec.h"\n\n' + "\n".join(self.out)
                + "\nconst struct rp_vn_struct rp_vn_structs[RP_VN_N_STRUCTS] = {\n"
                + "".join(rows) + "};\n"
                + "\nconst struct rp_vn_command rp_vn_commands[RP_VN_N_COMMANDS] = {\n"
                + "".join(crows) + "};\n"
                + "\nconst struct rp_vn_handle_type rp_vn_handle_types[RP_VN_N_TYPES] = {\n"
                + hrows + "};\n")


def codec_header(reg):
    out = [HEAD, "#pragma once\n\n#include <vulkan/vulkan_core.h>\n\n"]
    out.append("enum rp_vn_struct_id {\n")
    out += ["\tRP_VN_STRUCT_%s,\n" % s for s in reg.structs]
    out.append("\tRP_VN_N_STRUCTS\n};\n\nenum rp_vn_type {\n\tRP_VN_TYPE_NONE,\n")
    out += ["\tRP_VN_TYPE_%s,\n" % h for h in reg.handles]
    out.append("\tRP_VN_N_TYPES\n};\n\n// Numbers on the wire.\nenum rp_vn_command_id {\n")
    out += ["\tRP_VN_CMD_%s = %d,\n" % (c.name, c.number) for c in reg.commands]
    out.append("};\n\n#define RP_VN_N_COMMANDS %d\n" % len(reg.commands))
    out.append("#define RP_VN_MAX_COMMAND %d\n\n" % max(c.number for c in reg.commands))
    out.append("// Places in rp_vn_commands.\nenum rp_vn_command_index {\n")
    out += ["\tRP_VN_IDX_%s,\n" % c.name for c in reg.commands]
    out.append("};\n\n")
    for c in reg.commands:
        out.append("struct rp_vn_args_%s {\n" % c.name)
        out += ["\t%s;\n" % c_type(reg, p) for p in c.params]
        if c.ret != "void":
            out.append("\t%s ret;\n" % c.ret)
        out.append("};\n\n")
    return "".join(out)


def exec_header(reg):
    out = [HEAD, "#pragma once\n\n#include <vulkan/vulkan_core.h>\n\n",
           "struct rp_vn_driver {\n"]
    out += ["\tPFN_%s %s;\n" % (c.name, c.name[2:]) for c in reg.commands]
    out.append("};\n\n")
    out.append("// Call the driver's function for rp_vn_commands[index]; false: it has none.\n")
    out.append("bool rp_vn_exec(const struct rp_vn_driver *driver, unsigned int index, "
               "void *args);\n\n")
    out.append("// Fill the table by name; functions that `lookup` does not know become NULL.\n")
    out.append("void rp_vn_driver_load(struct rp_vn_driver *driver,\n"
               "\t\t       PFN_vkVoidFunction (*lookup)(void *ctx, const char *name), "
               "void *ctx);\n")
    return "".join(out).replace("#include <vulkan", "#include <stdbool.h>\n\n#include <vulkan")


def exec_source(reg):
    out = [HEAD, '#include "exec_gen.h"\n#include "codec_gen.h"\n\n']
    for c in reg.commands:
        args = ", ".join("NULL" if p.name == "pAllocator" else "a->" + p.name for p in c.params)
        ret = "" if c.ret == "void" else "a->ret = "
        out.append("static bool exec_%s(const struct rp_vn_driver *driver, void *args)\n{\n"
                   "\tstruct rp_vn_args_%s *a = args;\n\n"
                   "\tif (driver->%s == NULL)\n\t\treturn false;\n"
                   "\t%sdriver->%s(%s);\n\treturn true;\n}\n\n"
                   % (c.name, c.name, c.name[2:], ret, c.name[2:], args))
    out.append("static bool (*const execs[RP_VN_N_COMMANDS])(const struct rp_vn_driver *, "
               "void *) = {\n")
    out += ["\texec_%s,\n" % c.name for c in reg.commands]
    out.append("};\n\nbool rp_vn_exec(const struct rp_vn_driver *driver, unsigned int index, "
               "void *args)\n{\n\treturn execs[index](driver, args);\n}\n\n")
    out.append("void rp_vn_driver_load(struct rp_vn_driver *driver,\n"
               "\t\t       PFN_vkVoidFunction (*lookup)(void *ctx, const char *name), "
               "void *ctx)\n{\n")
    out += ['\tdriver->%s = (PFN_%s)lookup(ctx, "%s");\n' % (c.name[2:], c.name, c.name)
            for c in reg.commands]
    out.append("}\n")
    return "".join(out)


def main():
    reg = Registry(sys.argv[1])
    for path in sys.argv[2:]:
        text = {
            "codec_gen.h": lambda: codec_header(reg),
            "codec_gen.c": lambda: Tables(reg).write(),
            "exec_gen.h": lambda: exec_header(reg),
            "exec_gen.c": lambda: exec_source(reg),
        }[os.path.basename(path)]()
        with open(path, "w") as f:
            f.write(text)


main()
