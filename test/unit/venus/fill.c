// SPDX-License-Identifier: BSD-3-Clause
#include "fill.h"

#include <string.h>

#define MAX_DEPTH 5

struct chained {
	VkStructureType stype;
	void *next;
};

static uint64_t rnd(struct filler *f)
{
	f->seed ^= f->seed << 13;
	f->seed ^= f->seed >> 7;
	f->seed ^= f->seed << 17;
	return f->seed;
}

static bool coin(struct filler *f)
{
	return (rnd(f) >> 20) & 1;
}

enum how { ALL, ROOM, VALUES }; // everything, only memory, only values into given memory

static void fill_members(struct filler *f, const struct rp_vn_member *m, size_t n, uint8_t *base,
			 enum how how, int depth);

static void fill_chain(struct filler *f, const struct rp_vn_struct *s, struct chained *head,
		       enum how how, int depth)
{
	struct chained *last = head;

	if (how == VALUES) {
		for (struct chained *c = head->next; c != NULL; c = c->next) {
			for (int i = 0; i < RP_VN_N_STRUCTS; i++) {
				const struct rp_vn_struct *t = &rp_vn_structs[i];

				if (t->has_stype && t->stype == (uint32_t)c->stype)
					fill_members(f, t->members, t->n_members, (uint8_t *)c, how,
						     depth + 1);
			}
		}
		return;
	}
	for (int i = 0; i < s->n_chain; i++) {
		const struct rp_vn_struct *t = &rp_vn_structs[s->chain[i]];
		struct chained *c;

		if (depth > 0 && !coin(f))
			continue;
		c = rp_arena_alloc(&f->arena, t->size);
		c->stype = t->stype;
		fill_members(f, t->members, t->n_members, (uint8_t *)c, how, MAX_DEPTH);
		last->next = c;
		last = c;
		if (i > 20)
			break;
	}
}

static void fill_one_struct(struct filler *f, const struct rp_vn_struct *s, void *p, enum how how,
			    int depth)
{
	if (s->is_union) {
		if (how != ROOM)
			fill_members(f, &s->members[s->tag], 1, p, how, depth);
		return;
	}
	if (s->has_stype) {
		((struct chained *)p)->stype = s->stype;
		if (depth < MAX_DEPTH)
			fill_chain(f, s, p, how, depth);
	}
	fill_members(f, s->members, s->n_members, p, how, depth + 1);
}

static char *fill_string(struct filler *f)
{
	size_t n = rnd(f) % 9;
	char *s = rp_arena_alloc(&f->arena, n + 1);

	memset(s, 'a' + (int)(rnd(f) % 26), n);
	return s;
}

static void fill_elems(struct filler *f, const struct rp_vn_member *m, uint8_t *p, uint64_t n,
		       enum how how, int depth)
{
	size_t size = rp_vn_elem_size(m);

	for (uint64_t i = 0; i < n; i++, p += size) {
		uint64_t v = rnd(f);

		if (m->kind == RP_VN_STRUCT) {
			fill_one_struct(f, &rp_vn_structs[m->type], p, how, depth + 1);
			continue;
		}
		if (how == ROOM && m->kind != RP_VN_HANDLE)
			continue;
		if (m->kind == RP_VN_STRING) {
			*(char **)p = fill_string(f);
			continue;
		}
		if (m->is_len)
			v %= 5;
		if (m->kind == RP_VN_HANDLE)
			v = m->elem_optional && coin(f) ? 0 : (v | 1);
		memcpy(p, &v, size);
	}
}

static void fill_array(struct filler *f, const struct rp_vn_member *m, uint8_t *base, enum how how,
		       int depth)
{
	uint64_t n = m->len(base);
	uint8_t *q;

	if (how == VALUES) {
		memcpy(&q, base + m->offset, sizeof(q));
		fill_elems(f, m, q, q != NULL ? n : 0, how, depth);
		return;
	}
	if (n == 0 || (m->optional && depth > 2 && coin(f)))
		return;
	q = rp_arena_array(&f->arena, n, rp_vn_elem_size(m));
	fill_elems(f, m, q, n, how, depth);
	memcpy(base + m->offset, &q, sizeof(q));
}

static void fill_member(struct filler *f, const struct rp_vn_member *m, uint8_t *base, enum how how,
			int depth)
{
	uint8_t *p = base + m->offset, *q;

	if (m->kind == RP_VN_NULL)
		return;
	if (m->shape == RP_VN_ARRAY) {
		fill_array(f, m, base, how, depth);
	} else if (m->shape == RP_VN_POINTER) {
		memcpy(&q, p, sizeof(q));
		if (how != VALUES && !(m->optional && depth > 2 && coin(f)))
			q = rp_arena_alloc(&f->arena, rp_vn_elem_size(m));
		memcpy(p, &q, sizeof(q));
		fill_elems(f, m, q, q != NULL, how, depth);
	} else {
		fill_elems(f, m, p, m->shape == RP_VN_FIXED ? m->fixed : 1, how, depth);
	}
}

