# Sourced by the other scripts: paths, and functions that ask a server.
here=$(cd "$(dirname "$0")" && pwd)
DATA=${DATA:-/data}
RUN=${RUN:-/run/slotbook}
CERTIFICATES=${CERTIFICATES:-/certificates}
HOST=127.0.0.1

# TLS is on when it was asked for, not when certificates are found: with certificates that it cannot read, a server must not
# fall back to plain connections.
has_tls() { [ -n "${TLS:-}" ]; }

# cli PORT WORD...: prints a server's reply to a command of its operator; fails when there is none.
cli() {
    at=$1
    shift
    if has_tls; then set -- --tls --cacert "$CERTIFICATES/ca.crt" "$@"; fi
    REDISCLI_AUTH=$REDIS_OPERATOR_PASSWORD timeout 5 \
        redis-cli --user operator --no-auth-warning -h "$HOST" -p "$at" "$@" 2>/dev/null | tr -d '\r'
}

say() { echo "slotbook: $*" >&2; }
