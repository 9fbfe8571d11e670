// SPDX-License-Identifier: BSD-3-Clause
// Integer hashing and float arithmetic on every element; the integers can be checked on the host.
#version 450
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint ROUNDS = 1;
layout(set = 0, binding = 0) readonly buffer Input { uint words_in[]; };
layout(set = 0, binding = 1) buffer Output { uint words_out[]; };
layout(set = 0, binding = 2) buffer Floats { float floats_out[]; };
layout(push_constant) uniform Push { uint seed; uint count; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	if (i >= count)
		return;
	uint v = words_in[i] ^ seed;
	for (uint r = 0; r < ROUNDS; r++) {
		v ^= v << 13;
		v ^= v >> 17;
		v ^= v << 5;
	}
	words_out[i] += v;
	floats_out[i] = fma(float(v & 0xffffu), 0.37, sqrt(float(i)));
}
