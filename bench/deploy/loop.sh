#!/bin/sh
# loop.sh CONFIG VERSION NAME=FOLDER...: one host after the other, files by rsync, then a script by ssh, which is told what rsync has changed.
set -eu
config=$1 version=$2
shift 2
for each; do
    host=${each%%=*} folder=${each#*=}/$version
    # The owners are the script's: at the first time there are no such users yet.
    changed=$(rsync -rlpt --omit-dir-times --out-format=%n -e "ssh -F $config" --rsync-path="sudo rsync" "$folder/tree/" "$host:/")
    { printf "changed='%s'\n" "$changed"; cat "$folder/activate.sh"; } | ssh -F "$config" "$host" sudo sh -eu -s
done
