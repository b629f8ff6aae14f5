#!/bin/sh
# The healthcheck of every container: exits with 0 when the server is ready for its role.
set -eu
. "$(dirname "$0")/common.sh"
JOIN=${JOIN:-}

has() { printf '%s\n' "$reply" | grep -q "^$1"; }

[ "$(cli "$PORT" PING)" = PONG ]
reply=$(cli "$PORT" INFO replication)
case $ROLE in
standalone) has role:master ;;
replicated) has role:master || has master_link_status:up ;;
node)
    if has role:master; then
        # A node that is to follow someone is not ready while it follows nobody and serves nothing.
        [ "$JOIN" = primary ] || cli "$PORT" CLUSTER NODES | grep myself | awk '{ exit NF <= 8 }'
    else
        has master_link_status:up
    fi
    reply=$(cli "$PORT" CLUSTER INFO)
    has cluster_state:ok && has cluster_slots_assigned:16384
    ;;
sentinel)
    reply=$(cli "$PORT" SENTINEL MASTER slotbook | paste -d= - -)
    has flags=master && has "num-other-sentinels=$(($(echo "$SENTINEL_PORTS" | wc -w) - 1))$" && has "num-slaves=[1-9]"
    ;;
esac
