// SPDX-License-Identifier: BSD-3-Clause
#include "packet/frame.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_tcp.h>
#include <rte_udp.h>

#define IP6_FRAG_LEN 8

static const struct {
	uint8_t proto;
	uint8_t offset; // of the checksum in the upper layer's header
} checksum_fields[] = {
	{IPPROTO_UDP, offsetof(struct rte_udp_hdr, dgram_cksum)},
	{IPPROTO_TCP, offsetof(struct rte_tcp_hdr, cksum)},
	{IPPROTO_ICMP, 2},
	{IPPROTO_ICMPV6, 2},
};

static int checksum_offset(uint8_t proto)
{
	for (size_t i = 0; i < RTE_DIM(checksum_fields); i++) {
		if (checksum_fields[i].proto == proto)
			return checksum_fields[i].offset;
	}
	return -1;
}

uint16_t rp_checksum(const void *data, size_t len)
{
	return (uint16_t)~rte_raw_cksum(data, len);
}

uint32_t rp_pseudo_sum(const struct rp_addr *src, const struct rp_addr *dst, uint8_t proto,
		       uint32_t len)
{
	size_t n = rp_family_bytes(src->family);
	uint32_t tail[2] = {rte_cpu_to_be_32(len), rte_cpu_to_be_32(proto)};

	// The fields of IPv4's pseudo header are narrower, which changes nothing in the sum.
	return (uint32_t)rte_raw_cksum(src->bytes, n) + rte_raw_cksum(dst->bytes, n) +
	       rte_raw_cksum(tail, sizeof(tail));
}

uint16_t rp_checksum_l4(const struct rp_addr *src, const struct rp_addr *dst, uint8_t proto,
			const void *l4, size_t len)
{
	uint32_t sum = rte_raw_cksum(l4, len);

	if (proto != IPPROTO_ICMP)
		sum += rp_pseudo_sum(src, dst, proto, (uint32_t)len);
	return (uint16_t)~rp_sum_fold(sum);
}

uint16_t rp_checksum_ip4(const struct rte_ipv4_hdr *ip)
{
	return rp_checksum(ip, (ip->version_ihl & 0xfu) * 4u);
}

static void write_ip4(struct rp_writer *w, const struct rp_frame_head *h)
{
	struct rte_ipv4_hdr ip = {
		.version_ihl = RTE_IPV4_VHL_DEF,
		.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = h->ttl,
		.next_proto_id = h->proto,
		.src_addr = h->src.ip4,
		.dst_addr = h->dst.ip4,
	};

	rp_write_bytes(w, &ip, sizeof(ip));
}

static void write_ip6(struct rp_writer *w, const struct rp_frame_head *h)
{
	struct rte_ipv6_hdr ip = {
		.vtc_flow = RTE_BE32(6u << 28),
		.proto = h->proto,
		.hop_limits = h->ttl,
	};

	memcpy(ip.src_addr, h->src.bytes, sizeof(ip.src_addr));
	memcpy(ip.dst_addr, h->dst.bytes, sizeof(ip.dst_addr));
	rp_write_bytes(w, &ip, sizeof(ip));
}

void rp_frame_begin(struct rp_frame_builder *b, struct rp_writer *w,
		    const struct rp_frame_head *head)
{
	bool ip4 = head->src.family == RP_IP4;
	struct rte_ether_hdr eth = {
		.dst_addr = head->eth_dst,
		.src_addr = head->eth_src,
		.ether_type = ip4 ? RTE_BE16(RTE_ETHER_TYPE_IPV4) : RTE_BE16(RTE_ETHER_TYPE_IPV6),
	};
	struct rte_udp_hdr udp = {
		.src_port = rte_cpu_to_be_16(head->src_port),
		.dst_port = rte_cpu_to_be_16(head->dst_port),
	};

	*b = (struct rp_frame_builder){.w = w, .head = *head};
	rp_write_bytes(w, &eth, sizeof(eth));
	b->l3 = rp_writer_len(w);
	if (ip4)
		write_ip4(w, head);
	else
		write_ip6(w, head);
	b->l4 = rp_writer_len(w);
	if (head->proto == IPPROTO_UDP)
		rp_write_bytes(w, &udp, sizeof(udp));
}

