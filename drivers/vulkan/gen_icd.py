#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Write the driver's entry points from vk.xml: gen_icd.py vk.xml HEADER SOURCE

One function a command: gather the parameters, send them, return the answer. Commands that need
more than that are written by hand in the .c files beside; here they are only declared. All of them
go into one sorted table for vkGetInstanceProcAddr.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib/venus"))

from registry import Registry  # noqa: E402

# Written by hand, as icd_<name>.
BY_HAND = {
    # instance.c
    "vkEnumerateInstanceVersion",
    "vkEnumerateInstanceExtensionProperties",
    "vkCreateInstance",
    "vkDestroyInstance",
    "vkEnumeratePhysicalDevices",
    "vkEnumeratePhysicalDeviceGroups",
    "vkGetInstanceProcAddr",
    "vkGetDeviceProcAddr",
    # physical.c
    "vkEnumerateDeviceExtensionProperties",
    "vkGetPhysicalDeviceFeatures",
    "vkGetPhysicalDeviceFeatures2",
    "vkGetPhysicalDeviceProperties",
    "vkGetPhysicalDeviceProperties2",
    "vkGetPhysicalDeviceMemoryProperties",
    "vkGetPhysicalDeviceMemoryProperties2",
    "vkGetPhysicalDeviceQueueFamilyProperties",
    "vkGetPhysicalDeviceQueueFamilyProperties2",
    "vkGetPhysicalDeviceFormatProperties",
    "vkGetPhysicalDeviceFormatProperties2",
    "vkGetPhysicalDeviceImageFormatProperties",
    "vkGetPhysicalDeviceImageFormatProperties2",
    "vkGetPhysicalDeviceExternalBufferProperties",
    "vkGetPhysicalDeviceExternalFenceProperties",
    "vkGetPhysicalDeviceExternalSemaphoreProperties",
    "vkGetPhysicalDeviceToolProperties",
    # device.c
    "vkCreateDevice",
    "vkDestroyDevice",
    "vkGetDeviceQueue",
    "vkGetDeviceQueue2",
    # command.c
    "vkAllocateCommandBuffers",
    "vkFreeCommandBuffers",
    "vkDestroyCommandPool",
    "vkBeginCommandBuffer",
    # memory.c
    "vkAllocateMemory",
    "vkFreeMemory",
    "vkMapMemory",
    "vkUnmapMemory",
    "vkFlushMappedMemoryRanges",
    "vkInvalidateMappedMemoryRanges",
    # wait.c
    "vkQueueSubmit",
    "vkQueueSubmit2",
    "vkSetEvent",
    "vkSignalSemaphore",
    "vkWaitForFences",
    "vkWaitSemaphores",
    "vkGetFenceStatus",
    "vkGetSemaphoreCounterValue",
    "vkGetEventStatus",
    "vkQueueWaitIdle",
    "vkDeviceWaitIdle",
    "vkGetQueryPoolResults",
    # descriptor.c
    "vkUpdateDescriptorSets",
    "vkCreateDescriptorUpdateTemplate",
    "vkDestroyDescriptorUpdateTemplate",
    "vkUpdateDescriptorSetWithTemplate",
    "vkCreateDescriptorSetLayout",
    "vkGetDescriptorSetLayoutSupport",
    # create.c
    "vkCreateBuffer",
    "vkCreateImage",
    "vkGetDeviceBufferMemoryRequirements",
    "vkGetDeviceImageMemoryRequirements",
    "vkGetDeviceImageSparseMemoryRequirements",
    "vkCreateFramebuffer",
    "vkCreateComputePipelines",
    "vkCreateGraphicsPipelines",
    # private.c
    "vkCreatePrivateDataSlot",
    "vkDestroyPrivateDataSlot",
    "vkSetPrivateData",
    "vkGetPrivateData",
}

# Answers of physical devices that never change: asked once.
QUERIES = {
    "vkGetPhysicalDeviceSparseImageFormatProperties",
    "vkGetPhysicalDeviceSparseImageFormatProperties2",
}

# Commands that return a result which nobody awaits: a create that fails makes its object
# unusable, anything else that fails ends the connection, and the application sees the device lost.
QUEUED = {
    "vkCreateFence", "vkCreateSemaphore", "vkCreateEvent", "vkCreateBufferView",
    "vkCreateImageView", "vkCreateShaderModule", "vkCreatePipelineLayout", "vkCreateSampler",
    "vkCreateDescriptorPool", "vkCreateRenderPass", "vkCreateRenderPass2", "vkCreateCommandPool",
    "vkCreateSamplerYcbcrConversion", "vkResetFences", "vkEndCommandBuffer", "vkResetCommandBuffer", "vkResetCommandPool", "vkResetDescriptorPool",
    "vkFreeDescriptorSets", "vkBindBufferMemory", "vkBindBufferMemory2", "vkBindImageMemory",
    "vkBindImageMemory2", "vkResetEvent",
}

