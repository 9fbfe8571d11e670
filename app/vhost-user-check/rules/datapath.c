// SPDX-License-Identifier: BSD-3-Clause
#include "vm.h"

#include "virtio/net.h"

#include <string.h>

RULE(DP1, .severity = MUST, .section = "virtio 2.7, 5.1.6",
     .statement = "each chain is used once, by the id of its head, and sent frames in order",
     .how = "Run 200 buffers in bursts; a wrong id breaks the ring here. A transmit length "
	    "other than 0 is worth a warning.",
     .needs = NEED_DATA)
{
	struct vm *vm = vm_start(c, NULL);
	struct vm_ring *r = &vm->rings[vm->work];

	for (unsigned int i = 0; i < 200; i++) {
		vm_work(vm, 1 + i % 5);
		if (c->target->device == DEVICE_NET && r->done.cookie != r->next_buf)
			rule_warn(c, "buffers come back out of order");
	}
	if (c->target->device == DEVICE_NET && r->done.len != 0)
		rule_warn(c, "used.len of a sent buffer is %u; nothing was written to it",
			  r->done.len);
}

RULE(DP2, .severity = MUST, .section = "virtio 5.1.6.4",
     .statement = "without MRG_RXBUF num_buffers of a received frame is 1",
     .how = "Receive a frame with VERSION_1 alone.", .devices = DEVICE_NET, .needs = NEED_WRITE,
     .features = RP_VIRTIO_BIT(VERSION_1))
{
	struct vm_written w = vm_receive(vm_start(c, NULL));
	struct virtio_net_hdr_v1 hdr;

	memcpy(&hdr, w.bytes, sizeof(hdr));
	if (hdr.num_buffers != 1)
		rule_fail(c, "num_buffers is %u", hdr.num_buffers);
}

RULE(DP3, .severity = MUST, .section = "virtio 5.1.6.4",
     .statement = "with MRG_RXBUF a frame fills several buffers and num_buffers counts them",
     .how = "Offer receive buffers of 40 bytes.", .devices = DEVICE_NET, .needs = NEED_WRITE,
     .features = RP_VIRTIO_BIT(NET_MRG_RXBUF))
{
	struct vm_config cfg = {.features = RP_VIRTIO_BIT(NET_MRG_RXBUF)};
	struct vm *vm = vm_start(c, &cfg);
	struct vm_ring *r = &vm->rings[0];
	struct virtio_net_hdr_v1 hdr;
	uint32_t total = 0;

	for (int i = 0; i < 60; i++)
		vm_post_rx(vm, 40);
	vm_kick(vm, 0);
	vm_work(vm, 1);
	if (!vm_wait(vm, 0, 1, c->opt->wait_ms))
		rule_fail(c, "no frame came into buffers of 40 bytes");
	memcpy(&hdr, r->bufs, sizeof(hdr));
	total = r->done.len;
	for (unsigned int i = 1; i < hdr.num_buffers; i++) {
		if (!vm_wait(vm, 0, 1, c->opt->wait_ms))
			rule_fail(c, "num_buffers is %u, but only %u came", hdr.num_buffers, i);
		total += r->done.len;
	}
	if (hdr.num_buffers < 2 || total < 12 + 14)
		rule_fail(c, "num_buffers is %u for %u bytes", hdr.num_buffers, total);
}

RULE(DP4, .severity = MUST, .section = "virtio 2.7.8",
     .statement = "used.len is what was written: header and frame, or data and status",
     .how = "Receive our frame of 60 bytes: 72. Read a sector: 513.", .needs = NEED_WRITE)
{
	struct vm *vm = vm_start(c, NULL);
	struct vm_written w = vm_receive(vm);
	uint32_t written = 0;

	if (c->target->device == DEVICE_BLK) {
		if (w.len != 513)
			rule_warn(c, "used.len is %u, 513 bytes were written", w.len);
		return;
	}
	// Nothing behind used.len may have changed, and nothing before it is left as it was.
	for (uint32_t i = 0; i < VM_BUFFER_SIZE; i++)
		if (w.bytes[i] != 0xee)
			written = i + 1;
	if (written > w.len)
		rule_fail(c, "used.len is %u, but %u bytes were written", w.len, written);
	if (w.len < vm->hdr_len + 14)
		rule_fail(c, "used.len is %u: less than a header and an Ethernet header", w.len);
	if (c->opt->frame_len == 0 && w.len != vm->hdr_len + 60)
		rule_warn(c, "used.len is %u for a frame of 60 bytes", w.len);
}

RULE(DP5, .severity = MUST, .section = "virtio 5.1.6.4",
     .statement = "a frame that does not fit is dropped and the ring goes on",
     .how = "Without MRG_RXBUF offer a buffer of 20 bytes, then a large one.",
     .devices = DEVICE_NET, .needs = NEED_WRITE)
{
	struct vm *vm = vm_start(c, NULL);

	vm_post_rx(vm, 20);
	vm_kick(vm, 0);
	vm_work(vm, 1);
	vm_wait(vm, 0, 1, 50);
	for (int i = 0; i < 3; i++) {
		vm_post_rx(vm, VM_BUFFER_SIZE);
		vm_kick(vm, 0);
		vm_work(vm, 1);
	}
	if (!vm_wait(vm, 0, 1, c->opt->wait_ms))
		rule_warn(c, "a buffer too small for the frame blocks the receive ring");
	if (rp_guest_memory_at(&vm->mem, vm->rings[0].bufs_gpa, 1) != vm->rings[0].bufs)
		rule_fail(c, "memory is out of place");
	for (uint32_t i = 20; i < VM_BUFFER_SIZE; i++)
		if (vm->rings[0].bufs[i] != 0xee)
			rule_fail(c, "byte %u of a buffer of 20 bytes was written", i);
}

RULE(DP7, .severity = MUST, .section = "virtio 2.7",
     .statement = "ring indices wrap from 65535 to 0", .how = "Start at 65530, run 20 buffers.",
     .needs = NEED_DATA)
{
	struct vm_config cfg = {.base = 65530};
	struct vm *vm = vm_start(c, &cfg);

	for (int i = 0; i < 20; i++)
		vm_work(vm, 1);
}
