# shellcheck shell=bash
# Stand-ins for a buildkitd in front of an engine: integration/stand-in.

# Relative to an engine's directory, so that the engine's end is theirs.
stand_in_dir() { echo "$STATE/$1/stand-in"; }

# stand_in_binary: builds the program, static, and prints where it is.
stand_in_binary() {
  local target
  target=$(rustc -vV | sed -n 's/^host: //p')
  CARGO_ENCODED_RUSTFLAGS=-Ctarget-feature=+crt-static cargo build --quiet --locked --release \
    --manifest-path "$LAB/../../Cargo.toml" --package cofferdam-stand-in \
    --target "$target" --target-dir "$CACHE/stand-in" >&2
  echo "$CACHE/stand-in/$target/release/stand-in"
}

# make_certificates DIR: an authority, a server at 127.0.0.1 and a client, for ten days; and a
# client of an authority that nobody trusts.
make_certificates() {
  local dir=$1
  make_authority "$dir" ca
  make_certificate "$dir" ca server subjectAltName=IP:127.0.0.1,DNS:localhost
  make_certificate "$dir" ca client extendedKeyUsage=clientAuth
  make_authority "$dir" stranger-ca
  make_certificate "$dir" stranger-ca stranger extendedKeyUsage=clientAuth
}

make_authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 \
    -subj "/CN=cofferdam lab $2" -keyout "$1/$2-key.pem" -out "$1/$2.pem"
}

# make_certificate DIR AUTHORITY NAME EXTENSION
make_certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" \
    -keyout "$1/$3-key.pem" -out "$1/$3.csr"
  openssl x509 -req -in "$1/$3.csr" -CA "$1/$2.pem" -CAkey "$1/$2-key.pem" -CAcreateserial \
    -days 10 -extfile <(echo "$4") -out "$1/$3.pem"
  rm "$1/$3.csr"
}

stand_in_runs() {
  local dir
  dir=$(stand_in_dir "$1")
  [[ -s $dir/$2.address ]] && our_pid "$dir/$2.pid" "$dir/" >/dev/null
}

# start_stand_in ENGINE FORM
start_stand_in() {
  local engine=$1 form=$2 dir binary place try
  dir=$(stand_in_dir "$engine")
  binary=$(stand_in_binary)
  mkdir -p "$dir"
  case $form in
    unix) place=(--unix "$dir/buildkitd.sock") ;;
    tcp) place=(--tcp 127.0.0.1:0) ;;
    tls)
      if [[ ! -s $dir/stranger.pem ]]; then
        need_packages openssl
        make_certificates "$dir"
      fi
      place=(--tcp 127.0.0.1:0 --tls "$dir")
      ;;
  esac
  rm -f "$dir/$form.address"
  daemon "$dir/$form.pid" "$dir/$form.log" "$binary" --engine "$(engine_socket "$engine")" \
    "${place[@]}" --ready "$dir/$form.address"
  for ((try = 0; try < 100; try++)); do
    if [[ -s $dir/$form.address ]]; then return 0; fi
    sleep 0.1
  done
  echo "the stand-in does not come up:"
  tail -n 20 "$dir/$form.log"
  return 1
}

# --- in a container, as buildx's docker-container driver wants it ---

# own_socket ENGINE: where the engine's processes see its socket.
own_socket() {
  if [[ $1 == a ]]; then engine_socket a; else echo /run/lab/docker.sock; fi
}

# docker_call ENGINE METHOD PATH [CURL_OPTION…]: the engine's REST API; the lab needs no docker CLI.
docker_call() {
  local engine=$1 method=$2 path=$3
  shift 3
  fetch -fsS --unix-socket "$(engine_socket "$engine")" -X "$method" "$@" "http://docker/v1.41$path"
}

container_runs() {
  [[ $(docker_call "$1" GET "/containers/buildx_buildkit_${2}0/json" 2>/dev/null |
    jq .State.Running) == true ]]
}

# start_container ENGINE NAME: what buildx would have made for the builder NAME.
start_container() {
  local engine=$1 container=buildx_buildkit_${2}0 image=cofferdam-stand-in:lab root binary
  binary=$(stand_in_binary)
  root=$(mktemp -d)
  # shellcheck disable=SC2064 # the directory is known now and local later
  trap "rm -rf '$root'" EXIT
  mkdir -p "$root/usr/bin" "$root/run"
  install -m 755 "$binary" "$root/usr/bin/buildctl"
  ln "$root/usr/bin/buildctl" "$root/usr/bin/buildkitd"
  tar -C "$root" -cf "$root.tar" .
  docker_call "$engine" POST "/images/create?fromSrc=-&repo=${image%:*}&tag=${image#*:}" \
    -H 'Content-Type: application/x-tar' --data-binary "@$root.tar" -o /dev/null
  rm -f "$root.tar"
  docker_call "$engine" DELETE "/containers/$container?force=1" 2>/dev/null || true
  jq -n --arg image "$image" --arg socket "$(own_socket "$engine")" '{
    Image: $image, Entrypoint: ["/usr/bin/buildkitd"],
    Env: ["PATH=/usr/bin"],
    HostConfig: {Init: false, NetworkMode: "none", Mounts: [
      {Type: "bind", Source: $socket, Target: "/run/engine.sock"}]}
  }' | docker_call "$engine" POST "/containers/create?name=$container" \
    -H 'Content-Type: application/json' --data @- -o /dev/null
  docker_call "$engine" POST "/containers/$container/start"
  mkdir -p "$(stand_in_dir "$engine")"
  echo "$container" >>"$(stand_in_dir "$engine")/containers"
}

# --- the end ---

# stand_in_down ENGINE: the listeners, and containers if the engine still runs.
stand_in_down() {
  local engine=$1 dir form container
  dir=$(stand_in_dir "$engine")
  [[ -e $dir ]] || return 0
  for form in unix tcp tls; do stop_pid "$dir/$form.pid" "$dir/" 2; done
  if [[ -e $dir/containers ]] && engine_runs "$engine"; then
    while read -r container; do
      docker_call "$engine" DELETE "/containers/$container?force=1" 2>/dev/null || true
    done < <(sort -u "$dir/containers")
    docker_call "$engine" DELETE /images/cofferdam-stand-in:lab -o /dev/null 2>/dev/null || true
  fi
  rm -rf "$dir"
}
