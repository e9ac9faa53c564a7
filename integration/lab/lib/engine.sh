# shellcheck shell=bash
# Docker engines, each in its own mount and process namespace: killing its first process ends
# every container, shim and mount it ever made.

DEFAULT_SOCKET=/var/run/docker.sock

answers() {
  [[ -S $1 && $(fetch -s -m 5 --unix-socket "$1" http://docker/_ping 2>/dev/null) == OK ]]
}

# uses_machine_engine NAME: engine `a` is the machine's own when one is there.
uses_machine_engine() {
  [[ $1 == a && ! ${COFFERDAM_LAB_OWN_ENGINE-} && ! -e $STATE/a/pid ]] && answers "$DEFAULT_SOCKET"
}

engine_socket() {
  if uses_machine_engine "$1"; then echo "$DEFAULT_SOCKET"; else echo "$STATE/$1/run/docker.sock"; fi
}

engine_runs() {
  uses_machine_engine "$1" && return 0
  our_pid "$STATE/$1/pid" "$STATE/$1" >/dev/null && answers "$STATE/$1/run/docker.sock"
}

# A resolver on the loopback address is of no use to a container: systemd's own list then.
name_servers() {
  local file=/etc/resolv.conf real=/run/systemd/resolve/resolv.conf
  if [[ -s $real ]] && ! grep -E '^nameserver' "$file" | grep -qvE ' (127\.|::1)'; then file=$real; fi
  cat "$file"
}

write_engine_config() {
  local name=$1 bridge _ store=false
  read -r bridge _ <"$STATE/$name/net"
  [[ $name != b-containerd ]] || store=true
  jq -n --arg bridge "$bridge" --arg cgroup "/$(cgroup_name "$name")" --argjson store "$store" \
    --arg name "$name" '{
    bridge: $bridge, iptables: false, "ip-masq": false, "ip-forward": false,
    "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": $cgroup,
    "shutdown-timeout": 5, labels: ["cofferdam-lab=" + $name]
  } + if $name == "a" then {} else {features: {"containerd-snapshotter": $store}} end' \
    >"$STATE/$name/run/daemon.json"
}

start_engine() {
  local name=$1 root=$2 dir=$STATE/$1 try
  mkdir -p "$dir/run" "$dir/data"
  net_up "$name"
  write_engine_config "$name"
  name_servers >"$dir/run/resolv.conf"
  : >"$dir/dockerd.log"
  daemon "$dir/pid" "$dir/dockerd.log" \
    unshare --mount --propagation slave --pid --fork --kill-child \
    bash "$LAB/engine-init" "$dir" "$root"
  for ((try = 0; try < 300; try++)); do
    if answers "$dir/run/docker.sock"; then return 0; fi
    ((try < 10)) || our_pid "$dir/pid" "$dir" >/dev/null || break
    sleep 0.2
  done
  echo "engine $name does not come up, last lines of $dir/dockerd.log:"
  tail -n 20 "$dir/dockerd.log"
  stop_engine "$name"
  return 1
}

engine_up() {
  local name=$1 root=/
  if engine_runs "$name"; then return 0; fi
  with_lock net stop_engine "$name"
  if [[ $name != a ]]; then root=$(with_lock "engine-root" engine_root); fi
  step "starting engine $name" "$name" with_lock net start_engine "$name" "$root"
}

# stop_engine NAME: also clears what a killed one left: its bridge, rules, cgroups and socket.
stop_engine() {
  local name=$1 dir=$STATE/$1
  stand_in_down "$name"
  stop_engine_processes "$dir"
  net_down "$name"
  remove_cgroups "$(cgroup_name "$name")"
  unmount_below "$dir"
  rm -rf "$dir/run"
}

# `unshare` ignores SIGTERM: its child, the namespace's first process, is the one to ask.
stop_engine_processes() {
  local dir=$1
  stop_pid "$dir/init.pid" "$dir" 1
  stop_pid "$dir/pid" "$dir" 5
}

# cgroup_name ENGINE: one of its own for every engine of every lab.
cgroup_name() { echo "cofferdam-lab-$(sha256sum <<<"$STATE/$1" | cut -c1-12)"; }

remove_cgroups() {
  find /sys/fs/cgroup -depth -type d -path "*/$1*" -exec rmdir {} + 2>/dev/null || true
}

engine_down() {
  stop_engine "$1"
  net_restore
  scrap "$STATE/$1"
}
