#!/bin/sh
# A Docker engine and docker compose for a machine that has none, from Debian's packages alone; needs root.
#   engine.sh start FOLDER    starts dockerd, with its socket, log and process id in FOLDER, and writes FOLDER/env, to be
#                             sourced: DOCKER_HOST, DOCKER_CONFIG (with docker compose), REDIS_IMAGE
#   engine.sh start FOLDER search    the same, and REDIS_SEARCH_IMAGE; on x86-64, and with pip
#   engine.sh stop FOLDER     stops what was started, and nothing else
# An engine that runs already is used, and not stopped. Images are kept in CACHE, for the next time.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
what=${1:-} folder=${2:-} more=${3:-}
CACHE=${SLOTBOOK_DOCKER_CACHE:-/var/cache/slotbook-docker}

apt_install() {
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@"
}

install_engine() {
    if ! command -v dockerd >/dev/null; then apt_install docker.io; fi
    if ! command -v docker >/dev/null; then apt_install docker-cli; fi # a package of its own since trixie
    if ! command -v mmdebstrap >/dev/null; then apt_install mmdebstrap; fi
}

# docker compose 2 as a plugin: Debian has it since trixie, and its one file, in Go, runs on older systems too. apt gets it
# with lists of its own, so that nothing else on the system could come from there.
install_compose() {
    if docker compose version >/dev/null 2>&1; then return; fi
    plugins=$CACHE/config/cli-plugins
    if [ ! -x "$plugins/docker-compose" ]; then
        apt=$(mktemp -d)
        mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$plugins"
        # shellcheck disable=SC2016
        mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)
        cat >"$apt/trixie.sources" <<END
Types: deb
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
        set -- -q -o Dir::Etc::sourcelist="$apt/trixie.sources" -o Dir::Etc::sourceparts=- \
            -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root
        apt-get "$@" update
        (cd "$apt" && apt-get "$@" download docker-compose && dpkg-deb -x docker-compose_*.deb tree)
        install -m 755 "$apt/tree/usr/libexec/docker/cli-plugins/docker-compose" "$plugins/docker-compose"
        rm -rf "$apt"
    fi
    DOCKER_CONFIG=$CACHE/config
    export DOCKER_CONFIG
}

start() {
    mkdir -p "$folder"
    install_engine
    if ! docker info >/dev/null 2>&1; then
        mkdir -p "$CACHE"
        DOCKER_HOST=unix://$folder/docker.sock
        export DOCKER_HOST
        # No firewall rules and no bridge on this machine: containers have the host's network, or one that compose makes
        # and removes, whose published ports a proxy serves.
        dockerd --data-root "$CACHE/data" --exec-root "$folder/exec" --pidfile "$folder/dockerd.pid" --host "$DOCKER_HOST" \
            --iptables=false --ip6tables=false --bridge=none >"$folder/dockerd.log" 2>&1 </dev/null &
        until docker info >/dev/null 2>&1; do
            if ! kill -0 $! 2>/dev/null; then tail -n 20 "$folder/dockerd.log" >&2 && exit 1; fi
            sleep 0.2
        done
    fi
    install_compose
    "$here/build-image.sh" >&2
    {
        echo "export DOCKER_HOST='${DOCKER_HOST:-}'"
        echo "export DOCKER_CONFIG='${DOCKER_CONFIG:-$HOME/.docker}'"
        echo "export REDIS_IMAGE='slotbook-redis:8'"
    } >"$folder/env"
    if [ "$more" = search ]; then
        "$here/build-image.sh" search >&2
        echo "export REDIS_SEARCH_IMAGE='slotbook-redis:search'" >>"$folder/env"
    fi
}

stop() {
    if [ -f "$folder/dockerd.pid" ]; then
        pid=$(cat "$folder/dockerd.pid")
        kill "$pid"
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    fi
    # dockerd leaves behind what it mounted for the containers' networks.
    sed -n "s#^[^ ]* \($folder/exec/[^ ]*\) .*#\1#p" /proc/mounts | sort -r | while read -r mounted; do umount "$mounted"; done
    rm -rf "$folder"
}

case $what:$folder in
start:/* | stop:/*) "$what" ;;
*) sed -n 's/^# \{0,1\}//p' "$0" | sed '/^[^ A-Z]/q' >&2 && exit 2 ;;
esac
