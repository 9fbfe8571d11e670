// SPDX-License-Identifier: BSD-3-Clause
#version 450
layout(location = 0) out vec3 colour;

void main()
{
	const vec2 places[3] = vec2[](vec2(0.0, -0.9), vec2(0.9, 0.8), vec2(-0.9, 0.7));

	gl_Position = vec4(places[gl_VertexIndex], 0.0, 1.0);
	colour = vec3(gl_VertexIndex == 0, gl_VertexIndex == 1, gl_VertexIndex == 2);
}
