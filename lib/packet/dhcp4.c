// SPDX-License-Identifier: BSD-3-Clause
#include "packet/dhcp4.h"

#include <assert.h>
#include <errno.h>

#define OVERLOAD_FILE  1
#define OVERLOAD_SNAME 2

static_assert(sizeof(struct rp_dhcp4_hdr) == 240, "RFC 2131 section 2 and the magic cookie");

// The next option of an area. 1: one was read, 0: the area is at its end, -EBADMSG.
static int next_option(struct rp_reader *area, uint8_t *code, struct rp_reader *data)
{
	uint8_t len;

	do {
		if (!rp_read_u8(area, code) || *code == RP_DHCP4_OPT_END)
			return 0;
	} while (*code == RP_DHCP4_OPT_PAD);
	if (!rp_read_u8(area, &len) || !rp_read_sub(area, len, data))
		return -EBADMSG;
	return 1;
}

// First pass over an area: how long each option is, all parts together.
static int measure_area(struct rp_dhcp4 *m, struct rp_reader area)
{
	struct rp_reader data;
	uint8_t code;
	int ret;

	while ((ret = next_option(&area, &code, &data)) > 0) {
		m->opt_start[code] = 1;
		m->opt_len[code] = (uint16_t)(m->opt_len[code] + rp_reader_left(&data));
	}
	return ret;
}

// Second pass: put the parts of each option behind one another, RFC 3396 section 7.
static void join_area(struct rp_dhcp4 *m, struct rp_reader area, uint16_t filled[256])
{
	struct rp_reader data;
	uint8_t code;

	while (next_option(&area, &code, &data) > 0) {
		size_t n = rp_reader_left(&data);

		memcpy(m->opt_data + m->opt_start[code] - 1 + filled[code], data.pos, n);
		filled[code] = (uint16_t)(filled[code] + n);
	}
}

/*
 * The areas in the order in which RFC 3396 section 5 joins them: options, file, sname. Option 52
 * counts in the options field only.
 */
static int find_areas(const struct rp_dhcp4 *m, struct rp_reader options, struct rp_reader area[3])
{
	struct rp_reader r = options, data;
	uint8_t code, overload = 0;
	int n = 0, ret;

	while ((ret = next_option(&r, &code, &data)) > 0) {
		if (code == RP_DHCP4_OPT_OVERLOAD &&
		    (rp_reader_left(&data) != 1 || !rp_read_u8(&data, &overload)))
			return -EBADMSG;
	}
	if (ret < 0)
		return ret;
	area[n++] = options;
	if (overload & OVERLOAD_FILE)
		area[n++] = rp_reader(m->hdr.file, sizeof(m->hdr.file));
	if (overload & OVERLOAD_SNAME)
		area[n++] = rp_reader(m->hdr.sname, sizeof(m->hdr.sname));
	return n;
}

static int parse_options(struct rp_dhcp4 *m, struct rp_reader options)
{
	uint16_t filled[256] = {0};
	struct rp_reader area[3];
	size_t total = 0;
	int n = find_areas(m, options, area);

	if (n < 0 || rp_reader_left(&options) > RP_DHCP4_OPTIONS_MAX)
		return -EBADMSG;
	for (int i = 0; i < n; i++) {
		if (measure_area(m, area[i]) < 0)
			return -EBADMSG;
	}
	for (int code = 0; code < 256; code++) {
		if (m->opt_start[code] == 0)
			continue;
		m->opt_start[code] = (uint16_t)(total + 1);
		total += m->opt_len[code];
	}
	if (total > sizeof(m->opt_data))
		return -EBADMSG;
	for (int i = 0; i < n; i++)
		join_area(m, area[i], filled);
	return 0;
}

int rp_dhcp4_parse(struct rp_reader payload, struct rp_dhcp4 *m)
{
	struct rp_reader type;

	if (!rp_read_copy(&payload, &m->hdr, sizeof(m->hdr)) ||
	    m->hdr.cookie != RTE_BE32(RP_DHCP4_COOKIE))
		return -EBADMSG;
	m->type = RP_DHCP4_NONE;
	memset(m->opt_start, 0, sizeof(m->opt_start));
	memset(m->opt_len, 0, sizeof(m->opt_len));
	if (parse_options(m, payload) < 0)
		return -EBADMSG;
	if (rp_dhcp4_option(m, RP_DHCP4_OPT_TYPE, &type) &&
	    (rp_reader_left(&type) != 1 || !rp_read_u8(&type, &m->type)))
		return -EBADMSG;
	return 0;
}

bool rp_dhcp4_option(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, struct rp_reader *data)
{
	if (m->opt_start[code] == 0)
		return false;
	*data = rp_reader(m->opt_data + m->opt_start[code] - 1, m->opt_len[code]);
	return true;
}

// An option of exactly n bytes.
static bool fixed_option(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, size_t n,
			 struct rp_reader *data)
{
	return rp_dhcp4_option(m, code, data) && rp_reader_left(data) == n;
}

bool rp_dhcp4_option_be16(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, uint16_t *v)
{
	struct rp_reader data;

	return fixed_option(m, code, sizeof(*v), &data) && rp_read_be16(&data, v);
}

bool rp_dhcp4_option_be32(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, uint32_t *v)
{
	struct rp_reader data;

	return fixed_option(m, code, sizeof(*v), &data) && rp_read_be32(&data, v);
}

bool rp_dhcp4_option_ip4(const struct rp_dhcp4 *m, enum rp_dhcp4_code code, rte_be32_t *v)
{
	struct rp_reader data;

	return fixed_option(m, code, sizeof(*v), &data) && rp_read_copy(&data, v, sizeof(*v));
}

#define PART_MAX 255 // bytes of one part of an option

size_t rp_dhcp4_option_size(size_t len)
{
	return len + 2 * (len == 0 ? 1 : (len + PART_MAX - 1) / PART_MAX);
}

bool rp_dhcp4_option_write(struct rp_writer *w, enum rp_dhcp4_code code, const void *data,
			   size_t len)
{
	struct rp_reader r = rp_reader(data, len);

	do {
		size_t n = RTE_MIN(rp_reader_left(&r), (size_t)PART_MAX);

		rp_write_u8(w, (uint8_t)code);
		rp_write_u8(w, (uint8_t)n);
		rp_write_bytes(w, rp_read(&r, n), n);
	} while (rp_reader_left(&r) > 0);
	return !w->overflow;
}
