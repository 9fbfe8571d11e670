/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Domain names as RFC 1035 section 3.1 puts them on the wire: labels, each behind its length, then
 * a zero byte. DHCPv4 option 119, DHCPv6 options 24 and 56 and the DNSSL option of a router
 * advertisement carry them. No compression pointers, neither written nor followed.
 */

#include <stdbool.h>

#include "base/bytes.h"

#define RP_DNS_LABEL_MAX 63
#define RP_DNS_NAME_WIRE 255 // bytes of the longest name on the wire, its last zero included
#define RP_DNS_NAME_STR	 254 // the same name as text without a dot at its end, and a NUL

/*
 * True for a name that a configuration may hold: labels of 1..63 letters, digits, '-' and '_', no
 * '-' at either end of one, one dot between two, none at the end, at most 253 characters.
 */
bool rp_dns_name_valid(const char *text);

// Write a valid name; any other is written not at all and fails the writer like an overflow.
bool rp_dns_name_write(struct rp_writer *w, const char *text);

// How many of the first names fit into room bytes together, in wire format.
size_t rp_dns_names_fit(const char *const *names, size_t n, size_t room);

/*
 * Read one name into text, "" for the root. False, with the reader unmoved, where the name is cut
 * short, too long, compressed, or holds a byte that text cannot show (a dot, a blank, no ASCII).
 */
bool rp_dns_name_read(struct rp_reader *r, char text[RP_DNS_NAME_STR]);
