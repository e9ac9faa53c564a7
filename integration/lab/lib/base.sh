# shellcheck shell=bash
# Paths, messages, locks and steps shared by every lab command.

STATE=${COFFERDAM_LAB_DIR:-${XDG_STATE_HOME:-${HOME:-/root}/.local/state}/cofferdam-lab}
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cofferdam-lab
ENGINES=(a b-classic b-containerd)

# sbin holds ip, iptables and dockerd, and is often not in a user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# Leftovers of an earlier `eval` must not steer the lab itself.
unset DOCKER_HOST DOCKER_CONTEXT
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
umask 022

say() { printf 'lab: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# Nothing on the loopback goes through a proxy.
fetch() { curl --noproxy '*' "$@"; }

need_root() {
  ((EUID == 0)) || die "the lab starts container engines and needs root: run it with sudo"
}

# The engines' private namespaces get their own /run, and unix socket paths end at 107 bytes.
check_paths() {
  [[ $STATE == /* && $STATE != /run/* && $STATE != /var/run/* ]] ||
    die "COFFERDAM_LAB_DIR must be an absolute path outside /run: $STATE"
  ((${#STATE} <= 80)) || die "COFFERDAM_LAB_DIR is too long for unix sockets: $STATE"
  [[ $STATE != *[[:space:],:]* ]] || die "COFFERDAM_LAB_DIR must hold no blank, comma or colon: $STATE"
  mkdir -p "$STATE/log" "$CACHE/locks"
  chmod 700 "$STATE" "$CACHE"
}

is_engine() {
  local name
  for name in "${ENGINES[@]}"; do [[ $name == "$1" ]] && return 0; done
  return 1
}

# `up` holds the lab shared, `down` holds it alone. Descriptor 8 is closed for daemons.
lab_lock() {
  exec 8>"$CACHE/locks/lab"
  flock -n "$1" 8 || {
    say "waiting for another lab command"
    flock "$1" 8
  }
  # A `down` that was waited for has taken it away.
  mkdir -p "$STATE/log"
  chmod 700 "$STATE"
}

# with_lock NAME COMMAND…: one run of the command at a time on this machine.
with_lock() (
  exec 9>"$CACHE/locks/$1"
  flock 9
  shift
  "$@"
)

# step TEXT LOG COMMAND…: one line when it ends with the time it took; the log's end when it fails.
step() (
  local text=$1 log=$STATE/log/$2.log start=$SECONDS
  shift 2
  exec 7>&2
  trap 'rc=$?
    if ((rc)); then
      exec 2>&7
      say "$text: failed, last lines of $log:"
      tail -n 20 "$log" >&2
    fi' EXIT
  "$@" >>"$log" 2>&1
  say "$text: $((SECONDS - start)) s"
)

# daemon PIDFILE LOG COMMAND…: runs it in its own session, holding none of our locks or pipes.
daemon() {
  local pidfile=$1 log=$2
  shift 2
  setsid "$@" </dev/null >>"$log" 2>&1 7>&- 8>&- 9>&- &
  echo $! >"$pidfile"
}

# our_pid PIDFILE MARK: prints the pid when it lives and its command line holds MARK,
# so a number that was reused by another program is never signalled.
our_pid() {
  local pid
  [[ -s $1 ]] || return 1
  read -r pid <"$1" || return 1
  [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$2" || return 1
  echo "$pid"
}

# stop_pid PIDFILE MARK SECONDS: asks, waits, then kills; a dead or foreign pid is left alone.
stop_pid() {
  local pid deadline=$((SECONDS + $3))
  if pid=$(our_pid "$1" "$2"); then
    kill -TERM "$pid" 2>/dev/null || true
    while our_pid "$1" "$2" >/dev/null && ((SECONDS < deadline)); do sleep 0.1; done
    if our_pid "$1" "$2" >/dev/null; then
      kill -KILL "$pid" 2>/dev/null || true
      while our_pid "$1" "$2" >/dev/null; do sleep 0.1; done
    fi
  fi
  rm -f "$1"
}
