// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include "vhost_user/describe.h"

#include <err.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct order {
	struct rp_vhu_msg msg;
	const struct rp_vhu_message_info *info;
	bool flags_given;
	uint32_t flags;
	long raw_size; // -1: the true one
	bool negotiate;
};

static void take_hex(struct rp_vhu_msg *msg, const char *hex)
{
	size_t n = strlen(hex);

	if (n % 2 != 0 || n / 2 > sizeof(msg->payload) ||
	    strspn(hex, "0123456789abcdefABCDEF") != n)
		errx(2, "--hex '%s': expected pairs of hexadecimal digits", hex);
	for (msg->size = 0; msg->size < n / 2; msg->size++) {
		char byte[3] = {hex[2 * msg->size], hex[2 * msg->size + 1], '\0'};

		msg->payload.bytes[msg->size] = (uint8_t)strtoul(byte, NULL, 16);
	}
}

// The widths, in bytes, of the numbers of a payload, as a string of digits.
static const char *fields_of(enum rp_vhu_payload_kind kind)
{
	switch (kind) {
	case RP_VHU_PAYLOAD_NONE:
		return "";
	case RP_VHU_PAYLOAD_STATE:
	case RP_VHU_PAYLOAD_DEVICE_STATE:
		return "44";
	case RP_VHU_PAYLOAD_ADDR:
		return "448888";
	case RP_VHU_PAYLOAD_MEM:
		return "448888";
	case RP_VHU_PAYLOAD_REGION:
		return "88888";
	case RP_VHU_PAYLOAD_LOG:
		return "88";
	case RP_VHU_PAYLOAD_CONFIG:
		return "444";
	case RP_VHU_PAYLOAD_INFLIGHT:
		return "88224";
	case RP_VHU_PAYLOAD_IOTLB:
		return "88811222";
	case RP_VHU_PAYLOAD_UUID:
		return "88";
	default:
		return "8";
	}
}

// Values behind the name fill the payload from its start; what is missing is 0.
static void take_values(struct order *o, int argc, char **argv)
{
	const char *fields = fields_of(o->info->payload);
	uint8_t *at = o->msg.payload.bytes;

	if (argc > (int)strlen(fields))
		errx(2, "%s takes at most %zu values", o->info->name, strlen(fields));
	for (int i = 0; fields[i] != '\0'; i++) {
		size_t width = (size_t)(fields[i] - '0');
		uint64_t max = width == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * width)) - 1;
		uint64_t value = i < argc ? client_number(o->info->name, argv[i], max) : 0;

		memcpy(at, &value, width);
		at += width;
	}
	o->msg.size = (uint32_t)(at - o->msg.payload.bytes);
	if (o->info->payload == RP_VHU_PAYLOAD_CONFIG)
		o->msg.size += o->msg.payload.config.size <= RP_VHU_CONFIG_MAX
				       ? o->msg.payload.config.size
				       : 0;
}

static void take_fds(struct rp_vhu_msg *msg, unsigned int n)
{
	for (msg->n_fds = 0; msg->n_fds < n; msg->n_fds++) {
		int fd = memfd_create("vhost-user-client", MFD_CLOEXEC);

		if (fd < 0 || ftruncate(fd, 2 << 20) < 0)
			err(1, "cannot make a descriptor");
		msg->fds[msg->n_fds] = fd;
	}
}

static void parse(struct order *o, int argc, char **argv)
{
	static const struct option options[] = {
		{"hex", required_argument, NULL, 'x'}, {"flags", required_argument, NULL, 'f'},
		{"fds", required_argument, NULL, 'n'}, {"raw-size", required_argument, NULL, 's'},
		{"negotiate", no_argument, NULL, 'g'}, {0},
	};
	const char *hex = NULL;
	int c;

	o->raw_size = -1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'x')
			hex = optarg;
		else if (c == 'f')
			o->flags = (uint32_t)client_number("--flags", optarg, UINT32_MAX);
		else if (c == 'n')
			take_fds(&o->msg,
				 (unsigned int)client_number("--fds", optarg, RP_VHU_MAX_FDS));
		else if (c == 's')
			o->raw_size = (long)client_number("--raw-size", optarg, UINT32_MAX);
		else if (c == 'g')
			o->negotiate = true;
		else
			exit(2);
		o->flags_given |= c == 'f';
	}
	if (optind == argc)
		errx(2, "send: expected the name of a request, such as GET_FEATURES");
	o->info = rp_vhu_message_by_name(RP_VHU_FROM_FRONTEND, argv[optind]);
	if (o->info == NULL)
		errx(2, "send: no request '%s' in the table", argv[optind]);
	o->msg.request = o->info->id;
	if (hex != NULL)
		take_hex(&o->msg, hex);
	else
		take_values(o, argc - optind - 1, argv + optind + 1);
}

