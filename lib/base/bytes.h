/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Bounded reader and writer of bytes.
 *
 * Everything that comes from a VM, a socket or a file is read through struct rp_reader, and
 * everything variable-sized that leaves is written through struct rp_writer. Neither can step
 * outside the buffer that it was given: a read past the end returns NULL or false and leaves the
 * position unchanged; a write past the end returns NULL or false and marks the writer as
 * overflowed, once and for all, so that a chain of writes needs only one check at its end.
 *
 * Not thread-safe; the buffer must outlive the reader or writer. Nothing here allocates.
 */

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rp_reader {
	const uint8_t *pos; // next byte to read
	const uint8_t *end; // one past the last byte
};

static inline struct rp_reader rp_reader(const void *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)data;

	return (struct rp_reader){.pos = p, .end = len == 0 ? p : p + len};
}

// Bytes not yet read.
static inline size_t rp_reader_left(const struct rp_reader *r)
{
	return (size_t)(r->end - r->pos);
}

// The next n bytes without consuming them, or NULL where fewer are left.
static inline const void *rp_peek(const struct rp_reader *r, size_t n)
{
	return n <= rp_reader_left(r) ? r->pos : NULL;
}

// Consume n bytes and return them, or NULL where fewer are left. The bytes may be unaligned.
static inline const void *rp_read(struct rp_reader *r, size_t n)
{
	const void *p = rp_peek(r, n);

	if (p != NULL)
		r->pos += n;
	return p;
}

// Consume n bytes into dst.
static inline bool rp_read_copy(struct rp_reader *r, void *dst, size_t n)
{
	const void *p = rp_read(r, n);

	if (p == NULL)
		return false;
	memcpy(dst, p, n);
	return true;
}

// Consume n bytes and hand them out as a reader of their own: for options and nested lists.
static inline bool rp_read_sub(struct rp_reader *r, size_t n, struct rp_reader *sub)
{
	const void *p = rp_read(r, n);

	if (p == NULL)
		return false;
	*sub = rp_reader(p, n);
	return true;
}

static inline bool rp_read_u8(struct rp_reader *r, uint8_t *v)
{
	return rp_read_copy(r, v, sizeof(*v));
}

// clang-format off
#define RP_READ_INT_(name, type, convert)                              \
	static inline bool name(struct rp_reader *r, type *v)          \
	{                                                              \
		type raw;                                              \
		if (!rp_read_copy(r, &raw, sizeof(raw)))               \
			return false;                                  \
		*v = convert(raw);                                     \
		return true;                                           \
	}
RP_READ_INT_(rp_read_be16, uint16_t, be16toh)
RP_READ_INT_(rp_read_be32, uint32_t, be32toh)
RP_READ_INT_(rp_read_be64, uint64_t, be64toh)
RP_READ_INT_(rp_read_le16, uint16_t, le16toh)
RP_READ_INT_(rp_read_le32, uint32_t, le32toh)
RP_READ_INT_(rp_read_le64, uint64_t, le64toh)
#undef RP_READ_INT_
// clang-format on

struct rp_writer {
	uint8_t *start;
	uint8_t *pos; // next byte to write
	uint8_t *end;
	bool overflow; // sticky: some write did not fit
};

static inline struct rp_writer rp_writer(void *data, size_t len)
{
	uint8_t *p = (uint8_t *)data;

	return (struct rp_writer){.start = p, .pos = p, .end = len == 0 ? p : p + len};
}

// Bytes written so far.
static inline size_t rp_writer_len(const struct rp_writer *w)
{
	return (size_t)(w->pos - w->start);
}

// Bytes that still fit.
static inline size_t rp_writer_left(const struct rp_writer *w)
{
	return w->overflow ? 0 : (size_t)(w->end - w->pos);
}

// Reserve n bytes and return them for filling in, or NULL where they do not fit.
static inline void *rp_write(struct rp_writer *w, size_t n)
{
	uint8_t *p = w->pos;

	if (w->overflow || n > (size_t)(w->end - w->pos)) {
		w->overflow = true;
		return NULL;
	}
	w->pos += n;
	return p;
}

static inline bool rp_write_bytes(struct rp_writer *w, const void *src, size_t n)
{
	void *p = rp_write(w, n);

	if (p == NULL)
		return false;
	if (n > 0)
		memcpy(p, src, n);
	return true;
}

static inline bool rp_write_zero(struct rp_writer *w, size_t n)
{
	void *p = rp_write(w, n);

	if (p == NULL)
		return false;
	memset(p, 0, n);
	return true;
}

static inline bool rp_write_u8(struct rp_writer *w, uint8_t v)
{
	return rp_write_bytes(w, &v, sizeof(v));
}

// clang-format off
#define RP_WRITE_INT_(name, type, convert)                             \
	static inline bool name(struct rp_writer *w, type v)           \
	{                                                              \
		type raw = convert(v);                                 \
		return rp_write_bytes(w, &raw, sizeof(raw));           \
	}
RP_WRITE_INT_(rp_write_be16, uint16_t, htobe16)
RP_WRITE_INT_(rp_write_be32, uint32_t, htobe32)
RP_WRITE_INT_(rp_write_be64, uint64_t, htobe64)
RP_WRITE_INT_(rp_write_le16, uint16_t, htole16)
RP_WRITE_INT_(rp_write_le32, uint32_t, htole32)
RP_WRITE_INT_(rp_write_le64, uint64_t, htole64)
#undef RP_WRITE_INT_
// clang-format on