# Queued, but sent at once: the GPU or another thread waits for them.
SENT = {"vkQueueBindSparse"}

# Instance extensions that became Vulkan 1.1; instance.c lists them.
INSTANCE_EXTENDED = {
    "vkGetPhysicalDeviceFeatures2KHR", "vkGetPhysicalDeviceProperties2KHR",
    "vkGetPhysicalDeviceFormatProperties2KHR", "vkGetPhysicalDeviceImageFormatProperties2KHR",
    "vkGetPhysicalDeviceQueueFamilyProperties2KHR", "vkGetPhysicalDeviceMemoryProperties2KHR",
    "vkGetPhysicalDeviceSparseImageFormatProperties2KHR",
    "vkGetPhysicalDeviceExternalBufferPropertiesKHR",
    "vkGetPhysicalDeviceExternalFencePropertiesKHR",
    "vkGetPhysicalDeviceExternalSemaphorePropertiesKHR",
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


def new_handles(reg, cmd):
    """The line that gives the new objects their ids; None: the command makes none."""
    outs = [p for p in cmd.params if p.dir == "OUT" and reg.category(p.type)[0] == "handle"]
    if not outs:
        return ""
    p = outs[0]
    assert not reg.category(p.type)[1], cmd.name
    return "\ticd_new_ids(%s, (uint64_t *)%s, %s);\n" % (
        cmd.params[0].name, p.name, p.len or "1")


def stub(reg, cmd):
    params = ", ".join(p.decl for p in cmd.params)
    fields = ", ".join(".%s = %s" % (p.name, p.name) for p in cmd.params)
    first = cmd.params[0].name
    place = "%s, RP_VN_IDX_%s, &a" % (first, cmd.name)
    ids = new_handles(reg, cmd)
    answers = cmd.ret != "void" or any(p.dir != "IN" for p in cmd.params)
    out = ["static VKAPI_ATTR %s VKAPI_CALL icd_%s(%s)\n{\n" % (cmd.ret, cmd.name, params),
           "\tstruct rp_vn_args_%s a = {%s};\n" % (cmd.name, fields)]
    freed = [p for p in cmd.params if cmd.name.startswith("vkDestroy") and p.name != "pAllocator"]
    if freed:
        out.append("\n\tif (%s == VK_NULL_HANDLE)\n\t\treturn;\n" % freed[-1].name)
    if not answers or cmd.name in QUEUED | SENT:
        flush = "true" if cmd.name in SENT else "false"
        out.append("\n" + ids)
        if cmd.ret == "void":
            out.append("\ticd_queue(%s, %s);\n" % (place, flush))
        else:
            out.append("\treturn icd_queue(%s, %s) < 0 ? %s : VK_SUCCESS;\n"
                       % (place, flush, lost(cmd)))
    else:
        call = "icd_query" if cmd.name in QUERIES else "icd_sync"
        out.append("\n" + ids)
        if cmd.ret == "void":
            out.append("\t%s(%s);\n" % (call, place))
        elif cmd.ret == "VkResult":
            out.append("\tif (%s(%s) < 0)\n\t\ta.ret = %s;\n" % (call, place, lost(cmd)))
            out.append("\treturn a.ret;\n")
        else:
            out.append("\treturn %s(%s) < 0 ? 0 : a.ret;\n" % (call, place))
    out.append("}\n\n")
    return "".join(out)


def main():
    reg = Registry(sys.argv[1])
    commands = [c for c in reg.all_commands if "LayerProperties" not in c.name]
    known = {c.name for c in reg.commands}
    out = [HEAD]
    header = ["// SPDX-License-Identifier: BSD-3-Clause\n"
              "// Generated from vk.xml by gen_icd.py. Do not edit.\n#pragma once\n\n"]
    rows = []
    for c in commands:
        if c.name not in BY_HAND:
            assert c.name in known, c.name
            out.append(stub(reg, c))
        else:
            header.append("VKAPI_ATTR %s VKAPI_CALL icd_%s(%s);\n" % (
                c.ret, c.name, ", ".join(p.decl for p in c.params)))
        carried = reg.promoted_commands | INSTANCE_EXTENDED
        for name in [c.name] + [a for a in reg.aliases(c.name) if a in carried]:
            rows.append((name, "\t{\"%s\", (PFN_vkVoidFunction)icd_%s, ICD_%s, %d},\n" % (
                name, c.name, level(c), c.minor)))
    rows.sort()
    out.append("const struct icd_entry icd_entries[] = {\n")
    out += [row for _, row in rows]
    out.append("};\n\nconst size_t icd_n_entries = %d;\n" % len(rows))
    out.append("\nconst struct icd_extension icd_extensions[] = {\n")
    out += ["\t{\"%s\", %d, %d},\n" % e for e in reg.promoted]
    out.append("};\n\nconst size_t icd_n_extensions = %d;\n" % len(reg.promoted))
    for path, text in zip(sys.argv[2:], (header, out)):
        with open(path, "w") as f:
            f.write("".join(text))


main()
