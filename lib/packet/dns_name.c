// SPDX-License-Identifier: BSD-3-Clause
#include "packet/dns_name.h"

// isalnum() and its like depend on the locale.
static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static bool label_valid(const char *label, size_t len)
{
	if (len == 0 || len > RP_DNS_LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_name_char(label[i]))
			return false;
	}
	return true;
}

bool rp_dns_name_valid(const char *text)
{
	if (strnlen(text, RP_DNS_NAME_STR) == RP_DNS_NAME_STR)
		return false;
	for (;;) {
		size_t len = strcspn(text, ".");

		if (!label_valid(text, len))
			return false;
		if (text[len] == '\0')
			return true;
		text += len + 1;
	}
}

bool rp_dns_name_write(struct rp_writer *w, const char *text)
{
	if (!rp_dns_name_valid(text)) {
		w->overflow = true;
		return false;
	}
	for (;;) {
		size_t len = strcspn(text, ".");

		rp_write_u8(w, (uint8_t)len);
		rp_write_bytes(w, text, len);
		if (text[len] == '\0')
			return rp_write_u8(w, 0);
		text += len + 1;
	}
}

size_t rp_dns_names_fit(const char *const *names, size_t n, size_t room)
{
	size_t fit = 0;

	while (fit < n && strlen(names[fit]) + 2 <= room) {
		room -= strlen(names[fit]) + 2;
		fit++;
	}
	return fit;
}

static bool label_printable(const char *label, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (label[i] <= ' ' || label[i] > '~' || label[i] == '.')
			return false;
	}
	return true;
}

bool rp_dns_name_read(struct rp_reader *r, char text[RP_DNS_NAME_STR])
{
	struct rp_reader in = *r;
	size_t n = 0;

	for (;;) {
		const char *label;
		uint8_t len;

		if (!rp_read_u8(&in, &len))
			return false;
		if (len == 0)
			break;
		// The two high bits would make it a compression pointer (RFC 1035 section 4.1.4).
		if (len > RP_DNS_LABEL_MAX || n + len + 1 > RP_DNS_NAME_STR)
			return false;
		label = (const char *)rp_read(&in, len);
		if (label == NULL || !label_printable(label, len))
			return false;
		memcpy(text + n, label, len);
		n += len;
		text[n++] = '.';
	}
	text[n > 0 ? n - 1 : 0] = '\0';
	*r = in;
	return true;
}