// As it stands, the size in its header included.
static int send_order(const struct client *cl, const struct order *o, int sock,
		      struct rp_error *err)
{
	struct {
		struct rp_vhu_header header;
		union rp_vhu_payload payload;
	} __attribute__((packed)) wire = {.payload = o->msg.payload};

	if (!o->flags_given && o->raw_size < 0)
		return rp_vhu_send(sock, &o->msg, cl->timeout_ms, err);
	wire.header = (struct rp_vhu_header){.request = o->msg.request,
					     .flags = o->flags_given ? o->flags : RP_VHU_VERSION,
					     .size = o->raw_size < 0 ? o->msg.size
								     : (uint32_t)o->raw_size};
	return rp_vhu_send_raw(sock, &wire, sizeof(wire.header) + o->msg.size, o->msg.fds,
			       o->msg.n_fds, cl->timeout_ms, err);
}

static void show_reply(const struct client *cl, const struct rp_vhu_msg *reply)
{
	char text[2048];

	rp_vhu_describe(reply, RP_VHU_FROM_FRONTEND, text, sizeof(text));
	if (!cl->json) {
		puts(text);
		if (reply->request == RP_VHU_GET_FEATURES && reply->size == 8) {
			json_t *names = client_virtio_names(cl, reply->payload.u64), *name;
			size_t i;

			json_array_foreach(names, i, name)
			{
				printf("  %s\n", json_string_value(name));
			}
			json_decref(names);
		}
		return;
	}
	printf("{\"reply\": \"%s\", \"fds\": %u, \"bytes\": \"", text, reply->n_fds);
	for (uint32_t i = 0; i < reply->size; i++)
		printf("%02x", reply->payload.bytes[i]);
	printf("\"}\n");
}

static int converse(const struct client *cl, struct order *o, struct rp_frontend *fe,
		    struct rp_error *err)
{
	const struct rp_frontend_config cfg = {.timeout_ms = cl->timeout_ms};
	struct rp_vhu_msg reply;
	uint64_t protocol = 0;
	int rc = 0;

	if (o->negotiate) {
		rc = rp_frontend_negotiate(fe, &cfg, err);
		protocol = rp_frontend_protocol_features(fe);
		if ((protocol & RP_VHU_PROTOCOL_BIT(REPLY_ACK)) != 0)
			o->msg.flags |= RP_VHU_FLAG_NEED_REPLY;
	}
	if (rc == 0)
		rc = send_order(cl, o, rp_frontend_socket(fe), err);
	if (rc < 0)
		return rc;
	if (!o->flags_given && !rp_vhu_reply_expected(o->info, o->msg.flags, protocol)) {
		puts(cl->json ? "{}" : "sent; no reply is due");
		return 0;
	}
	rc = rp_vhu_recv(rp_frontend_socket(fe), &reply, cl->timeout_ms, err);
	if (rc < 0)
		return rc;
	show_reply(cl, &reply);
	rc = rp_vhu_check_reply(&reply, o->info, err);
	rp_vhu_close_fds(&reply);
	return rc;
}

int client_send(const struct client *cl, int argc, char **argv)
{
	static struct order order;
	struct rp_error err;
	struct rp_frontend *fe;
	int rc;

	parse(&order, argc, argv);
	fe = rp_frontend_connect(cl->socket, &err);
	if (fe == NULL)
		return client_failed(&err);
	rc = converse(cl, &order, fe, &err);
	rp_frontend_free(fe);
	rp_vhu_close_fds(&order.msg);
	return rc < 0 ? client_failed(&err) : 0;
}
