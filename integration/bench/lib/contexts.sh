# shellcheck shell=bash
# What is built: one directory with a Dockerfile for each case.

# write_context NAME DIR: the Dockerfile names the registry of the engine, the rest stays.
write_context() {
  local name=$1 dir=$2
  mkdir -p "$dir"
  # Every command carries the token, which is how its traces in the engine are found again.
  case $name in
    apt)
      printf 'FROM %s/debian:bookworm\n' "$REGISTRY"
      printf 'RUN : %s; apt-get update && apt-get install -y --no-install-recommends jq\n' "$TOKEN"
      ;;
    # Ten secrets to be searched for in the base and in a layer of ours.
    inspect)
      printf 'FROM %s/debian:bookworm\n' "$REGISTRY"
      printf 'RUN --mount=type=secret,id=s1 echo %s >/stamp\n' "$TOKEN"
      ;;
    busybox) printf 'FROM %s/busybox:latest\nRUN echo %s >/stamp\n' "$REGISTRY" "$TOKEN" ;;
    # A bind mount makes the engine ask for everything and then costs it nothing: a COPY would
    # measure its file copying and its layer export.
    files* | blob*)
      printf 'FROM %s/busybox:latest\n' "$REGISTRY"
      printf 'RUN --mount=type=bind,target=/context : %s\n' "$TOKEN"
      ;;
  esac >"$dir/Dockerfile"
  [[ $name != inspect ]] || ten_secrets "$dir/secrets"
  [[ -e $dir/data ]] || case $name in
    files*) many_files "$dir/data" ;;
    blob*) mkdir "$dir/data" && head -c 500M /dev/urandom >"$dir/data/blob" ;;
  esac
}

ten_secrets() {
  local n
  mkdir -p "$1"
  for ((n = 0; n < 10; n++)); do head -c 30 /dev/urandom | base64 >"$1/s$n"; done
}

# 20,000 files of 1 KiB in 200 directories.
many_files() {
  local d
  for ((d = 0; d < 200; d++)); do
    mkdir -p "$1/$d"
    head -c 102400 /dev/urandom | split -b 1024 -a 2 - "$1/$d/file-"
  done
}

# age_context DIR: new times on everything: should the engine still hold a copy, none of it counts.
age_context() { [[ ! -d $1/data ]] || find "$1/data" -exec touch {} +; }
