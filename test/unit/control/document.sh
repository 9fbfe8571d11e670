#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# document.sh PYTHON GENERATE KIND SCHEMA FILE: is the file what the schema makes of it?
set -eu
new=$(mktemp)
trap 'rm -f "$new"' EXIT
"$1" "$2" "$3" "$4" "$new"
diff -u "$5" "$new" || {
  echo "$5 is not what the schema says: run $2 $3 $4 $5"
  exit 1
}
