/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The Venus command encoding: Vulkan commands and their structs as bytes.
 *
 * Theory of operation. gen_codec.py turns vk.xml into tables: for each struct and each command the
 * place, kind, shape and length of every member. codec.c walks those tables; it is the only code
 * that reads or writes wire bytes of Vulkan commands, whatever their number.
 *
 * On the wire everything is little endian and a multiple of 4 bytes:
 *   request  u32 command, u32 flags (bit 0: a reply is wanted), the parameters in the order of the
 *            prototype; of an output parameter only what the server must know to fill it
 *   reply    u32 command, i32 VkResult or u64 value where the command returns one, then the
 *            output parameters
 *   pointer  u64 0 or 1, then the pointee
 *   array    u64 count (0: NULL), then the elements; byte arrays are padded to 4
 *   string   u64 length with its NUL, bytes, padding
 *   struct   u32 sType, pNext as a pointer to the next struct (itself: sType, pNext, body), body;
 *            structs that the tables do not know are left out of a chain by the encoder and
 *            refused by the decoder
 *   union    u32 tag, the member
 *   handle   u64 object id, chosen by the client; 0 is VK_NULL_HANDLE
 *
 * The decoder trusts nothing: counts are checked against the bytes that are left and against the
 * count members before anything is allocated, allocations come from a capped arena, chains have a
 * bounded depth, strings must end, handles go through the owner's table.
 *
 * None of this is thread-safe: one encoder or decoder serves one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "codec_gen.h"
#include "venus/arena.h"

enum { RP_VN_FLAG_REPLY = 1 };

enum rp_vn_kind {
	RP_VN_NULL, // a pointer that is always NULL on the wire
	RP_VN_U8,
	RP_VN_U32, // also enums, flags, VkBool32, float, int32_t
	RP_VN_U64, // also size_t, VkDeviceSize, double
	RP_VN_HANDLE,
	RP_VN_STRUCT,
	RP_VN_STRING,
};

enum rp_vn_shape {
	RP_VN_ONE,     // the value itself
	RP_VN_FIXED,   // an array inside the struct
	RP_VN_POINTER, // to one
	RP_VN_ARRAY,   // pointer to `len` elements
};

enum rp_vn_dir { RP_VN_IN, RP_VN_OUT, RP_VN_INOUT };
enum rp_vn_ret { RP_VN_RET_VOID, RP_VN_RET_RESULT, RP_VN_RET_U64 };

struct rp_vn_member {
	const char *name;
	uint16_t offset;
	uint8_t kind;
	uint8_t shape;
	uint16_t type;			   // struct id or handle type
	uint8_t dir;			   // parameters only
	bool optional;			   // the pointer may be NULL
	bool elem_optional;		   // the handle or element may be VK_NULL_HANDLE
	bool is_len;			   // another member's length is read from it
	uint32_t fixed;			   // elements of a fixed array
	uint64_t (*len)(const void *base); // elements of an array
};

struct rp_vn_struct {
	const char *name;
	const struct rp_vn_member *members; // without sType and pNext
	const uint16_t *chain;		    // ids of the structs that may stand in its pNext
	uint32_t stype;
	uint16_t size;
	uint16_t n_members;
	uint16_t n_chain;
	uint8_t tag; // unions: the member that is sent
	bool is_union;
	bool has_stype;
};

struct rp_vn_command {
	const char *name;
	const struct rp_vn_member *params; // of struct rp_vn_args_<name>
	uint16_t id;
	uint16_t args_size;
	uint16_t ret_offset;
	uint8_t n_params;
	uint8_t ret;
	uint8_t minor;	   // Vulkan 1.x that brought it
	int8_t out_handle; // the parameter that receives new handles, or -1
	uint8_t destroys;  // the type of the handles that it frees, or RP_VN_TYPE_NONE
	bool answers;	   // returns something: a value or output parameters
};

struct rp_vn_handle_type {
	const char *name;
	bool dispatchable;
};

extern const struct rp_vn_struct rp_vn_structs[RP_VN_N_STRUCTS];
extern const struct rp_vn_command rp_vn_commands[RP_VN_N_COMMANDS];
extern const struct rp_vn_handle_type rp_vn_handle_types[RP_VN_N_TYPES];

// The command with this number on the wire, or NULL.
const struct rp_vn_command *rp_vn_command_find(uint32_t id);

/*
 * How handles of this process relate to object ids. Each returns false for a handle or id that does
 * not exist or has another type. from_wire is not called for id 0; *handle holds the present value
 * when a reply is decoded into the application's memory.
 */
struct rp_vn_handles {
	bool (*to_wire)(void *ctx, enum rp_vn_type type, uint64_t handle, uint64_t *id);
	bool (*from_wire)(void *ctx, enum rp_vn_type type, uint64_t id, uint64_t *handle);
	void *ctx;
};

// Ids that the client chose for the objects that a command makes.
struct rp_vn_new_ids {
	uint64_t *ids;
	uint64_t *handles; // where the driver writes; same order
	uint64_t count;
};

struct rp_vn_encoder {
	struct rp_writer w; // overflow: the buffer was too small
	const struct rp_vn_handles *handles;
	const struct rp_vn_new_ids *new_ids; // replies: ids for the out handles
	bool bad_handle;
};

struct rp_vn_decoder {
	struct rp_reader r;
	struct rp_arena *arena; // requests
	const struct rp_vn_handles *handles;
	struct rp_vn_new_ids new_ids; // requests: set by the decoder
	const char *error;	      // what is malformed, NULL while all is well
	bool inplace;		      // replies: into memory that the caller owns
};

// Write a request. args is a struct rp_vn_args_<name>.
void rp_vn_encode_request(struct rp_vn_encoder *e, const struct rp_vn_command *cmd,
			  const void *args, uint32_t flags);

// Write the reply to a command that was executed.
void rp_vn_encode_reply(struct rp_vn_encoder *e, const struct rp_vn_command *cmd, const void *args);

// Read the parameters of a request, whose command and flags are already read, into args (zeroed by
// the caller). False: malformed, see d->error.
bool rp_vn_decode_request(struct rp_vn_decoder *d, const struct rp_vn_command *cmd, void *args);

// Read a whole reply into the memory that the request's args point to.
bool rp_vn_decode_reply(struct rp_vn_decoder *d, const struct rp_vn_command *cmd, void *args);

// One struct by itself, with its chain: for tests and tools.
void rp_vn_encode_struct(struct rp_vn_encoder *e, enum rp_vn_struct_id id, const void *s);
bool rp_vn_decode_struct(struct rp_vn_decoder *d, enum rp_vn_struct_id id, void *s);

// Bytes of one element of a member's kind in this process.
size_t rp_vn_elem_size(const struct rp_vn_member *m);
