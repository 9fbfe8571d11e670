// SPDX-License-Identifier: BSD-3-Clause
#include "venus/codec.h"

#include <assert.h>
#include <string.h>

// Scalars are copied as they lie in memory.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire is little endian");
static_assert(sizeof(size_t) == 8 && sizeof(void *) == 8, "64-bit handles and sizes");

// vulkaninfo chains about fifty structs.
#define MAX_CHAIN  128
#define MAX_PARAMS 16

struct chained {
	VkStructureType stype;
	void *next;
};

const struct rp_vn_command *rp_vn_command_find(uint32_t id)
{
	size_t lo = 0, hi = RP_VN_N_COMMANDS;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (rp_vn_commands[mid].id == id)
			return &rp_vn_commands[mid];
		if (rp_vn_commands[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

size_t rp_vn_elem_size(const struct rp_vn_member *m)
{
	switch (m->kind) {
	case RP_VN_U8:
		return 1;
	case RP_VN_U32:
		return 4;
	case RP_VN_STRUCT:
		return rp_vn_structs[m->type].size;
	default:
		return 8;
	}
}

// The struct of this type among those that may extend `root`, or NULL.
static const struct rp_vn_struct *chain_find(const struct rp_vn_struct *root, uint32_t stype)
{
	for (size_t i = 0; i < root->n_chain; i++) {
		if (rp_vn_structs[root->chain[i]].stype == stype)
			return &rp_vn_structs[root->chain[i]];
	}
	return NULL;
}

static bool is_scalar(const struct rp_vn_member *m)
{
	return m->kind == RP_VN_U8 || m->kind == RP_VN_U32 || m->kind == RP_VN_U64;
}

/* ---- encoder ---- */

static void enc_members(struct rp_vn_encoder *e, const struct rp_vn_member *m, size_t n,
			const uint8_t *base, bool partial);

static void enc_bytes(struct rp_vn_encoder *e, const void *p, size_t n)
{
	rp_write_bytes(&e->w, p, n);
	rp_write_zero(&e->w, -n & 3);
}

static void enc_handle(struct rp_vn_encoder *e, enum rp_vn_type type, uint64_t handle)
{
	uint64_t id = 0;

	if (handle != 0 && !e->handles->to_wire(e->handles->ctx, type, handle, &id))
		e->bad_handle = true;
	rp_write_le64(&e->w, id);
}

static void enc_string(struct rp_vn_encoder *e, const char *s)
{
	size_t n = s != NULL ? strlen(s) + 1 : 0;

	rp_write_le64(&e->w, n);
	enc_bytes(e, s, n);
}

static void enc_body(struct rp_vn_encoder *e, const struct rp_vn_struct *s, const void *p,
		     bool partial)
{
	if (s->is_union) {
		if (partial)
			return;
		rp_write_le32(&e->w, s->tag);
		enc_members(e, &s->members[s->tag], 1, p, false);
		return;
	}
	enc_members(e, s->members, s->n_members, p, partial);
}

static void enc_chain(struct rp_vn_encoder *e, const struct rp_vn_struct *root,
		      const struct chained *next, bool partial, int depth)
{
	const struct rp_vn_struct *s = NULL;

	while (next != NULL && depth < MAX_CHAIN) {
		s = chain_find(root, next->stype);
		if (s != NULL)
			break;
		next = next->next;
	}
	if (s == NULL) {
		rp_write_le64(&e->w, 0);
		return;
	}
	rp_write_le64(&e->w, 1);
	rp_write_le32(&e->w, s->stype);
	enc_chain(e, root, next->next, partial, depth + 1);
	enc_body(e, s, next, partial);
}

static void enc_struct(struct rp_vn_encoder *e, const struct rp_vn_struct *s, const void *p,
		       bool partial)
{
	if (s->has_stype) {
		const struct chained *head = p;

		rp_write_le32(&e->w, s->stype);
		enc_chain(e, s, head->next, partial, 0);
	}
	enc_body(e, s, p, partial);
}

static void enc_elems(struct rp_vn_encoder *e, const struct rp_vn_member *m, const uint8_t *p,
		      uint64_t n, bool partial)
{
	const struct rp_vn_struct *s = &rp_vn_structs[m->type];

	switch (m->kind) {
	case RP_VN_U8:
	case RP_VN_U32:
	case RP_VN_U64:
		if (!partial)
			enc_bytes(e, p, n * rp_vn_elem_size(m));
		break;
	case RP_VN_HANDLE:
		for (uint64_t i = 0; i < n; i++)
			enc_handle(e, m->type, ((const uint64_t *)p)[i]);
		break;
	case RP_VN_STRING:
		for (uint64_t i = 0; i < n; i++)
			enc_string(e, ((const char *const *)p)[i]);
		break;
	case RP_VN_STRUCT:
		for (uint64_t i = 0; i < n && !e->w.overflow; i++)
			enc_struct(e, s, p + i * s->size, partial);
		break;
	}
}

static void enc_member(struct rp_vn_encoder *e, const struct rp_vn_member *m, const uint8_t *base,
		       bool partial)
{
	const uint8_t *p = base + m->offset, *q;
	uint64_t n;

	if (m->kind == RP_VN_NULL) {
		rp_write_le64(&e->w, 0);
		return;
	}
	switch (m->shape) {
	case RP_VN_ONE:
		if (!partial || m->kind == RP_VN_STRUCT)
			enc_elems(e, m, p, 1, partial);
		break;
	case RP_VN_FIXED:
		if (!partial || m->kind == RP_VN_STRUCT) {
			rp_write_le64(&e->w, m->fixed);
			enc_elems(e, m, p, m->fixed, partial);
		}
		break;
	case RP_VN_POINTER:
		memcpy(&q, p, sizeof(q));
		rp_write_le64(&e->w, q != NULL);
		if (q != NULL)
			enc_elems(e, m, q, 1, partial);
		break;
	case RP_VN_ARRAY:
		memcpy(&q, p, sizeof(q));
		n = q != NULL ? m->len(base) : 0;
		rp_write_le64(&e->w, n);
		enc_elems(e, m, q, n, partial);
		break;
	}
}

static void enc_members(struct rp_vn_encoder *e, const struct rp_vn_member *m, size_t n,
			const uint8_t *base, bool partial)
{
	for (size_t i = 0; i < n && !e->w.overflow; i++)
		enc_member(e, &m[i], base, partial);
}

void rp_vn_encode_request(struct rp_vn_encoder *e, const struct rp_vn_command *cmd,
			  const void *args, uint32_t flags)
{
	rp_write_le32(&e->w, cmd->id);
	rp_write_le32(&e->w, flags);
	for (size_t i = 0; i < cmd->n_params && !e->w.overflow; i++)
		enc_member(e, &cmd->params[i], args, cmd->params[i].dir == RP_VN_OUT);
}

static void enc_new_ids(struct rp_vn_encoder *e, const struct rp_vn_member *m, const void *args)
{
	uint64_t n = e->new_ids->count;

	if (m->shape == RP_VN_ARRAY) {
		uint64_t len = m->len(args);

		// The driver may have found fewer than the client had room for.
		n = len < n ? len : n;
	}
	rp_write_le64(&e->w, n);
	for (uint64_t i = 0; i < n; i++)
		rp_write_le64(&e->w, e->new_ids->handles[i] != 0 ? e->new_ids->ids[i] : 0);
}

void rp_vn_encode_reply(struct rp_vn_encoder *e, const struct rp_vn_command *cmd, const void *args)
{
	const uint8_t *ret = (const uint8_t *)args + cmd->ret_offset;

	rp_write_le32(&e->w, cmd->id);
	if (cmd->ret != RP_VN_RET_VOID)
		rp_write_bytes(&e->w, ret, cmd->ret == RP_VN_RET_RESULT ? 4 : 8);
	for (size_t i = 0; i < cmd->n_params && !e->w.overflow; i++) {
		if (cmd->params[i].dir == RP_VN_IN)
			continue;
		if ((int)i == cmd->out_handle)
			enc_new_ids(e, &cmd->params[i], args);
		else
			enc_member(e, &cmd->params[i], args, false);
	}
}

void rp_vn_encode_struct(struct rp_vn_encoder *e, enum rp_vn_struct_id id, const void *s)
{
	enc_struct(e, &rp_vn_structs[id], s, false);
}

/* ---- decoder ---- */

static bool dec_members(struct rp_vn_decoder *d, const struct rp_vn_member *m, size_t n,
			uint8_t *base, bool partial);

static bool fail(struct rp_vn_decoder *d, const char *why)
{
	if (d->error == NULL)
		d->error = why;
	return false;
}

static bool dec_u32(struct rp_vn_decoder *d, uint32_t *v)
{
	return rp_read_le32(&d->r, v) || fail(d, "truncated");
}

static bool dec_u64(struct rp_vn_decoder *d, uint64_t *v)
{
	return rp_read_le64(&d->r, v) || fail(d, "truncated");
}

static bool dec_bytes(struct rp_vn_decoder *d, void *p, size_t n)
{
	if (!rp_read_copy(&d->r, p, n) || rp_read(&d->r, -n & 3) == NULL)
		return fail(d, "truncated");
	return true;
}

static bool dec_marker(struct rp_vn_decoder *d, bool *present)
{
	uint64_t v;

	if (!dec_u64(d, &v))
		return false;
	if (v > 1)
		return fail(d, "pointer marker is neither 0 nor 1");
	*present = v == 1;
	return true;
}

static void *dec_alloc(struct rp_vn_decoder *d, uint64_t n, size_t size)
{
	void *p = rp_arena_array(d->arena, n, size);

	if (p == NULL)
		fail(d, "command needs more memory than allowed");
	return p;
}

static bool dec_handle(struct rp_vn_decoder *d, const struct rp_vn_member *m, uint64_t *handle)
{
	uint64_t id;

	if (!dec_u64(d, &id))
		return false;
	if (id == 0) {
		*handle = 0;
		return d->inplace || m->elem_optional || fail(d, "null handle");
	}
	return d->handles->from_wire(d->handles->ctx, m->type, id, handle) ||
	       fail(d, "no object of that id and type");
}

static bool dec_string(struct rp_vn_decoder *d, const struct rp_vn_member *m, char **s)
{
	uint64_t n;
	const char *p;

	if (!dec_u64(d, &n))
		return false;
	if (n == 0)
		return (m->shape == RP_VN_ONE && m->optional) || fail(d, "missing string");
	p = rp_peek(&d->r, n);
	if (p == NULL)
		return fail(d, "truncated");
	if (memchr(p, '\0', n) != p + n - 1)
		return fail(d, "string does not end where its length says");
	*s = dec_alloc(d, n, 1);
	return *s != NULL && dec_bytes(d, *s, n);
}

static bool dec_body(struct rp_vn_decoder *d, const struct rp_vn_struct *s, void *p, bool partial)
{
	uint32_t tag;

	if (!s->is_union)
		return dec_members(d, s->members, s->n_members, p, partial);
	if (partial)
		return true;
	if (!dec_u32(d, &tag))
		return false;
	if (tag >= s->n_members)
		return fail(d, "unknown union tag");
	return dec_members(d, &s->members[tag], 1, p, false);
}

// The struct that the chain's next element goes to: a new one, or the application's own.
static struct chained *chain_place(struct rp_vn_decoder *d, const struct rp_vn_struct *s,
				   struct chained *from)
{
	struct chained *c;

	if (!d->inplace) {
		c = dec_alloc(d, 1, s->size);
		if (c != NULL)
			c->stype = s->stype;
		return c;
	}
	for (c = from; c != NULL; c = c->next) {
		if (c->stype == s->stype)
			return c;
	}
	fail(d, "a struct in the chain was not asked for");
	return NULL;
}

static bool dec_chain(struct rp_vn_decoder *d, const struct rp_vn_struct *root,
		      struct chained *head, bool partial, int depth)
{
	const struct rp_vn_struct *s;
	struct chained *c;
	uint32_t stype;
	bool present;

	if (!dec_marker(d, &present))
		return false;
	if (!present)
		return true;
	if (depth >= MAX_CHAIN)
		return fail(d, "chain too long");
	if (!dec_u32(d, &stype))
		return false;
	s = chain_find(root, stype);
	if (s == NULL)
		return fail(d, "struct not allowed in this chain");
	c = chain_place(d, s, head->next);
	if (c == NULL)
		return false;
	if (!d->inplace)
		head->next = c;
	return dec_chain(d, root, c, partial, depth + 1) && dec_body(d, s, c, partial);
}

static bool dec_struct(struct rp_vn_decoder *d, const struct rp_vn_struct *s, void *p, bool partial)
{
	if (s->has_stype) {
		struct chained *head = p;
		uint32_t stype;

		if (!dec_u32(d, &stype))
			return false;
		if (stype != s->stype)
			return fail(d, "wrong sType");
		if (!d->inplace)
			head->stype = stype;
		if (!dec_chain(d, s, head, partial, 0))
			return false;
	}
	return dec_body(d, s, p, partial);
}

static bool dec_elems(struct rp_vn_decoder *d, const struct rp_vn_member *m, uint8_t *p, uint64_t n,
		      bool partial)
{
	const struct rp_vn_struct *s = &rp_vn_structs[m->type];
	bool ok = true;

	switch (m->kind) {
	case RP_VN_U8:
	case RP_VN_U32:
	case RP_VN_U64:
		return partial || dec_bytes(d, p, n * rp_vn_elem_size(m));
	case RP_VN_HANDLE:
		for (uint64_t i = 0; i < n && ok; i++)
			ok = dec_handle(d, m, &((uint64_t *)p)[i]);
		return ok;
	case RP_VN_STRING:
		for (uint64_t i = 0; i < n && ok; i++)
			ok = dec_string(d, m, &((char **)p)[i]);
		return ok;
	default:
		for (uint64_t i = 0; i < n && ok; i++)
			ok = dec_struct(d, s, p + i * s->size, partial);
		return ok;
	}
}

// No element that is present on the wire takes fewer bytes than this.
static size_t wire_min(const struct rp_vn_member *m, bool partial)
{
	if (m->kind == RP_VN_STRUCT)
		return partial && !rp_vn_structs[m->type].has_stype ? 0 : 4;
	if (m->kind == RP_VN_STRING)
		return 8;
	return partial && is_scalar(m) ? 0 : rp_vn_elem_size(m);
}

// The count of an array: 0, or what the count members say and the bytes that are left allow.
static bool dec_count(struct rp_vn_decoder *d, const struct rp_vn_member *m, uint64_t want,
		      size_t min, uint64_t *n)
{
	if (!dec_u64(d, n))
		return false;
	if (*n == 0)
		return want == 0 || m->optional || fail(d, "missing array");
	if (*n != want)
		return fail(d, "array length differs from its count");
	if (min != 0 && *n > rp_reader_left(&d->r) / min)
		return fail(d, "truncated");
	return true;
}

static bool dec_array(struct rp_vn_decoder *d, const struct rp_vn_member *m, uint8_t *base,
		      bool partial)
{
	uint8_t *q;
	uint64_t n;

	if (!dec_count(d, m, m->len(base), wire_min(m, partial), &n))
		return false;
	if (n == 0)
		return true;
	q = dec_alloc(d, n, rp_vn_elem_size(m));
	if (q == NULL)
		return false;
	memcpy(base + m->offset, &q, sizeof(q));
	return dec_elems(d, m, q, n, partial);
}

static bool dec_pointer(struct rp_vn_decoder *d, const struct rp_vn_member *m, uint8_t *base,
			bool partial)
{
	uint8_t *q;
	bool present;

	memcpy(&q, base + m->offset, sizeof(q));
	if (!dec_marker(d, &present))
		return false;
	if (d->inplace) {
		if (present != (q != NULL))
			return fail(d, "output parameter missing or not asked for");
	} else if (present) {
		q = dec_alloc(d, 1, rp_vn_elem_size(m));
		if (q == NULL)
			return false;
		memcpy(base + m->offset, &q, sizeof(q));
	} else if (!m->optional) {
		return fail(d, "missing pointer");
	}
	return !present || dec_elems(d, m, q, 1, partial);
}

static bool dec_member(struct rp_vn_decoder *d, const struct rp_vn_member *m, uint8_t *base,
		       bool partial)
{
	uint64_t n;

	if (m->kind == RP_VN_NULL)
		return dec_u64(d, &n) && (n == 0 || fail(d, "allocation callbacks on the wire"));
	switch (m->shape) {
	case RP_VN_ONE:
		if (partial && m->kind != RP_VN_STRUCT)
			return true;
		return dec_elems(d, m, base + m->offset, 1, partial);
	case RP_VN_FIXED:
		if (partial && m->kind != RP_VN_STRUCT)
			return true;
		if (!dec_u64(d, &n))
			return false;
		if (n != m->fixed)
			return fail(d, "wrong length of a fixed array");
		return dec_elems(d, m, base + m->offset, n, partial);
	case RP_VN_POINTER:
		return dec_pointer(d, m, base, partial);
	default:
		return dec_array(d, m, base, partial);
	}
}

static bool dec_members(struct rp_vn_decoder *d, const struct rp_vn_member *m, size_t n,
			uint8_t *base, bool partial)
{
	for (size_t i = 0; i < n; i++) {
		if (!dec_member(d, &m[i], base, partial))
			return false;
	}
	return true;
}

// Out handles carry the ids that the client chose; the driver gets room for its own handles.
static bool dec_new_ids(struct rp_vn_decoder *d, const struct rp_vn_member *m, uint8_t *base)
{
	struct rp_vn_new_ids *ids = &d->new_ids;
	uint64_t n;

	if (!dec_count(d, m, m->shape == RP_VN_ARRAY ? m->len(base) : 1, 8, &n))
		return false;
	if (n == 0)
		return true;
	ids->count = n;
	ids->ids = dec_alloc(d, n, 8);
	ids->handles = dec_alloc(d, n, 8);
	if (ids->ids == NULL || ids->handles == NULL)
		return false;
	memcpy(base + m->offset, &ids->handles, sizeof(ids->handles));
	return dec_bytes(d, ids->ids, n * 8);
}

bool rp_vn_decode_request(struct rp_vn_decoder *d, const struct rp_vn_command *cmd, void *args)
{
	d->inplace = false;
	d->new_ids = (struct rp_vn_new_ids){0};
	for (int i = 0; i < cmd->n_params; i++) {
		const struct rp_vn_member *m = &cmd->params[i];

		if (i == cmd->out_handle ? !dec_new_ids(d, m, args)
					 : !dec_member(d, m, args, m->dir == RP_VN_OUT))
			return false;
	}
	return true;
}

static bool dec_reply_array(struct rp_vn_decoder *d, const struct rp_vn_member *m, uint8_t *args,
			    uint64_t room)
{
	uint8_t *q;
	uint64_t n;

	memcpy(&q, args + m->offset, sizeof(q));
	if (!dec_u64(d, &n))
		return false;
	if (n > (q != NULL ? room : 0))
		return fail(d, "more elements than there is room for");
	return n == 0 || dec_elems(d, m, q, n, false);
}

bool rp_vn_decode_reply(struct rp_vn_decoder *d, const struct rp_vn_command *cmd, void *args)
{
	uint64_t room[MAX_PARAMS];
	uint32_t id;

	d->inplace = true;
	if (!dec_u32(d, &id))
		return false;
	if (id != cmd->id)
		return fail(d, "reply to another command");
	if (cmd->ret != RP_VN_RET_VOID &&
	    !dec_bytes(d, (uint8_t *)args + cmd->ret_offset, cmd->ret == RP_VN_RET_RESULT ? 4 : 8))
		return false;
	// The reply overwrites the counts that say how much room the caller has.
	for (int i = 0; i < cmd->n_params; i++)
		room[i] = cmd->params[i].shape == RP_VN_ARRAY ? cmd->params[i].len(args) : 0;
	for (int i = 0; i < cmd->n_params; i++) {
		const struct rp_vn_member *m = &cmd->params[i];

		if (m->dir == RP_VN_IN)
			continue;
		if (m->shape == RP_VN_ARRAY ? !dec_reply_array(d, m, args, room[i])
					    : !dec_member(d, m, args, false))
			return false;
	}
	return true;
}

bool rp_vn_decode_struct(struct rp_vn_decoder *d, enum rp_vn_struct_id id, void *s)
{
	d->inplace = false;
	return dec_struct(d, &rp_vn_structs[id], s, false);
}
