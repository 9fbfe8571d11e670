/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Names for everything that is counted per NIC: why a packet was dropped, and what ringplane
 * answered. One list each; the enum, the names in the console and in metrics come from it.
 */

// X(id, text): the text says what happened, for `show drops`.
#define RP_DROP_REASONS(X)                                                                         \
	/* layer 2 */                                                                              \
	X(runt, "frame shorter than its headers")                                                  \
	X(giant, "frame longer than any IP packet")                                                \
	X(vlan, "VLAN tag: ports are untagged")                                                    \
	X(ethertype, "neither ARP, IPv4 nor IPv6")                                                 \
	X(l2_not_for_us, "destination MAC is not the gateway's")                                   \
	X(spoofed_mac, "source MAC is not the NIC's")                                              \
	/* layer 3 headers */                                                                      \
	X(ip_bad_header, "IP version, header length or total length is wrong")                     \
	X(ip_bad_checksum, "IPv4 header checksum is wrong")                                        \
	X(ip_no_family, "the NIC has no address of this family")                                   \
	X(ip_ext_header, "IPv6 extension headers are malformed or too many")                       \
	X(spoofed_ip, "source address is not the NIC's")                                           \
	X(bad_source, "source address cannot be answered: multicast, loopback, unspecified")       \
	/* where to */                                                                             \
	X(multicast, "multicast or broadcast never leaves the NIC")                                \
	X(link_local, "link-local destination never leaves the NIC")                               \
	X(own_address, "destination is the VM's own address")                                      \
	X(not_for_host, "from the host, but not for an address of a public NIC")                   \
	X(no_route, "no such destination in this network")                                         \
	X(ttl_expired, "TTL or hop limit used up")                                                 \
	X(too_big, "larger than the receiver's MTU")                                               \
	X(dst_down, "the receiving VM is not connected")                                           \
	X(host_down, "the way to the host is down")                                                \
	X(tx_full, "the receiver's ring was full")                                                 \
	/* local services */                                                                       \
	X(local_service, "for the gateway, but nothing answers there")                             \
	X(arp_malformed, "ARP packet is malformed")                                                \
	X(arp_gratuitous, "ARP announcement: nobody learns from it")                               \
	X(arp_ignored, "ARP that is no request for the gateway")                                   \
	X(arp_spoofed, "ARP sender is not the NIC")                                                \
	X(local_fragment, "a fragment for the gateway, which reassembles nothing")                 \
	X(l4_bad_checksum, "UDP, ICMP or ICMPv6 checksum is wrong")                                \
	X(l4_malformed, "UDP, ICMP or ICMPv6 is cut short or lies about its length")               \
	X(icmp_ignored, "ICMP that asks nothing of the gateway")                                   \
	X(nd_malformed, "neighbor discovery that RFC 4861 tells a receiver to drop")               \
	X(nd_spoofed, "link-layer address in neighbor discovery is not the NIC's")                 \
	X(nd_ignored, "neighbor discovery that asks nothing of the gateway")                       \
	X(nd_router, "router advertisement or redirect, which a VM may not send")                  \
	X(dhcp4_malformed, "DHCPv4 message is malformed")                                          \
	X(dhcp4_not_the_nic, "DHCPv4 for another hardware address than the NIC's")                 \
	X(dhcp4_other_server, "DHCPv4 that names another server")                                  \
	X(dhcp4_ignored, "DHCPv4 that asks nothing of a server")                                   \
	X(dhcp4_release, "DHCPv4 RELEASE: the address stays the NIC's")                            \
	X(dhcp4_decline, "DHCPv4 DECLINE: the VM says that its address is in use")                 \
	X(dhcp6_malformed, "DHCPv6 message is cut short, lies about a length or holds too much")   \
	X(dhcp6_invalid, "DHCPv6 identifier or IA missing or out of place")                        \
	X(dhcp6_other_server, "DHCPv6 message for another server")                                 \
	X(dhcp6_unicast, "DHCPv6 message that must be multicast")                                  \
	X(dhcp6_relay, "DHCPv6 relay message: no relay stands before a VM")                        \
	X(dhcp6_ignored, "DHCPv6 message that calls for no answer")                                \
	X(reply_no_room, "the reply does not fit")                                                 \
	X(icmp_rate_limited, "ICMP error not sent: rate limit")                                    \
	X(icmp_not_allowed, "ICMP error not sent: would answer an error, fragment or multicast")

// X(id, text)
#define RP_ANSWERS(X)                                                                              \
	X(arp_reply, "ARP replies")                                                                \
	X(dhcp4_offer, "DHCPv4 OFFERs")                                                            \
	X(dhcp4_ack, "DHCPv4 ACKs")                                                                \
	X(dhcp4_nak, "DHCPv4 NAKs")                                                                \
	X(echo_reply, "ICMP and ICMPv6 echo replies")                                              \
	X(nd_neighbor, "neighbor advertisements")                                                  \
	X(nd_router, "router advertisements to solicitations")                                     \
	X(dhcp6_advertise, "DHCPv6 ADVERTISE messages")                                            \
	X(dhcp6_release, "DHCPv6 RELEASE messages acknowledged")                                   \
	X(dhcp6_decline, "DHCPv6 DECLINE messages acknowledged")                                   \
	X(dhcp6_reply, "other DHCPv6 REPLY messages")                                              \
	X(icmp_error, "ICMP and ICMPv6 errors sent")

enum rp_drop {
#define X(id, text) RP_DROP_##id,
	RP_DROP_REASONS(X)
#undef X
		RP_DROP_COUNT,
};

enum rp_answer {
#define X(id, text) RP_ANSWER_##id,
	RP_ANSWERS(X)
#undef X
		RP_ANSWER_COUNT,
};

// The id as text ("spoofed_mac") and the sentence behind it.
const char *rp_drop_name(enum rp_drop reason);
const char *rp_drop_text(enum rp_drop reason);
const char *rp_answer_name(enum rp_answer answer);
const char *rp_answer_text(enum rp_answer answer);
