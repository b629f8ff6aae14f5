#!/bin/sh
# Makes Redis's own kind of user file of users.acl or sentinel.acl: users.sh FILE VERSION [search]
# Passwords come from the environment and leave it as SHA-256.
set -eu

rules=$(
    awk -v version="$2" -v search="${3:-}" '
        function number(text, parts) { split(text, parts, "."); return parts[1] * 1000 + parts[2] }
        /^[ \t]*(#|$)/ { next }
        $1 == "[search]" { if (search == "") next; sub(/\[search\]/, "") }
        $1 ~ /^\[[0-9.]+\]$/ { if (number(version) < number(substr($1, 2))) next; sub(/\[[0-9.]+\]/, "") }
        /^user / { if (line) print line; line = "" }
        { $1 = $1; line = line (line ? " " : "") $0 }
        END { print line }
    ' "$1"
)
sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1; }

for name in SLOTBOOK_PASSWORD SLOTBOOK_SENTINEL_PASSWORD REDIS_OPERATOR_PASSWORD; do
    case $rules in *"%$name%"*) ;; *) continue ;; esac
    eval "password=\${$name:?}"
    digest=$(printf %s "$password" | sha256)
    rules=$(printf '%s\n' "$rules" | sed "s/%$name%/$digest/g")
done
printf '%s\n' "$rules"
