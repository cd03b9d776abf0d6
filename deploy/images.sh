#!/bin/sh
# Builds every image that compose.yaml names, or those whose names follow the options, such as `tools`.
#
#   deploy/images.sh                        compiles in a container, pulls what is needed
#   deploy/images.sh --binaries DIR         takes binaries already built (target/release), pulls nothing
#   deploy/images.sh --tag 1.2.3            another tag than `local`; compose takes it from SPLINTER_TAG
#   deploy/images.sh --no-cache             makes each layer anew, also of what has not changed
#   deploy/images.sh --platform linux/arm64 for another processor, which the engine must be able to run; not with --binaries
#
# The same source gives the same layers: SOURCE_DATE_EPOCH is the time of the last commit unless it is set.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binaries='' tag=${SPLINTER_TAG:-local} platform='' cache=''
while [ $# -gt 0 ]; do
    case $1 in
    --binaries) binaries=${2:?--binaries needs a folder}; shift 2 ;;
    --tag) tag=${2:?--tag needs a tag}; shift 2 ;;
    --platform) platform=${2:?--platform needs a platform}; shift 2 ;;
    --no-cache) cache=$1; shift ;;
    [a-z]*) break ;;
    *) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
done
targets=${*:-gateway scheduler edge-executor cloud-executor tuner optimizer tools}
docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || { echo "images.sh: no Docker engine answers" >&2; exit 1; }

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$here" log -1 --format=%ct 2>/dev/null || echo 0)
fi
export SOURCE_DATE_EPOCH
if [ -n "$binaries" ] && [ -n "$platform" ]; then
    echo "images.sh: binaries of another processor become images there: docs/start.md, \"Images for another processor\"" >&2
    exit 2
fi
context=$here/..
set -- --build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"
[ -z "$platform" ] || set -- "$@" --platform "$platform"
[ -z "$cache" ] || set -- "$@" "$cache"
if [ -n "$binaries" ]; then
    "$here/base-images.sh" builder "$binaries"
    # One that was pulled is as good.
    broker=$("$here/base-images.sh" name)
    docker image inspect "$broker" >/dev/null 2>&1 || "$here/base-images.sh" broker
    set -- "$@" --build-arg BUILDER=splinter/roots
    # The roots are made: nothing of the source is needed.
    context=$(mktemp -d)
    trap 'rmdir "$context"' EXIT
fi
for target in $targets; do
    image=splinter/$target:$tag
    said=$(docker build --quiet --file "$here/Dockerfile" --target "$target" --tag "$image" "$@" "$context" 2>&1) ||
        { echo "$said" >&2; exit 1; }
    docker image inspect --format "$image {{.Size}} bytes" "$image"
done
