# SPDX-License-Identifier: BSD-3-Clause
"""What the generators need of the Vulkan registry (vk.xml), in plain objects.

Only core Vulkan 1.0 to 1.3 is read: its commands, the structs these reach, and the pNext
chains between core structs. Extensions are left out on purpose: what is not here cannot be
promised to an application by accident.
"""

import re
import xml.etree.ElementTree as ET

FEATURES = ["VK_VERSION_1_0", "VK_VERSION_1_1", "VK_VERSION_1_2", "VK_VERSION_1_3"]

# Never encoded: callbacks and host pointers mean nothing on another machine.
NO_STRUCTS = {"VkAllocationCallbacks", "VkBaseInStructure", "VkBaseOutStructure"}
# Output inside an input chain; the driver answers "no feedback" by itself.
NO_CHAIN = {"VkPipelineCreationFeedbackCreateInfo"}
# Resolved in the application's process or answered by other commands of ours.
NO_COMMANDS = {
    "vkGetInstanceProcAddr",
    "vkGetDeviceProcAddr",
    "vkEnumerateInstanceLayerProperties",
    "vkEnumerateDeviceLayerProperties",
    "vkMapMemory",
    "vkUnmapMemory",
    "vkFlushMappedMemoryRanges",
    "vkInvalidateMappedMemoryRanges",
    "vkUpdateDescriptorSetWithTemplate",
    "vkCreateDescriptorUpdateTemplate",
    "vkDestroyDescriptorUpdateTemplate",
    "vkCreatePrivateDataSlot",
    "vkDestroyPrivateDataSlot",
    "vkSetPrivateData",
    "vkGetPrivateData",
}

SCALARS = {
    "void": 1, "char": 1, "uint8_t": 1,
    "uint32_t": 4, "int32_t": 4, "float": 4,
    "uint64_t": 8, "int64_t": 8, "double": 8, "size_t": 8,
}


class Member:
    """A struct member or a command parameter."""

    def __init__(self, node, enums):
        self.name = node.find("name").text
        self.type = node.find("type").text
        text = "".join(t for t in node.itertext() if t is not None)
        comment = node.find("comment")
        if comment is not None and comment.text:
            text = text.replace(comment.text, "")
        head = text.split(self.name)[0]
        self.decl = " ".join(text.split())
        self.stars = head.count("*")
        self.const = head.lstrip().startswith("const")
        tail = text[text.index(head) + len(head) + len(self.name):]
        dims = re.findall(r"\[(\w+)\]", tail)
        assert len(dims) <= 1, self.decl
        assert ":" not in tail, self.decl
        self.fixed = None
        if dims:
            self.fixed = int(dims[0]) if dims[0].isdigit() else enums[dims[0]]
        self.len = node.get("altlen") or node.get("len")
        flags = (node.get("optional") or "false").split(",")
        loose = node.get("noautovalidity") == "true"
        self.optional = flags[0] == "true" or loose
        self.elem_optional = loose or (len(flags) > 1 and flags[1] == "true") or (
            self.stars == 0 and self.optional)
        self.is_len = False


class Struct:
    def __init__(self, node, enums):
        self.name = node.get("name")
        self.union = node.get("category") == "union"
        self.extends = (node.get("structextends") or "").split(",")
        self.stype = None
        self.members = []
        for m in node.findall("member"):
            if m.get("api") not in (None, "vulkan"):
                continue
            if m.get("values"):
                self.stype = m.get("values")
            member = Member(m, enums)
            if self.stype is None or member.name not in ("sType", "pNext"):
                self.members.append(member)
        self.chain = []


class Command:
    def __init__(self, node, enums, number, minor):
        proto = node.find("proto")
        self.name = proto.find("name").text
        self.ret = proto.find("type").text
        self.params = [Member(p, enums) for p in node.findall("param")
                       if p.get("api") in (None, "vulkan")]
        self.errors = (node.get("errorcodes") or "").split(",")
        self.number = number
        self.minor = minor
        lens = {p.len for p in self.params if p.len}
        for p in self.params:
            p.is_len = p.name in lens
            p.dir = "IN"
            if p.stars and not p.const and p.name != "pAllocator":
                p.dir = "INOUT" if p.is_len else "OUT"

    def find(self, name):
        return next(p for p in self.params if p.name == name)


