#!/bin/sh
# Makes a node part of the cluster.
#   cluster.sh form     make a cluster of FORM_PORTS, all primaries, unless there is one (run by the one-shot service)
#   cluster.sh await_replacement    for a node that has lost its volume: wait until the others no longer count on the
#                       server that was at its address before
#   cluster.sh take N   for a primary: take N slots from the others while everything goes on
#   cluster.sh join     meet the others, and unless JOIN=primary follow a primary: that of port JOIN, if it has no
#                       replica, else whichever has the fewest
set -eu
. "$(dirname "$0")/common.sh"
JOIN=${JOIN:-}

nodes() { cli "$1" CLUSTER NODES; }
knows() { nodes "$1" | wc -l; }
# True when all slots have a server that is up. A single node that has some of the slots says cluster_state:ok, too.
is_ok() {
    [ "$(cli "$1" CLUSTER INFO | grep -cxE 'cluster_(state:ok|slots_assigned:16384|slots_fail:0)')" = 3 ]
}

# manage COMMAND WORD...: redis-cli --cluster, as the operator
manage() {
    command=$1
    shift
    if has_tls; then set -- "$@" --tls --cacert "$CERTIFICATES/ca.crt"; fi
    REDISCLI_AUTH=$REDIS_OPERATOR_PASSWORD redis-cli --user operator --no-auth-warning --cluster "$command" "$@" --cluster-yes
}

take() {
    manage reshard "$HOST:$PORT" --cluster-from all --cluster-to "$(cli "$PORT" CLUSTER MYID)" --cluster-slots "$1" \
        --cluster-pipeline 100 >/dev/null
    say "took $1 slots"
}

form() {
    for port in $FORM_PORTS; do
        until [ "$(cli "$port" PING)" = PONG ]; do sleep 0.2; done
    done
    known=0
    for port in $FORM_PORTS; do known=$((known + $(knows "$port"))); done
    if [ "$known" -le "$(echo "$FORM_PORTS" | wc -w)" ]; then
        addresses=$(for port in $FORM_PORTS; do echo "$HOST:$port"; done)
        # shellcheck disable=SC2086
        manage create $addresses
    fi
    for port in $FORM_PORTS; do
        until is_ok "$port"; do sleep 0.2; done
    done
    say "the cluster is formed"
}

# True when a node still counts on the server that was at this node's address before.
counts_on_former_self() {
    nodes "$1" | awk -v at=":$PORT@" 'index($2, at) && ("," $3 ",") !~ /,(fail|noaddr),/ { found = 1 } END { exit !found }'
}

await_replacement() {
    # A node that has lost its volume has a new id. If it came back at the old address at once, the others could take it
    # for the old node, and would not replace a primary that is gone.
    for port in $NODE_PORTS; do
        if [ "$port" != "$PORT" ]; then
            while counts_on_former_self "$port"; do
                say "waiting until the node at $port has given up the former server at $PORT"
                sleep 1
            done
        fi
    done
}

forget_former_self() {
    for port in $NODE_PORTS; do
        if [ "$port" != "$PORT" ]; then
            # Not if it still has slots (a ninth word): then it was not replaced, and an operator has to decide.
            nodes "$port" | awk -v at=":$PORT@" '
                NF == 8 && ("," $3 ",") ~ /,fail,/ && (index($2, at) || $3 ~ /noaddr/) { print $1 }
            ' | while read -r id; do
                cli "$port" CLUSTER FORGET "$id" >&2
            done
        fi
    done
}

member() {
    for port in $NODE_PORTS; do
        if [ "$port" != "$PORT" ] && is_ok "$port"; then echo "$port" && return; fi
    done
}

# primary [PORT]: the id of the primary with the fewest replicas; with PORT, of the primary there if it has no replica
primary() {
    nodes "$PORT" | awk -v wanted="${1:+:$1@}" '
        ("," $3 ",") ~ /,(fail|fail\?|noaddr|handshake|myself),/ { next }
        $3 ~ /master/ { at[$1] = $2 }
        $3 ~ /slave/ { followers[$4]++ }
        END {
            for (id in at) {
                if (wanted != "" && (followers[id] || !index(at[id], wanted))) continue
                if (best == "" || followers[id] + 0 < followers[best] + 0) best = id
            }
            print best
        }'
}

follow() {
    # Nodes that join at the same time would all find the same primary without a replica, so each tries its own first.
    chosen=
    attempts=25
    while [ -n "$JOIN" ] && [ -z "$chosen" ] && [ "$((attempts -= 1))" -gt 0 ]; do
        chosen=$(primary "$JOIN")
        if [ -z "$chosen" ]; then sleep 0.2; fi
    done
    until [ "$(cli "$PORT" CLUSTER REPLICATE "${chosen:-$(primary)}")" = OK ]; do sleep 0.5; done
}

join() {
    until [ "$(cli "$PORT" PING)" = PONG ]; do sleep 0.2; done
    if [ "$(knows "$PORT")" -gt 1 ]; then return; fi
    while contact=$(member) && [ -z "$contact" ]; do
        # The cluster is not formed yet, or slots have no server: their primary is being replaced, or cannot be replaced;
        # then an operator has to decide (redis-cli --cluster fix gives up its data).
        if [ "$(knows "$PORT")" -gt 1 ]; then return; fi
        sleep 0.5
    done
    if [ "$(knows "$PORT")" -gt 1 ]; then return; fi
    forget_former_self
    others=$(nodes "$contact" | grep -vcE 'fail|noaddr')
    cli "$PORT" CLUSTER MEET "$HOST" "$contact" >&2
    until [ "$(nodes "$PORT" | grep -vcE 'fail|noaddr|handshake')" -gt "$others" ]; do sleep 0.2; done
    if [ "$JOIN" != primary ]; then follow; fi
    say "joined the cluster"
}

"$@"
