// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include "base/clock.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 4096 // of a capture, held in memory
#define BURST	   32

struct job {
	const char *send;
	const char *receive;
	unsigned int size; // of generated frames
	uint64_t count;	   // to send; 0: until the time is over
	double seconds;
	struct rp_frontend_config cfg;

	struct iovec frames[FRAMES_MAX];
	unsigned int n_frames;
	pcap_dumper_t *dump;
	uint64_t sent, sent_bytes, received, received_bytes;
};

static void parse(struct job *job, int argc, char **argv)
{
	static const struct option options[] = {
		{"send", required_argument, NULL, 's'},
		{"generate", required_argument, NULL, 'g'},
		{"count", required_argument, NULL, 'c'},
		{"receive", required_argument, NULL, 'r'},
		{"seconds", required_argument, NULL, 't'},
		{"queues", required_argument, NULL, 'q'},
		{"mtu", required_argument, NULL, 'm'},
		{0},
	};
	int c;

	job->size = 64;
	job->seconds = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			job->send = optarg;
			break;
		case 'g':
			job->size = (unsigned int)client_number("--generate", optarg, 9000);
			break;
		case 'c':
			job->count = client_number("--count", optarg, INT64_MAX);
			break;
		case 'r':
			job->receive = optarg;
			break;
		case 't':
			job->seconds = (double)client_number("--seconds", optarg, 86400);
			break;
		case 'q':
			job->cfg.queue_pairs =
				(uint16_t)client_number("--queues", optarg, RP_FRONTEND_MAX_PAIRS);
			break;
		case 'm':
			job->cfg.mtu = (uint16_t)client_number("--mtu", optarg, 65521);
			break;
		default:
			exit(2);
		}
	}
	if (job->size < 14)
		errx(2, "--generate: a frame has 14 bytes at least");
}

static void keep_frame(struct job *job, const void *data, size_t len)
{
	struct iovec *f = &job->frames[job->n_frames];

	f->iov_base = malloc(len);
	if (f->iov_base == NULL)
		errx(1, "no memory");
	memcpy(f->iov_base, data, len);
	f->iov_len = len;
	job->n_frames++;
}

static void load_capture(struct job *job)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *in = pcap_open_offline(job->send, text);
	struct pcap_pkthdr *h;
	const u_char *data;

	if (in == NULL)
		errx(1, "--send: %s", text);
	while (job->n_frames < FRAMES_MAX && pcap_next_ex(in, &h, &data) == 1)
		if (h->caplen >= 14)
			keep_frame(job, data, h->caplen);
	pcap_close(in);
	if (job->n_frames == 0)
		errx(1, "--send '%s': no frame in it", job->send);
	if (job->count == 0)
		job->count = job->n_frames;
}

// Broadcast frames of the EtherType for experiments (IEEE 802, 0x88b5).
static void make_frames(struct job *job)
{
	static const uint8_t header[14] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52,
					   0x54, 0,    0x12, 0x34, 0x56, 0x88, 0xb5};
	uint8_t frame[9000] = {0};

	memcpy(frame, header, sizeof(header));
	for (int i = 0; i < BURST; i++)
		keep_frame(job, frame, job->size);
}

static void receive_all(struct job *job, struct rp_frontend *fe)
{
	static uint8_t frame[65536];
	struct pcap_pkthdr h = {0};
	ssize_t len;

	while ((len = rp_frontend_recv_packet(fe, frame, sizeof(frame))) >= 0) {
		job->received++;
		job->received_bytes += (uint64_t)len;
		if (job->dump == NULL)
			continue;
		gettimeofday(&h.ts, NULL);
		h.caplen = h.len = (bpf_u_int32)len;
		pcap_dump((u_char *)job->dump, &h, frame);
	}
	for (unsigned int pair = 0; pair < rp_frontend_pairs(fe); pair++)
		rp_frontend_fill_rx(fe, pair);
}

