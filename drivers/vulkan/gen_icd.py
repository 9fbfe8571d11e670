#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Write the driver's entry points from vk.xml: gen_icd.py vk.xml OUTPUT

One function a command: gather the parameters, send them, return the answer. Commands that need
more than that are written by hand in the .c files beside; here they are only declared. All of them
go into one sorted table for vkGetInstanceProcAddr.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib/venus"))

from registry import Registry  # noqa: E402

# Written by hand: icd_<name> in instance.c.
BY_HAND = {
    "vkEnumerateInstanceVersion",
    "vkEnumerateInstanceExtensionProperties",
    "vkCreateInstance",
    "vkDestroyInstance",
    "vkEnumeratePhysicalDevices",
    "vkEnumerateDeviceExtensionProperties",
    "vkCreateDevice",
    "vkGetInstanceProcAddr",
    "vkGetDeviceProcAddr",
}

HEAD = """// SPDX-License-Identifier: BSD-3-Clause
// Generated from vk.xml by gen_icd.py. Do not edit.
#include "vulkan/icd.h"

"""


def level(cmd):
    first = cmd.params[0].type
    if cmd.name == "vkGetDeviceProcAddr":
        return "INSTANCE"
    if first in ("VkInstance", "VkPhysicalDevice") and cmd.name != "vkGetInstanceProcAddr":
        return "INSTANCE"
    if first in ("VkDevice", "VkQueue", "VkCommandBuffer"):
        return "DEVICE"
    return "GLOBAL"


def lost(cmd):
    """What a command returns once the server is gone."""
    for code in ("VK_ERROR_DEVICE_LOST", "VK_ERROR_INITIALIZATION_FAILED"):
        if code in cmd.errors:
            return code
    return "VK_ERROR_OUT_OF_HOST_MEMORY"


def stub(cmd):
    params = ", ".join(p.decl for p in cmd.params)
    fields = ", ".join(".%s = %s" % (p.name, p.name) for p in cmd.params)
    call = "icd_sync(%s, RP_VN_IDX_%s, &a)" % (cmd.params[0].name, cmd.name)
    out = ["static VKAPI_ATTR %s VKAPI_CALL icd_%s(%s)\n{\n" % (cmd.ret, cmd.name, params),
           "\tstruct rp_vn_args_%s a = {%s};\n\n" % (cmd.name, fields)]
    if cmd.ret == "void":
        out.append("\t%s;\n" % call)
    else:
        out.append("\treturn %s < 0 ? %s : a.ret;\n" % (
            call, lost(cmd) if cmd.ret == "VkResult" else "0"))
    out.append("}\n\n")
    return "".join(out)


def main():
    reg = Registry(sys.argv[1])
    commands = [c for c in reg.all_commands if level(c) != "DEVICE"
                and "LayerProperties" not in c.name]
    out = [HEAD]
    rows = []
    for c in commands:
        if c.name not in BY_HAND:
            out.append(stub(c))
        for name in [c.name] + reg.aliases(c.name):
            rows.append((name, "\t{\"%s\", (PFN_vkVoidFunction)icd_%s, ICD_%s},\n" % (
                name, c.name, level(c))))
    rows.sort()
    out.append("const struct icd_entry icd_entries[] = {\n")
    out += [row for _, row in rows]
    out.append("};\n\nconst size_t icd_n_entries = %d;\n" % len(rows))
    with open(sys.argv[2], "w") as f:
        f.write("".join(out))


main()
