# shellcheck shell=bash
# How long until an engine hears of us: everything that is read and decided before that.

# A configuration as people have it: two contexts, one of them current, and a credential helper.
write_configuration() {
  local dir=$1 socket=$2 name id
  mkdir -p "$dir/bin"
  printf '{"auths":{"r.example":{}},"credsStore":"bench","currentContext":"two"}\n' \
    >"$dir/config.json"
  for name in one two; do
    id=$(printf %s "$name" | sha256sum)
    id=$dir/contexts/meta/${id%% *}
    mkdir -p "$id"
    printf '{"Name":"%s","Endpoints":{"docker":{"Host":"unix://%s"}}}\n' "$name" "$socket" \
      >"$id/meta.json"
  done
  printf '#!/bin/sh\necho "credentials not found in native keychain"; exit 1\n' \
    >"$dir/bin/docker-credential-bench"
  chmod +x "$dir/bin/docker-credential-bench"
}

# An engine that hears one byte, and the moment of it in microseconds since 1970.
listen() {
  perl -MIO::Socket::UNIX -MTime::HiRes=time -e '
    my $l = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 9) or die "cannot listen: $!\n";
    $| = 1; print "ready\n"; my $c = $l->accept; sysread $c, my $byte, 1;
    printf "%.0f\n", time * 1e6' "$1"
}

measure_first_byte() {
  local dir=$WORK/first run start end ours _
  write_configuration "$dir/docker" "$dir/engine.sock"
  mkdir "$dir/context"
  printf 'FROM busybox\nCOPY . /\n' >"$dir/context/Dockerfile"
  for ((run = -2; run < 30; run++)); do
    rm -f "$dir/engine.sock"
    exec 3< <(listen "$dir/engine.sock")
    read -r _ <&3
    start=$(now)
    (
      unset CI BUILDX_BUILDER DOCKER_HOST DOCKER_CONTEXT
      export DOCKER_CONFIG=$dir/docker PATH=$dir/docker/bin:$PATH
      export XDG_DATA_HOME=$WORK/data XDG_STATE_HOME=$WORK/state
      exec "$COFFERDAM" build "$dir/context" >/dev/null 2>&1 3<&-
    ) &
    ours=$!
    read -r end <&3
    exec 3<&-
    kill "$ours" 2>/dev/null || true
    wait "$ours" 2>/dev/null || true
    ((run < 0)) || record - first-byte seconds cofferdam "$run" "$(seconds $((end - start)))"
  done
}
