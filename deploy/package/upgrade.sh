#!/bin/sh
# Another version, and back by itself. The maintainer scripts call it; people may: `/usr/lib/yizhan/upgrade back`.
#
#   keep VERSION    before the new files come: the version that runs is kept, whole
#   check VERSION   after they came: restart what ran; what does not stay up is taken back to VERSION
#   back            take it back now, however well it runs
#
# /usr/bin/yizhan runs the kept version while the file `in-use` stands beside it. A new version copies each database
# before it changes its format (`*.before-schema-N`); those are put back. The days of the journal are not touched, so no
# message is lost: what the older copy lacks is replayed from them.
set -eu
LIB=${YIZHAN_LIB:-/usr/lib/yizhan}
KEPT=${YIZHAN_KEPT:-/var/cache/yizhan/before}
DATA=${YIZHAN_DATA:-/var/lib/yizhan}
CTL=${SYSTEMCTL:-systemctl}
HEALTH_S=${YIZHAN_HEALTH_S:-15}
UNITS="yizhan.service yizhan-gateway.service yizhan-api.service yizhan-bridge.service"

running() {
    for unit in $UNITS; do
        if $CTL is-active --quiet "$unit" 2>/dev/null || $CTL is-failed --quiet "$unit" 2>/dev/null; then
            echo "$unit"
        fi
    done
}

keep() {
    if [ -e "$KEPT/in-use" ]; then
        return 0 # the version that is installed did not start; the good one is kept already
    fi
    rm -rf "$KEPT.part"
    mkdir -p "$KEPT.part"
    cp -a "$LIB/." "$KEPT.part/"
    echo "$1" >"$KEPT.part/version"
    rm -rf "$KEPT"
    mv "$KEPT.part" "$KEPT"
}

# Up, and not started anew, for HEALTH_S seconds. Ready is what the service itself says (Type=notify).
stays_up() {
    $CTL restart "$1" || return 1
    before=$($CTL show --property=NRestarts --value "$1")
    waited=0
    while [ "$waited" -lt "$HEALTH_S" ]; do
        sleep 1
        waited=$((waited + 1))
        $CTL is-active --quiet "$1" || return 1
    done
    [ "$($CTL show --property=NRestarts --value "$1")" = "$before" ]
}

# Only copies that were made since the version was kept, and whole ones: an earlier upgrade's are older than what is known.
databases_back() {
    find "$DATA" -name '*.before-schema-*' ! -name '*.part' -newer "$KEPT/version" | sort -rV | while read -r copy; do
        file=${copy%.before-schema-*}
        rm -f "$file-wal" "$file-shm"
        mv "$copy" "$file"
    done
    find "$DATA" -name 'rollups.db*' -delete # made again from the journal
}

installed() {
    find "$LIB/lib/site-packages" -maxdepth 1 -name 'yizhan-*.dist-info' 2>/dev/null |
        sed -n 's/.*yizhan-\(.*\)\.dist-info$/\1/p' | head -1
}

back() {
    if [ ! -x "$KEPT/bin/python3" ]; then
        echo "yizhan: no version before is kept in $KEPT" >&2
        return 1
    fi
    units=$(running)
    for unit in $units; do
        $CTL stop "$unit" || true
    done
    databases_back
    installed >"$KEPT/in-use" # a centre is told which version did not stay
    for unit in $units; do
        $CTL reset-failed "$unit" 2>/dev/null || true
        $CTL start "$unit" || true
    done
    echo "yizhan: version $(cat "$KEPT/version") runs again; the next installation tries the new one" >&2
}

check() {
    units=$(running)
    rm -f "$KEPT/in-use"
    for unit in $units; do
        if ! stays_up "$unit"; then
            echo "yizhan: $unit of the new version did not stay up; taking back version $1" >&2
            back || true
            return 0
        fi
    done
}

case "${1:-}" in
keep) keep "$2" ;;
check) check "$2" ;;
back) back ;;
*)
    echo "usage: upgrade keep VERSION | check VERSION | back" >&2
    exit 2
    ;;
esac
