/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A QEMU that does what a script says: a thread that serves one client at a time on a Unix socket,
 * as QEMU does, and can misbehave in every way that a real one or the stream between may.
 *
 * A script is a list of rules; a rule is a line "on NAME" with actions below it, one a line. NAME
 * is a command, "*" for any other command, or "accept" for a new client. Without rules a client is
 * greeted and every command returns {}.
 *
 *   greet [oob]         the greeting; "oob" offers out-of-band execution
 *   return JSON         the reply, with the command's id
 *   echo                the reply is the command's arguments
 *   error CLASS TEXT    an error reply
 *   stray CLASS TEXT    an error without an id
 *   event NAME [JSON]   an event
 *   pad N               a reply with a string of N bytes
 *   id JSON             the next reply carries this id
 *   cut N               of the next message send the first N bytes, then close
 *   raw TEXT            these bytes; \r \n \\ and \xNN are understood
 *   wait MS             do nothing for a while
 *   chunk N             from now on write N bytes at a time (0: all at once)
 *   hold, flush         keep what is to be written, write it in one go
 *   end crlf|lf|none    what follows each message
 *   pretty              spread messages over lines
 *   deaf, hear          read nothing more from this client, read on
 *   close               close the connection
 *   exit                close it and stop listening; the socket's file stays
 */

#include <stdbool.h>

struct mock;

// Listens when it returns. path NULL: a fresh one under the temporary directory, removed at stop.
// Aborts on a script that it does not understand.
struct mock *mock_start(const char *path, const char *script);
void mock_stop(struct mock *m);
const char *mock_path(const struct mock *m);
// Run actions now on the current connection, and wait until they are done.
void mock_do(struct mock *m, const char *actions);
// Commands of that name received so far; NULL: of any name but qmp_capabilities.
unsigned mock_count(struct mock *m, const char *command);
// Wait until that many have been received, or abort after ten seconds.
void mock_wait_count(struct mock *m, const char *command, unsigned n);
// Times that the byte 0xFF was received.
unsigned mock_resyncs(struct mock *m);
// A descriptor received with the last command that carried one, or -1; the caller's.
int mock_take_fd(struct mock *m);
