#!/bin/sh
# Owns a throwaway PostgreSQL for one case: a template made once, a copy for each case. PostgreSQL refuses to run as root, so then it runs as
# the user of Debian's package. The names in what it writes to disk are nobody's.
set -eu
cd "$(dirname "$0")"
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

as_owner() {
    if [ "$(id -u)" -eq 0 ]; then
        exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"
    fi
    exec "$@"
}

case $1 in
template)
    [ ! -f .template.tar ] || exit 0
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    [ "$(id -u)" -ne 0 ] || chown postgres "$folder"
    (cd / && as_owner "$bin/initdb" -A trust -U exeunt -E UTF8 --locale=C --no-sync -D "$folder/postgres" >/dev/null)
    cat >>"$folder/postgres/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
logging_collector = off
END
    (cd / && echo 'CREATE DATABASE suite;' | as_owner "$bin/postgres" --single -D "$folder/postgres" postgres >/dev/null)
    tar -C "$folder" -cf .template.tar.new postgres
    mv .template.tar.new .template.tar
    ;;
prepare)
    tar -C "$2" -xpf .template.tar
    chmod 711 "$2"
    ;;
serve)
    folder=$2/postgres port=$3
    cd /
    # A process that was killed leaves its mark behind.
    rm -f "$folder/postmaster.pid"
    as_owner "$bin/postgres" -D "$folder" -p "$port"
    ;;
ready)
    "$bin/psql" -X -q -h 127.0.0.1 -p "$2" -U exeunt -d suite -c 'SELECT 1' >/dev/null 2>&1
    ;;
esac