bool rp_frame_end(struct rp_frame_builder *b)
{
	const struct rp_frame_head *h = &b->head;
	uint8_t *l3 = b->w->start + b->l3;
	uint8_t *l4 = b->w->start + b->l4;
	size_t l4_len = rp_writer_len(b->w) - b->l4;
	bool ip4 = h->src.family == RP_IP4;
	size_t ip_len = ip4 ? l4_len + sizeof(struct rte_ipv4_hdr) : l4_len;
	int off = checksum_offset(h->proto);
	uint16_t be_len = rte_cpu_to_be_16((uint16_t)l4_len);
	uint16_t sum;

	if (b->w->overflow || ip_len > UINT16_MAX)
		return false;
	if (h->proto == IPPROTO_UDP)
		memcpy(l4 + offsetof(struct rte_udp_hdr, dgram_len), &be_len, sizeof(be_len));
	if (off >= 0 && (size_t)off + sizeof(sum) <= l4_len) {
		sum = rp_checksum_l4(&h->src, &h->dst, h->proto, l4, l4_len);
		// RFC 768: zero would mean that there is no checksum.
		if (sum == 0 && h->proto == IPPROTO_UDP)
			sum = 0xffff;
		memcpy(l4 + off, &sum, sizeof(sum));
	}
	if (ip4) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;

		ip->total_length = rte_cpu_to_be_16((uint16_t)ip_len);
		ip->hdr_checksum = rp_checksum_ip4(ip);
	} else {
		memcpy(l3 + offsetof(struct rte_ipv6_hdr, payload_len), &be_len, sizeof(be_len));
	}
	return true;
}

static int parse_ip4(struct rp_frame *f)
{
	struct rte_ipv4_hdr ip;
	struct rp_reader r = f->l3;
	size_t ihl, total;
	uint16_t frag;
	const void *hdr;

	if (!rp_read_copy(&r, &ip, sizeof(ip)))
		return -EBADMSG;
	ihl = (ip.version_ihl & 0xfu) * 4u;
	total = rte_be_to_cpu_16(ip.total_length);
	if (ip.version_ihl >> 4 != 4 || ihl < sizeof(ip) || total < ihl ||
	    !rp_read_sub(&f->l3, total, &r))
		return -EBADMSG;
	f->l3 = r;
	hdr = rp_read(&r, ihl);
	f->src = rp_addr_ip4(ip.src_addr);
	f->dst = rp_addr_ip4(ip.dst_addr);
	f->tos = ip.type_of_service;
	f->ttl = ip.time_to_live;
	f->proto = ip.next_proto_id;
	frag = rte_be_to_cpu_16(ip.fragment_offset);
	f->df = frag & RTE_IPV4_HDR_DF_FLAG;
	f->more_fragments = frag & RTE_IPV4_HDR_MF_FLAG;
	f->frag_offset = (uint16_t)((frag & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS);
	f->ip_checksum_ok = rp_checksum(hdr, ihl) == 0;
	f->l4 = r;
	return 0;
}

// Step over the extension headers that an upper layer may stand behind, RFC 8200 section 4.
static int skip_ip6_extensions(struct rp_frame *f, struct rp_reader *r)
{
	const uint8_t *ext;
	uint16_t frag;

	while (f->frag_offset == 0) {
		switch (f->proto) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			ext = rp_peek(r, 2);
			if (ext == NULL || rp_read(r, (ext[1] + 1u) * 8u) == NULL)
				return -EBADMSG;
			break;
		case IPPROTO_FRAGMENT:
			ext = rp_read(r, IP6_FRAG_LEN);
			if (ext == NULL)
				return -EBADMSG;
			frag = (uint16_t)(ext[2] << 8 | ext[3]);
			f->frag_offset = frag & 0xfff8;
			f->more_fragments = frag & 1;
			break;
		default:
			return 0;
		}
		f->proto = ext[0];
	}
	return 0;
}

