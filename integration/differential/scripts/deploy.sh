#!/bin/sh
# From a directory below, with the Dockerfile beside and the context above.
set -eu
: "${DOCKER:=docker}"

cd deploy
$DOCKER build -f docker/app.Dockerfile -t "$IMAGE:deploy" --label by=deploy --build-arg BASE ..
id=$($DOCKER build -q -f docker/app.Dockerfile --build-arg BASE ..)
cid=$($DOCKER create "$id")
$DOCKER cp "$cid:/greeting" ../greeting >/dev/null 2>&1
$DOCKER rm "$cid" >/dev/null
cat ../greeting