class Registry:
    def __init__(self, path):
        root = ET.parse(path).getroot()
        self.enums = {}
        for e in root.iter("enum"):
            value = e.get("value")
            if value and e.get("name") and re.fullmatch(r"\d+U?", value):
                self.enums[e.get("name")] = int(value.rstrip("U"))
        self._types = {}
        for t in root.findall("types/type"):
            name = t.get("name") or (t.find("name").text if t.find("name") is not None else None)
            if name and t.get("api") in (None, "vulkan"):
                self._types.setdefault(name, t)
        self._read_features(root)
        self._read_structs()
        self._read_extensions(root)

    def aliases(self, name):
        """Names under which extensions had the command before it became core."""
        return self._aliases.get(name, [])

    def _read_features(self, root):
        nodes, self._aliases = {}, {}
        for c in root.findall("commands/command"):
            if c.get("alias") is not None:
                self._aliases.setdefault(c.get("alias"), []).append(c.get("name"))
            if c.get("alias") is None and c.get("api") in (None, "vulkan"):
                nodes[c.find("proto/name").text] = c
        self.commands, self.core_types, self.all_commands = [], set(), []
        number = 0
        for feature in FEATURES:
            node = next(f for f in root.findall("feature") if f.get("name") == feature)
            minor = int(feature[-1])
            for req in node.findall("require"):
                for t in req.findall("type"):
                    self.core_types.add(t.get("name"))
                for c in req.findall("command"):
                    name = c.get("name")
                    # Venus numbers core 1.0 to 1.2 in the registry's order; 18 numbers were
                    # taken by its own commands before Vulkan 1.3 followed.
                    cmd = Command(nodes[name], self.enums, number + (18 if minor == 3 else 0),
                                  minor)
                    self.all_commands.append(cmd)
                    if name not in NO_COMMANDS:
                        self.commands.append(cmd)
                    number += 1

    def category(self, name):
        """('scalar', size), ('handle', dispatchable), ('struct', None)"""
        if name in SCALARS:
            return "scalar", SCALARS[name]
        t = self._types[name]
        if t.get("alias"):
            return self.category(t.get("alias"))
        cat = t.get("category")
        if cat == "enum":
            return "scalar", 4
        if cat in ("bitmask", "basetype"):
            return self.category(t.find("type").text)
        if cat == "handle":
            return "handle", t.find("type").text == "VK_DEFINE_HANDLE"
        assert cat in ("struct", "union"), (name, cat)
        return "struct", None

    def canonical(self, name):
        t = self._types[name]
        return self.canonical(t.get("alias")) if t.get("alias") else name

    def _read_structs(self):
        self.structs, self.handles = {}, []
        core = {}
        for name in sorted(self.core_types):
            t = self._types.get(name)
            if t is not None and t.get("category") in ("struct", "union") and not t.get("alias"):
                if name not in NO_STRUCTS:
                    core[name] = Struct(t, self.enums)
        work = []
        for cmd in self.commands:
            work += [p.type for p in cmd.params]
        while work:
            name = work.pop()
            if name in NO_STRUCTS:
                continue
            kind, _ = self.category(name)
            if kind == "handle" and name not in self.handles:
                self.handles.append(name)
            if kind != "struct":
                continue
            name = self.canonical(name)
            if name in self.structs:
                continue
            s = core.get(name) or Struct(self._types[name], self.enums)
            self.structs[name] = s
            s.chain = sorted(c.name for c in core.values()
                             if name in c.extends and c.name not in NO_CHAIN)
            work += [m.type for m in s.members] + s.chain
            names = " ".join(m.len for m in s.members if m.len)
            for m in s.members:
                m.is_len = re.search(r"\b%s\b" % m.name, names) is not None
        for p in [p for c in self.commands for p in c.params if p.len and "->" in p.len]:
            base, field = p.len.split("->")
            owner = next(c for c in self.commands if p in c.params).find(base).type
            next(m for m in self.structs[owner].members if m.name == field).is_len = True
        self.handles.sort()
        self.structs = dict(sorted(self.structs.items()))

    def _read_extensions(self, root):
        """Device extensions that became core whole: (name, minor version, spec version).

        All their structs are other names of core structs and all their commands other names of
        core commands, so that whoever carries core carries them.
        """
        alias_of = {a: c for c, names in self._aliases.items() for a in names}
        core_commands = {c.name for c in self.all_commands}
        instance = {"VK_KHR_get_physical_device_properties2",
                    "VK_KHR_external_memory_capabilities", "VK_KHR_external_fence_capabilities",
                    "VK_KHR_external_semaphore_capabilities"}
        found = {}
        for e in root.findall("extensions/extension"):
            if e.get("promotedto") not in FEATURES[1:] or "vulkan" not in e.get("supported"):
                continue
            if e.get("type") != "device" or e.get("platform"):
                continue
            needed = [r for r in e.findall("require") if not (
                r.get("extension") or r.get("feature") or r.get("depends"))]
            commands = {alias_of.get(c.get("name"), c.get("name"))
                        for r in needed for c in r.findall("command")}
            types = {self.canonical(t.get("name")) for r in needed for t in r.findall("type")}
            version = next(n.get("value") for r in needed for n in r.findall("enum")
                           if n.get("name").endswith("_SPEC_VERSION"))
            if commands <= core_commands and types <= self.core_types:
                found[e.get("name")] = (e, int(e.get("promotedto")[-1]), int(version))
        while True:
            bad = [n for n, (e, _, _) in found.items()
                   if not set((e.get("requires") or "").split(",")) - {""} <= set(found) | instance]
            if not bad:
                break
            for n in bad:
                del found[n]
        self.promoted = sorted((n, minor, v) for n, (_, minor, v) in found.items())
        # Names of commands that these extensions bring.
        self.promoted_commands = {c.get("name") for e, _, _ in found.values()
                                  for c in e.iter("command")}
