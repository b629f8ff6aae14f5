#!/bin/sh
# The command of every container: writes the configuration of one server and becomes that server.
#   ROLE=standalone    PORT
#   ROLE=replicated    PORT, PRIMARY_PORT (of the very first primary), SENTINEL_PORTS
#   ROLE=sentinel      PORT, PRIMARY_PORT, SENTINEL_PORTS
#   ROLE=node          PORT, NODE_PORTS, JOIN (see cluster.sh)
# With TLS=on the server accepts TLS connections only.
set -eu
. "$(dirname "$0")/common.sh"
JOIN=${JOIN:-}
umask 077
server=${REDIS_SERVER:-redis-server}
if has_tls; then
    for file in redis.crt redis.key ca.crt; do
        if [ ! -r "$CERTIFICATES/$file" ]; then
            say "user $(id -u) cannot read $file in the folder that REDIS_CERTIFICATES names: no TLS, so no server"
            exit 2
        fi
    done
fi
version=$("$server" --version | sed 's/.*v=\([0-9.]*\).*/\1/')

network() {
    echo "bind ${BIND:-$HOST}"
    echo "dir \"$DATA\""
    if ! has_tls; then
        echo "port $PORT"
        return
    fi
    # Only TLS, also to replicas and in the cluster. Clients authenticate with a password, not with a certificate.
    printf '%s\n' "port 0" "tls-port $PORT" "tls-replication yes" "tls-auth-clients no" \
        "tls-cert-file $CERTIFICATES/redis.crt" "tls-key-file $CERTIFICATES/redis.key" \
        "tls-ca-cert-file $CERTIFICATES/ca.crt"
}

modules() {
    # Where images with search have its modules (Redis 8, Redis Stack, build-image.sh).
    for folder in /usr/local/lib/redis/modules /opt/redis-stack/lib; do
        for module in redisearch rejson; do
            if [ -f "$folder/$module.so" ]; then echo "loadmodule $folder/$module.so"; fi
        done
    done
}

data_config() {
    echo "include \"$here/redis.conf\""
    network
    modules
    echo "aclfile \"$RUN/users.acl\""
    echo "masteruser replica"
    echo "masterauth $REDIS_OPERATOR_PASSWORD"
}

named_by_a_sentinel() {
    for port in $SENTINEL_PORTS; do
        if [ "$port" != "$PORT" ]; then
            named=$(cli "$port" SENTINEL GET-MASTER-ADDR-BY-NAME slotbook | sed -n 2p)
            case $named in *[!0-9]* | '') ;; *) echo "$named" && return ;; esac
        fi
    done
}

# The port of the primary to follow, nothing for the primary itself. The Sentinels know it; before there are any, it is in
# the server's file, or it is PRIMARY_PORT.
follows() {
    named=$(named_by_a_sentinel)
    if [ -z "$named" ] && [ -f "$DATA/redis.conf" ]; then
        sed -n 's/^replicaof [^ ]* //p' "$DATA/redis.conf"
        return
    fi
    # A primary that has lost its volume must not come back as the primary: its replicas would copy the empty data.
    while [ "$named" = "$PORT" ] && [ ! -d "$DATA/appendonlydir" ]; do
        say "the Sentinels take this empty server for the primary; waiting until they have chosen another"
        sleep 1
        named=$(named_by_a_sentinel)
    done
    if [ "${named:-$PRIMARY_PORT}" != "$PORT" ]; then echo "${named:-$PRIMARY_PORT}"; fi
}

replicated() {
    primary=$(follows)
    # The file is in the volume and not in $RUN, because Redis writes its primary into it whenever a Sentinel changes it.
    data_config >"$DATA/redis.conf.new"
    if [ -n "$primary" ]; then echo "replicaof $HOST $primary" >>"$DATA/redis.conf.new"; fi
    mv "$DATA/redis.conf.new" "$DATA/redis.conf"
    exec "$server" "$DATA/redis.conf"
}

sentinel() {
    # A Sentinel keeps what it has learnt in its file; the rest is written again, so that a password can be changed.
    learnt=$(grep -E '^sentinel (myid|current-epoch|monitor|config-epoch|leader-epoch|known-)' "$DATA/sentinel.conf" 2>/dev/null || true)
    if [ -z "$learnt" ]; then
        primary=$(named_by_a_sentinel)
        learnt="sentinel monitor slotbook $HOST ${primary:-$PRIMARY_PORT} 2"
    fi
    {
        network
        echo "aclfile \"$RUN/users.acl\""
        echo "sentinel resolve-hostnames no"
        printf '%s\n' "$learnt" | grep -E '^sentinel (myid|monitor)'
        # A primary is down after 5 s: longer than an orderly restart takes, and short enough that a call with a deadline
        # of 15 s reaches the new primary.
        echo "sentinel down-after-milliseconds slotbook 5000"
        echo "sentinel failover-timeout slotbook 15000"
        echo "sentinel parallel-syncs slotbook 1"
        echo "sentinel auth-user slotbook sentinel"
        echo "sentinel auth-pass slotbook $REDIS_OPERATOR_PASSWORD"
        echo "sentinel sentinel-user sentinel"
        echo "sentinel sentinel-pass $REDIS_OPERATOR_PASSWORD"
        printf '%s\n' "$learnt" | grep -vE '^sentinel (myid|monitor)' || true
    } >"$DATA/sentinel.conf.new"
    mv "$DATA/sentinel.conf.new" "$DATA/sentinel.conf"
    exec "$server" "$DATA/sentinel.conf" --sentinel
}

node() {
    if [ ! -f "$DATA/nodes.conf" ]; then sh "$here/cluster.sh" await_replacement; fi
    {
        data_config
        echo "cluster-enabled yes"
        echo "cluster-config-file nodes.conf"
        # The address that the node announces to clients and other nodes: that of the published or shared port.
        echo "cluster-announce-ip $HOST"
        echo "cluster-node-timeout 5000"
        # Traders are independent: those whose shard is up can work while another shard is down.
        echo "cluster-require-full-coverage no"
        if has_tls; then echo "tls-cluster yes"; fi
    } >"$RUN/redis.conf"
    sh "$here/cluster.sh" join &
    exec "$server" "$RUN/redis.conf"
}

if [ "$ROLE" = sentinel ]; then
    sh "$here/users.sh" "$here/sentinel.acl" "$version" >"$RUN/users.acl"
else
    sh "$here/users.sh" "$here/users.acl" "$version" "$(modules | sed -n 's/.*redisearch.*/search/p')" >"$RUN/users.acl"
fi
case $ROLE in
standalone)
    data_config >"$RUN/redis.conf"
    exec "$server" "$RUN/redis.conf"
    ;;
replicated | sentinel | node) "$ROLE" ;;
*) say "ROLE=$ROLE is none of standalone, replicated, sentinel, node" && exit 2 ;;
esac
