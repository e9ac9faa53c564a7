# shellcheck shell=bash
# The registry on a loopback port; engines treat 127.0.0.0/8 as plain http.

REGISTRY_DIR=$STATE/registry

# registry_address: prints HOST:PORT when our registry answers.
registry_address() {
  local address
  our_pid "$REGISTRY_DIR/pid" "$REGISTRY_DIR/config.yml" >/dev/null || return 1
  [[ -s $REGISTRY_DIR/address ]] || return 1
  read -r address <"$REGISTRY_DIR/address"
  fetch -fs -m 5 -o /dev/null "http://$address/v2/" || return 1
  echo "$address"
}

write_registry_config() {
  cat >"$REGISTRY_DIR/config.yml" <<CONFIG
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $REGISTRY_DIR/data}
  delete: {enabled: true}
http: {addr: "$1", secret: $(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
CONFIG
}

# The kernel chooses the port; an earlier run's port comes first, so printed addresses stay true.
start_registry() {
  local wanted log=$REGISTRY_DIR/log address try
  mkdir -p "$REGISTRY_DIR/data"
  for wanted in "$(cat "$REGISTRY_DIR/address" 2>/dev/null || true)" 127.0.0.1:0; do
    [[ $wanted ]] || continue
    stop_pid "$REGISTRY_DIR/pid" "$REGISTRY_DIR/config.yml" 5
    write_registry_config "$wanted"
    : >"$log"
    daemon "$REGISTRY_DIR/pid" "$log" docker-registry serve "$REGISTRY_DIR/config.yml"
    for ((try = 0; try < 100; try++)); do
      address=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$log" | head -n 1)
      if [[ $address ]]; then
        echo "$address" >"$REGISTRY_DIR/address"
        if registry_address >/dev/null; then return 0; fi
      fi
      # Right after the fork the command line is still the shell's: give it a second.
      ((try < 10)) || our_pid "$REGISTRY_DIR/pid" "$REGISTRY_DIR/config.yml" >/dev/null || break
      sleep 0.1
    done
  done
  echo "the registry does not come up" >&2
  tail -n 20 "$log" >&2
  return 1
}

registry_up() {
  registry_address >/dev/null || step "starting the registry" registry start_registry
}

registry_down() {
  stop_pid "$REGISTRY_DIR/pid" "$REGISTRY_DIR/config.yml" 5
  scrap "$REGISTRY_DIR"
}
