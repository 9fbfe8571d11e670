// SPDX-License-Identifier: BSD-3-Clause
// The framing of QMP: any bytes, in pieces of any size. The first byte picks the piece. Whatever
// the pieces, the same messages come out; each is an object to the scanner, and what the JSON
// library takes for an object the scanner has not cut short.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "qmp/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct tally {
	unsigned objects, broken;
	uint64_t bytes, junk;
};

static void check_object(const struct rp_qmp_frame *f)
{
	json_error_t error;
	json_t *json;

	if (f->len < 2 || f->buf[0] != '{' || f->buf[f->len - 1] != '}')
		abort();
	json = json_loadb(f->buf, f->len, 0, &error);
	if (json != NULL && !json_is_object(json))
		abort();
	// The scanner follows the grammar: the library may object to a token, never to the end.
	if (json == NULL && json_error_code(&error) == json_error_premature_end_of_input)
		abort();
	json_decref(json);
}

static struct tally run(const uint8_t *data, size_t len, size_t piece)
{
	struct tally t = {0};
	struct rp_qmp_frame f;

	if (rp_qmp_frame_init(&f, 512, 8) < 0)
		abort();
	for (size_t i = 0; i < len; i += piece) {
		struct rp_reader r = rp_reader(data + i, piece < len - i ? piece : len - i);
		enum rp_qmp_frame_result result;

		while ((result = rp_qmp_frame_feed(&f, &r)) != RP_QMP_FRAME_MORE) {
			t.objects += result == RP_QMP_FRAME_OBJECT;
			t.broken += result == RP_QMP_FRAME_BROKEN;
			t.bytes += f.len;
			if (result == RP_QMP_FRAME_OBJECT)
				check_object(&f);
		}
		if (rp_reader_left(&r) != 0 || f.len > 512 || f.depth > 8)
			abort();
	}
	t.junk = f.junk;
	rp_qmp_frame_free(&f);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tally whole, pieces;

	if (len < 2)
		return 0;
	whole = run(data + 1, len - 1, len);
	pieces = run(data + 1, len - 1, 1 + data[0] % 32);
	if (memcmp(&whole, &pieces, sizeof(whole)) != 0)
		abort();
	return 0;
}
