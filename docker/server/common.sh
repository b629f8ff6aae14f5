# Sourced by the other scripts: where things are, and how to ask a server.
here=$(cd "$(dirname "$0")" && pwd)
DATA=${DATA:-/data}
RUN=${RUN:-/run/slotbook}
CERTIFICATES=${CERTIFICATES:-/certificates}
HOST=127.0.0.1

# TLS is what was asked for, not what is found: with certificates that it cannot read, a server must not speak in the clear.
has_tls() { [ -n "${TLS:-}" ]; }

# cli PORT WORD...: what a server answers to its operator; nothing, and an exit code, if it does not.
cli() {
    at=$1
    shift
    if has_tls; then set -- --tls --cacert "$CERTIFICATES/ca.crt" "$@"; fi
    REDISCLI_AUTH=$REDIS_OPERATOR_PASSWORD timeout 5 \
        redis-cli --user operator --no-auth-warning -h "$HOST" -p "$at" "$@" 2>/dev/null | tr -d '\r'
}

say() { echo "slotbook: $*" >&2; }