// Send a burst of what is left; how many found room, or -errno.
static int send_some(struct job *job, struct rp_frontend *fe, unsigned int pair)
{
	unsigned int at = (unsigned int)(job->sent % job->n_frames);
	unsigned int n = job->n_frames - at < BURST ? job->n_frames - at : BURST;
	int rc;

	if (job->count > 0 && job->count - job->sent < n)
		n = (unsigned int)(job->count - job->sent);
	if (n == 0)
		return 0;
	rc = rp_frontend_send_burst(fe, pair, job->frames + at, n);
	for (int i = 0; i < rc; i++)
		job->sent_bytes += job->frames[at + (unsigned int)i].iov_len;
	job->sent += rc > 0 ? (uint64_t)rc : 0;
	return rc == -ENOSPC ? 0 : rc;
}

static int carry(struct job *job, struct rp_frontend *fe, double *seconds)
{
	uint64_t start = rp_clock_ns(), end = start + (uint64_t)(job->seconds * 1e9);
	unsigned int pairs = rp_frontend_pairs(fe), pair = 0;
	int rc = 0;

	// A count is sent as fast as it goes; what it brings back has the time to come.
	while (rc >= 0 && rp_clock_ns() < end) {
		uint64_t received = job->received;

		rc = send_some(job, fe, pair++ % pairs);
		receive_all(job, fe);
		if (rc != 0 || job->received != received)
			continue;
		if (!rp_frontend_connected(fe))
			rc = -ECONNRESET;
		else if (job->count > 0 && job->sent == job->count && job->received >= job->sent)
			break;
		else
			rp_frontend_wait_for_rx(fe, 1);
	}
	*seconds = (double)(rp_clock_ns() - start) / 1e9;
	return rc < 0 ? rc : 0;
}

static void show(const struct client *cl, const struct job *job, double s)
{
	if (cl->json) {
		printf("{\"seconds\": %.3f, \"sent\": %" PRIu64 ", \"sent_bytes\": %" PRIu64
		       ", \"received\": %" PRIu64 ", \"received_bytes\": %" PRIu64 "}\n",
		       s, job->sent, job->sent_bytes, job->received, job->received_bytes);
		return;
	}
	printf("sent     %12" PRIu64 " frames %10.0f /s %10.1f Mbit/s\n", job->sent,
	       (double)job->sent / s, (double)job->sent_bytes * 8 / s / 1e6);
	printf("received %12" PRIu64 " frames %10.0f /s %10.1f Mbit/s\n", job->received,
	       (double)job->received / s, (double)job->received_bytes * 8 / s / 1e6);
}

static int run(const struct client *cl, struct job *job)
{
	struct rp_error err = {0};
	struct rp_frontend *fe = rp_frontend_connect(cl->socket, &err);
	double seconds = 0;
	int rc;

	if (fe == NULL)
		return client_failed(&err);
	rc = rp_frontend_setup(fe, &job->cfg, &err);
	if (rc == 0) {
		rc = carry(job, fe, &seconds);
		if (rc < 0)
			rp_error_set(&err, -rc, "back-end", cl->socket, "%s",
				     rc == -ECONNRESET ? "it hung up" : "it broke a ring");
		show(cl, job, seconds > 0 ? seconds : 1e-9);
	}
	rp_frontend_disconnect(fe);
	rp_frontend_free(fe);
	return rc < 0 ? client_failed(&err) : 0;
}

int client_net(const struct client *cl, int argc, char **argv)
{
	static struct job job;
	pcap_t *out = pcap_open_dead(DLT_EN10MB, 65535);
	int rc;

	job.cfg.timeout_ms = cl->timeout_ms;
	parse(&job, argc, argv);
	if (job.send != NULL)
		load_capture(&job);
	else
		make_frames(&job);
	if (job.receive != NULL) {
		job.dump = pcap_dump_open(out, job.receive);
		if (job.dump == NULL)
			errx(1, "--receive: %s", pcap_geterr(out));
	}
	rc = run(cl, &job);
	if (job.dump != NULL)
		pcap_dump_close(job.dump);
	pcap_close(out);
	for (unsigned int i = 0; i < job.n_frames; i++)
		free(job.frames[i].iov_base);
	return rc;
}
