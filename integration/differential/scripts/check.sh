#!/bin/bash
# Builds, runs, and takes a failure for what it is.
set -euo pipefail
docker=${DOCKER:-docker}

$docker run --rm --network none "$($docker build -q --build-arg BASE .)" test -x /app/greet
$docker build --quiet --build-arg BASE --iidfile id . >printed
cmp id <(tr -d '\n' <printed) && echo "the file holds what is printed"

if $docker build --build-arg BASE --build-arg CHECK=false --iidfile id -t "$IMAGE:broken" . 2>log; then
  echo "a failure went unnoticed"
else
  echo "failed with $?"
fi
grep -c 'exit code: 1' log >/dev/null && rm log && echo "the log says why"
[[ -e id ]] || echo "no stale ID"
[[ -z $($docker images -q "$IMAGE:broken") ]] && echo "no broken image"
