# shellcheck shell=bash
# shellcheck disable=SC2153 # set by run
# One line per measurement in $RESULTS: engine, case, metric, tool, run, value.

record() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@" >>"$RESULTS"; }

# microseconds since 1970
now() { printf '%s' "${EPOCHREALTIME/[^0-9]/}"; }

# How long the program takes to start: nothing else happens in --version.
measure_start() {
  local run start end
  for ((run = -2; run < 50; run++)); do
    start=$(now)
    "$COFFERDAM" --version >/dev/null
    end=$(now)
    ((run < 0)) || record - start seconds cofferdam "$run" "$(seconds $((end - start)))"
  done
}

# measure_case ENGINE NAME: a warm-up and then pairs; who goes first alternates.
measure_case() {
  local engine=$1 name=$2 run tools tool
  local dir=$WORK/context/${name%-again}
  say "$engine ($ENGINE_TEXT): $name"
  write_context "$name" "$dir"
  for ((run = 0; run <= PAIRS; run++)); do
    tools='buildx cofferdam'
    ((run % 2)) || tools='cofferdam buildx'
    for tool in $tools; do one_build "$engine" "$name" "$tool" "$run" "$dir"; done
  done
  forget_builds contexts
}

# Run 0 is the warm-up: bases are pulled, programs and files get into memory.
one_build() {
  local engine=$1 name=$2 tool=$3 run=$4 dir=$5 start end
  local tag=cofferdam-$TOKEN:$tool command secret
  case $tool in
    cofferdam) command=("$COFFERDAM" build --progress plain -t "$tag" "$dir") ;;
    buildx) command=("$COFFERDAM_BUILDX" build --no-cache --progress plain -t "$tag" "$dir") ;;
  esac
  if [[ $name == inspect ]]; then
    command=(env RUST_LOG=cofferdam::pipeline=debug "${command[@]}")
    for secret in "$dir"/secrets/*; do command+=(--secret "id=${secret##*/},src=$secret"); done
  fi
  age_context "$dir"
  # Nobody's login, records or builder settings take part. Only here: the lab lives in
  # XDG_STATE_HOME.
  command=(env -u CI -u BUILDX_BUILDER "DOCKER_CONFIG=$WORK/docker"
    "XDG_DATA_HOME=$WORK/data" "XDG_STATE_HOME=$WORK/state" "${command[@]}")
  start=$(now)
  /usr/bin/time -f %M -o "$WORK/memory" "${command[@]}" >"$WORK/log" 2>&1 || {
    tail -n 30 "$WORK/log" >&2
    die "$tool failed at $name on $engine"
  }
  end=$(now)
  remove_image "$tag"
  settle "$name"
  ((run > 0)) || return 0
  record "$engine ($ENGINE_TEXT)" "$name" seconds "$tool" "$run" "$(seconds $((end - start)))"
  record "$engine ($ENGINE_TEXT)" "$name" kilobytes "$tool" "$run" "$(tail -n 1 "$WORK/memory")"
  case $name in
    inspect)
      [[ $tool != cofferdam ]] || looked_through "$engine" "$run"
      ;;
    files* | blob*)
      record "$engine ($ENGINE_TEXT)" "$name" transfer "$tool" "$run" "$(transfer_time)"
      ;;
  esac
}

# looked_through ENGINE RUN: the helper's own clock and the most memory that it had.
looked_through() {
  local line
  line=$(grep 'looked through' "$WORK/log")
  record "$1 ($ENGINE_TEXT)" helper seconds cofferdam "$2" \
    "$(seconds $(($(sed -n 's/.*milliseconds=\([0-9]*\).*/\1/p' <<<"$line") * 1000)))"
  record "$1 ($ENGINE_TEXT)" helper kilobytes cofferdam "$2" \
    "$(sed -n 's/.*kilobytes=\([0-9]*\).*/\1/p' <<<"$line")"
}

# Every run starts alike. Where the name says so, nothing of the run before is in the engine, as on
# a CI machine; else it may hold an old copy, as on a developer's. Neither has to finish writing.
settle() {
  case $1 in
    busybox) return 0 ;;
    files | blob) forget_builds contexts ;;
    *) forget_builds ;;
  esac
  timeout 60 sync -f "$WORK" || true
}

# The engine's own clock around the transfer, as both tools print it.
transfer_time() {
  sed -n 's/^#[0-9]* transferring context: .* \([0-9.]*\)s done$/\1/p' "$WORK/log" |
    sort -n | tail -n 1 | grep . || echo 0
}

# seconds MICROSECONDS
seconds() { printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000)); }