static int parse_ip6(struct rp_frame *f)
{
	struct rte_ipv6_hdr ip;
	struct rp_reader r = f->l3;
	int ret;

	if (!rp_read_copy(&r, &ip, sizeof(ip)) || rte_be_to_cpu_32(ip.vtc_flow) >> 28 != 6 ||
	    !rp_read_sub(&f->l3, sizeof(ip) + rte_be_to_cpu_16(ip.payload_len), &r))
		return -EBADMSG;
	f->l3 = r;
	rp_read(&r, sizeof(ip));
	f->src = rp_addr_ip6(ip.src_addr);
	f->dst = rp_addr_ip6(ip.dst_addr);
	f->tos = (uint8_t)(rte_be_to_cpu_32(ip.vtc_flow) >> 20);
	f->ttl = ip.hop_limits;
	f->proto = ip.proto;
	f->ip_checksum_ok = true;
	ret = skip_ip6_extensions(f, &r);
	f->l4 = r;
	return ret;
}

static bool verify_l4(const struct rp_frame *f)
{
	size_t len = rp_reader_left(&f->l4);
	int off = checksum_offset(f->proto);
	uint16_t sum;

	if (off < 0 || f->more_fragments || f->frag_offset != 0)
		return true;
	if (len < (size_t)off + sizeof(sum))
		return false;
	memcpy(&sum, f->l4.pos + off, sizeof(sum));
	// RFC 768; RFC 8200 section 8.1 does not allow it over IPv6.
	if (f->proto == IPPROTO_UDP && sum == 0)
		return f->src.family == RP_IP4;
	return rp_checksum_l4(&f->src, &f->dst, f->proto, f->l4.pos, len) == 0;
}

static int parse_l4(struct rp_frame *f)
{
	struct rp_reader r = f->l4;
	uint16_t len, sum;

	if (f->frag_offset == 0 && (f->proto == IPPROTO_UDP || f->proto == IPPROTO_TCP)) {
		if (!rp_read_be16(&r, &f->src_port) || !rp_read_be16(&r, &f->dst_port))
			return -EBADMSG;
	}
	if (f->frag_offset == 0 && f->proto == IPPROTO_UDP) {
		if (!rp_read_be16(&r, &len) || !rp_read_be16(&r, &sum) ||
		    len < sizeof(struct rte_udp_hdr))
			return -EBADMSG;
		if (f->more_fragments) {
			f->payload = r;
		} else if (!rp_read_sub(&r, len - sizeof(struct rte_udp_hdr), &f->payload)) {
			return -EBADMSG;
		} else {
			// What UDP's length leaves out belongs to nobody.
			f->l4.end = f->payload.end;
		}
	}
	f->l4_checksum_ok = verify_l4(f);
	return 0;
}

int rp_frame_parse(const void *data, size_t len, struct rp_frame *f)
{
	struct rp_reader r = rp_reader(data, len);
	int ret;

	memset(f, 0, sizeof(*f));
	if (!rp_read_copy(&r, &f->eth_dst, sizeof(f->eth_dst)) ||
	    !rp_read_copy(&r, &f->eth_src, sizeof(f->eth_src)) || !rp_read_be16(&r, &f->ether_type))
		return -EBADMSG;
	if (f->ether_type == RTE_ETHER_TYPE_VLAN) {
		if (!rp_read_be16(&r, &f->vlan_tci) || !rp_read_be16(&r, &f->ether_type))
			return -EBADMSG;
		f->has_vlan = true;
	}
	f->l3 = r;
	if (f->ether_type == RTE_ETHER_TYPE_IPV4)
		ret = parse_ip4(f);
	else if (f->ether_type == RTE_ETHER_TYPE_IPV6)
		ret = parse_ip6(f);
	else
		return 0;
	return ret < 0 ? ret : parse_l4(f);
}
