#!/bin/sh
# Makes the root file system of every image from binaries: one folder an image, holding the binary, the shared libraries it needs,
# certificates, and a user that is not root. Nothing of it depends on the machine but the libraries.
#
#   deploy/roots.sh BINARIES OUT
#
# SOURCE_DATE_EPOCH sets the time of every file (default: 0). LIBRARIES adds folders to look for libraries in, before the usual
# ones: those of another processor, for binaries made by a cross compiler.
set -eu

binaries=${1:?usage: deploy/roots.sh BINARIES OUT}
out=${2:?usage: deploy/roots.sh BINARIES OUT}
here=$(dirname "$0")
epoch=${SOURCE_DATE_EPOCH:-0}

die() { echo "roots.sh: $*" >&2; exit 1; }
command -v readelf >/dev/null || die "there is no readelf: install binutils"
certificates=/etc/ssl/certs/ca-certificates.crt
[ -f "$certificates" ] || die "there is no $certificates: install ca-certificates"

# The processor that a binary or library is for.
processor() { LC_ALL=C readelf -h "$1" 2>/dev/null | sed -n 's/^ *Machine: *//p'; }

# Where the library of a name is that a binary needs. One for this machine's processor is of no use to a binary for another.
library() {
    wanted=$(processor "$2")
    for folder in ${LIBRARIES:-} /lib/*-linux-gnu /usr/lib/*-linux-gnu /lib64 /usr/lib64 /lib /usr/lib; do
        if [ -e "$folder/$1" ] && [ "$(processor "$folder/$1")" = "$wanted" ]; then echo "$folder/$1"; return; fi
    done
    die "the library $1 for $wanted is in no folder known: name its folder in LIBRARIES"
}

# Copies what a binary or library needs, and what that needs.
libraries() {
    for name in $(readelf -d "$1" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
        [ -e "$2/lib/$name" ] && continue
        file=$(library "$name" "$1")
        cp -L "$file" "$2/lib/$name"
        libraries "$file" "$2"
    done
}

# root NAME BINARY...: the root of one image.
root() {
    name=$1; shift
    folder=$out/$name
    mkdir -p "$folder/usr/bin" "$folder/lib" "$folder/etc/ssl/certs" "$folder/tmp"
    for binary in "$@"; do
        [ -f "$binaries/$binary" ] || die "there is no $binaries/$binary: build it with \`cargo build --release\`"
        cp -L "$binaries/$binary" "$folder/usr/bin/$binary"
        chmod 755 "$folder/usr/bin/$binary"
        libraries "$folder/usr/bin/$binary" "$folder"
        # The loader is named by its whole path in the binary.
        loader=$(readelf -l "$folder/usr/bin/$binary" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
        if [ -n "$loader" ]; then
            mkdir -p "$folder$(dirname "$loader")"
            file=$(library "$(basename "$loader")" "$folder/usr/bin/$binary")
            cp -L "$file" "$folder$loader"
        fi
    done
    cp -L "$certificates" "$folder/etc/ssl/certs/"
    echo 'splinter:x:65532:65532:splinter:/nonexistent:/usr/sbin/nologin' >"$folder/etc/passwd"
    echo 'splinter:x:65532:' >"$folder/etc/group"
    echo 'hosts: files dns' >"$folder/etc/nsswitch.conf"
    chmod 1777 "$folder/tmp"
}

rm -rf "$out"
# What the images' user owns. Volumes begin as copies of these, their owner included: where the edge's broker keeps its data is a
# volume in a volume.
mkdir -p "$out/owned/keys/edge/data" "$out/owned/data"
for service in gateway scheduler edge-executor cloud-executor tuner optimizer; do
    root "$service" "splinter-$service"
done
root tools splinter loadgen
mkdir -p "$out/tools/usr/share/splinter"
cp -R "$here/../models/demo/bundle" "$out/tools/usr/share/splinter/shapes10"
cp -R "$here/demo/pictures" "$out/tools/usr/share/splinter/pictures"
cp "$here/demo/trace.csv" "$out/tools/usr/share/splinter/trace.csv"
chmod -R u=rwX,go=rX "$out"/*/etc "$out"/*/lib "$out"/*/usr
find "$out" -exec touch -h -d "@$epoch" {} +
