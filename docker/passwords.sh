#!/bin/sh
# Writes docker/.env with new random passwords; an existing file is kept. Only its owner can read it, and docker compose
# reads it by itself. For Slotbook, which reads the same names: set -a; . docker/.env; set +a
set -eu
umask 077
file=$(cd "$(dirname "$0")" && pwd)/.env
if [ -e "$file" ]; then exit 0; fi
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
cat >"$file" <<END
SLOTBOOK_USERNAME=slotbook
SLOTBOOK_PASSWORD=$(password)
SLOTBOOK_SENTINEL_USERNAME=slotbook
SLOTBOOK_SENTINEL_PASSWORD=$(password)
REDIS_OPERATOR_PASSWORD=$(password)
END
