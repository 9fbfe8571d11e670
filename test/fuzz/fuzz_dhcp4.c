// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>

#include "packet/dhcp4.h"

/*
 * Any bytes as a DHCPv4 message: to the server, whose answer must be one that our client takes and
 * that keeps to every limit; and to the client, as an answer.
 */

static void check(bool ok)
{
	if (!ok)
		abort();
}

static struct rp_dhcp4_config config(const struct rp_dhcp4 *m)
{
	static struct rp_addr dns[8];
	static const char search[6][RP_DNS_NAME_STR] = {
		"a.example.org", "b.example.org", "a-rather-long-name.in-a-domain.example.net"};
	struct rp_dhcp4_config c = {
		.mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x01}},
		.address = rp_addr_ip4(RTE_BE32(0x0a000005)),
		.server = rp_gateway_ip4,
		.lease = 86400,
		// Taken from the message, so that the fuzzer finds the limits.
		.mtu = (uint16_t)(1280 + rte_be_to_cpu_16(m->hdr.secs) % 7721),
		.dns = dns,
		.n_dns = m->hdr.hops % 9u,
		.ntp = dns,
		.n_ntp = m->hdr.hops / 9u % 9u,
		.hostname = "vm1",
		.domain = "example.org",
		.search = search,
		.n_search = m->hdr.hops % 4u,
	};

	for (size_t i = 0; i < RTE_DIM(dns); i++)
		dns[i] = rp_addr_ip4((rte_be32_t)i + 1);
	if (m->hdr.hops & 1)
		rp_prefix_parse("10.0.0.0/8", &c.subnet);
	return c;
}

static void serve(const struct rp_dhcp4 *m, enum rp_dhcp4_type type)
{
	static struct rp_dhcp4_response resp;
	static uint8_t buf[2048];
	struct rp_dhcp4_config c = config(m);
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	uint16_t max = RP_DHCP4_SIZE_MIN;

	check(rp_dhcp4_write_reply(&w, m, type, &c));
	check(rp_parse_dhcp_response(buf, rp_writer_len(&w), &resp) == 0);
	check(resp.frame.ip_checksum_ok && resp.frame.l4_checksum_ok);
	check(resp.type == type && rp_addr_equal(&resp.server_id, &c.server));
	check(type == RP_DHCP4_NAK || resp.n_routes == (m->hdr.hops & 1 ? 4 : 2));
	rp_dhcp4_option_be16(m, RP_DHCP4_OPT_MAX_SIZE, &max);
	check(rp_writer_len(&w) <= 14u + RTE_MAX(max, RP_DHCP4_SIZE_MIN));
	check(rp_writer_len(&w) <= 14u + c.mtu);
	check(rp_writer_len(&w) >= 14 + 28 + RP_DHCP4_BOOTP_MIN);
}

static void receive(const uint8_t *data, size_t size)
{
	static struct rp_dhcp4_response resp;
	static uint8_t buf[8192];
	struct rp_writer w = rp_writer(buf, sizeof(buf));
	const struct rp_frame_head head = {
		.src = rp_gateway_ip4,
		.dst = rp_addr_ip4(UINT32_MAX),
		.proto = IPPROTO_UDP,
		.src_port = RP_DHCP4_SERVER_PORT,
		.dst_port = RP_DHCP4_CLIENT_PORT,
	};
	struct rp_frame_builder b;

	rp_frame_begin(&b, &w, &head);
	rp_write_bytes(&w, data, size);
	if (rp_frame_end(&b))
		rp_parse_dhcp_response(buf, rp_writer_len(&w), &resp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rp_dhcp4 m;

	receive(data, size);
	if (rp_dhcp4_parse(rp_reader(data, size), &m) == 0) {
		serve(&m, RP_DHCP4_OFFER);
		serve(&m, RP_DHCP4_ACK);
		serve(&m, RP_DHCP4_NAK);
	}
	return 0;
}