static void fill_members(struct filler *f, const struct rp_vn_member *m, size_t n, uint8_t *base,
			 enum how how, int depth)
{
	// Arrays last: their lengths stand in other members.
	for (size_t i = 0; i < n; i++) {
		if (m[i].shape != RP_VN_ARRAY)
			fill_member(f, &m[i], base, how, depth);
	}
	for (size_t i = 0; i < n; i++) {
		if (m[i].shape == RP_VN_ARRAY)
			fill_member(f, &m[i], base, how, depth);
	}
}

void fill_struct(struct filler *f, enum rp_vn_struct_id id, void *s)
{
	fill_one_struct(f, &rp_vn_structs[id], s, ALL, 0);
}

void fill_request(struct filler *f, const struct rp_vn_command *cmd, void *args)
{
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < cmd->n_params; i++) {
			const struct rp_vn_member *m = &cmd->params[i];

			if ((m->shape == RP_VN_ARRAY) == (pass == 1))
				fill_member(f, m, args, m->dir == RP_VN_OUT ? ROOM : ALL, 0);
		}
	}
}

void fill_outputs(struct filler *f, const struct rp_vn_command *cmd, void *args)
{
	for (int i = 0; i < cmd->n_params; i++) {
		if (cmd->params[i].dir == RP_VN_OUT)
			fill_member(f, &cmd->params[i], args, VALUES, 0);
	}
}

/* ---- comparison ---- */

static const char *differ_members(const struct rp_vn_member *m, size_t n, const uint8_t *a,
				  const uint8_t *b);

static const char *differ_one_struct(const struct rp_vn_struct *s, const void *a, const void *b)
{
	if (s->is_union)
		return differ_members(&s->members[s->tag], 1, a, b);
	if (s->has_stype) {
		const struct chained *ca = a, *cb = b;

		if (ca->stype != cb->stype)
			return "sType";
		ca = ca->next;
		cb = cb->next;
		for (; ca != NULL && cb != NULL; ca = ca->next, cb = cb->next) {
			if (ca->stype != cb->stype)
				return "order of the chain";
			for (int i = 0; i < RP_VN_N_STRUCTS; i++) {
				const struct rp_vn_struct *t = &rp_vn_structs[i];
				const char *d;

				if (!t->has_stype || t->stype != (uint32_t)ca->stype)
					continue;
				d = differ_members(t->members, t->n_members, (const uint8_t *)ca,
						   (const uint8_t *)cb);
				if (d != NULL)
					return d;
			}
		}
		if (ca != cb)
			return "length of the chain";
	}
	return differ_members(s->members, s->n_members, a, b);
}

static const char *differ_elems(const struct rp_vn_member *m, const uint8_t *a, const uint8_t *b,
				uint64_t n)
{
	size_t size = rp_vn_elem_size(m);

	for (uint64_t i = 0; i < n; i++, a += size, b += size) {
		if (m->kind == RP_VN_STRUCT) {
			const char *d = differ_one_struct(&rp_vn_structs[m->type], a, b);

			if (d != NULL)
				return d;
		} else if (m->kind == RP_VN_STRING) {
			const char *sa = *(char *const *)a, *sb = *(char *const *)b;

			if ((sa == NULL) != (sb == NULL) || (sa != NULL && strcmp(sa, sb) != 0))
				return m->name;
		} else if (memcmp(a, b, size) != 0) {
			return m->name;
		}
	}
	return NULL;
}

static const char *differ_members(const struct rp_vn_member *m, size_t n, const uint8_t *a,
				  const uint8_t *b)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *pa = a + m[i].offset, *pb = b + m[i].offset, *qa, *qb;
		uint64_t count = m[i].shape == RP_VN_FIXED ? m[i].fixed : 1;
		const char *d;

		if (m[i].kind == RP_VN_NULL)
			continue;
		if (m[i].shape == RP_VN_POINTER || m[i].shape == RP_VN_ARRAY) {
			memcpy(&qa, pa, sizeof(qa));
			memcpy(&qb, pb, sizeof(qb));
			if ((qa == NULL) != (qb == NULL))
				return m[i].name;
			if (m[i].shape == RP_VN_ARRAY)
				count = m[i].len(a);
			if (qa == NULL)
				continue;
			pa = qa;
			pb = qb;
		}
		d = differ_elems(&m[i], pa, pb, count);
		if (d != NULL)
			return d;
	}
	return NULL;
}

const char *differ_struct(enum rp_vn_struct_id id, const void *a, const void *b)
{
	return differ_one_struct(&rp_vn_structs[id], a, b);
}

const char *differ_params(const struct rp_vn_command *cmd, unsigned int dirs, const void *a,
			  const void *b)
{
	for (int i = 0; i < cmd->n_params; i++) {
		const char *d = NULL;

		if (dirs & (1u << cmd->params[i].dir))
			d = differ_members(&cmd->params[i], 1, a, b);
		if (d != NULL)
			return d;
	}
	return NULL;
}
