#!/bin/sh
# Builds what is committed, not what lies around.
set -eu
docker=${DOCKER:-docker}

git archive --format=tar HEAD | $docker build --build-arg BASE -t "$IMAGE:committed" -
$docker build --build-arg BASE -t "$IMAGE:tools" - <tools.Dockerfile
$docker run --rm --network none "$IMAGE:committed" test ! -e /app/untracked
$docker run --rm --network none "$IMAGE:tools" test -e /tool
$docker tag "$IMAGE:committed" "$IMAGE:released"
$docker image inspect --format '{{.Config.User}} {{.Config.Cmd}}' "$IMAGE:released"
