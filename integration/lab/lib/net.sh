# shellcheck shell=bash
# One bridge and one address range per engine. The lab does the forwarding itself, because a
# dockerd that manages the default bridge or the firewall breaks every other dockerd's.

FORWARD_FILE=/proc/sys/net/ipv4/ip_forward

# --- address ranges ---

ip_number() {
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  echo $(((a << 24) + (b << 16) + (c << 8) + d))
}

# overlap A/N B/M
overlap() {
  local short=${1#*/}
  ((${2#*/} >= short)) || short=${2#*/}
  (($(ip_number "${1%/*}") >> (32 - short) == $(ip_number "${2%/*}") >> (32 - short)))
}

# used_ranges: every IPv4 destination in a route or as a name server, with its prefix length.
used_ranges() {
  {
    ip -4 -o route show table all
    sed -n 's/^nameserver //p' /etc/resolv.conf
  } | grep -oE '^([a-z]+ )?[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(/[0-9]+)?' |
    sed -E 's/^[a-z]+ //; /\//!s|$|/32|' | grep -v '/0$' | sort -u
}

# free_prefix: the first three numbers of a /24 that nothing on this machine uses.
free_prefix() {
  local used range prefix i
  mapfile -t used < <(used_ranges)
  for ((i = 0; i < 512; i++)); do
    prefix=10.$((213 + i / 256)).$((i % 256))
    for range in "${used[@]}"; do
      if overlap "$prefix.0/24" "$range"; then continue 2; fi
    done
    echo "$prefix"
    return 0
  done
  echo "no free address range below 10.213.0.0/15" >&2
  return 1
}

free_bridge() {
  local i=0
  while [[ -e /sys/class/net/cflab$i ]]; do i=$((i + 1)); done
  echo "cflab$i"
}

# --- the firewall ---

# tables: the iptables programs to write to. The default one when it works; the legacy one too
# when the kernel already filters with it, since its DROP would win over our ACCEPT.
tables() {
  local program found=
  for program in iptables iptables-nft iptables-legacy; do
    if [[ ! $found ]] && "$program" -t nat -S >/dev/null 2>&1; then
      found=$program
      echo "$program"
    fi
  done
  [[ $found ]] || {
    echo "no iptables program works with this kernel" >&2
    return 1
  }
  if [[ $(readlink -f "$(command -v "$found")") != *legacy* ]] &&
    grep -qsx filter /proc/net/ip_tables_names; then
    echo iptables-legacy
  fi
}

# Tables that were empty before us are recorded, so that going down leaves no trace in them.
remember_tables() {
  [[ -e $STATE/tables ]] || "$1"-save | sed -n 's/^\*//p' >"$STATE/tables"
}

forget_tables() {
  local program=$1 table
  for table in nat filter; do
    grep -qsx "$table" "$STATE/tables" && continue
    "$program" -t "$table" -S 2>/dev/null | grep -qv '^-P [A-Z]* ACCEPT$' && continue
    # The iptables programs cannot delete a table; a legacy one is the kernel's own and stays.
    nft delete table ip "$table" 2>/dev/null || true
  done
  rm -f "$STATE/tables"
}

add_rules() {
  local bridge=$1 range=$2 program programs
  programs=$(tables)
  for program in $programs; do
    remember_tables "$program"
    "$program" -w -t nat -A POSTROUTING -s "$range" ! -o "$bridge" -j MASQUERADE
    "$program" -w -I FORWARD -i "$bridge" -j ACCEPT
    "$program" -w -I FORWARD -o "$bridge" -j ACCEPT
  done
}

# remove_rules BRIDGE: whatever names the bridge, also twice or from a killed run.
remove_rules() {
  local program table words
  for program in iptables iptables-legacy; do
    [[ $program == iptables ]] || grep -qs . /proc/net/ip_tables_names || continue
    for table in nat filter; do
      { "$program" -w -t "$table" -S 2>/dev/null || true; } | { grep -wF -- "$1" || true; } |
        while read -ra words; do "$program" -w -t "$table" -D "${words[@]:1}"; done
    done
  done
}

# --- forwarding between interfaces ---

forward_on() {
  [[ -e $STATE/ip_forward ]] || cat "$FORWARD_FILE" >"$STATE/ip_forward"
  echo 1 >"$FORWARD_FILE"
}

# Back to what it was, unless another engine or lab now counts on it.
forward_back() {
  local was=1
  read -r was 2>/dev/null <"$STATE/ip_forward" || return 0
  if ((was == 0)) && ! compgen -G '/sys/class/net/cflab*' >/dev/null &&
    [[ ! -e /sys/class/net/docker0 ]]; then
    echo 0 >"$FORWARD_FILE"
  fi
  rm -f "$STATE/ip_forward"
}

# --- per engine ---

# net_up NAME: makes the engine's bridge and writes "BRIDGE PREFIX" to its net file. The bridge's
# alias says whose it is: after a reboot another lab may have taken the recorded name.
net_up() {
  local file=$STATE/$1/net bridge prefix
  net_down "$1"
  bridge=$(free_bridge)
  prefix=$(free_prefix)
  echo "$bridge $prefix" >"$file"
  ip link add name "$bridge" type bridge
  ip link set "$bridge" alias "$file"
  ip addr add "$prefix.1/24" dev "$bridge"
  ip link set "$bridge" up
  forward_on
  add_rules "$bridge" "$prefix.0/24"
}

net_down() {
  local file=$STATE/$1/net bridge owner _
  read -r bridge _ 2>/dev/null <"$file" || return 0
  owner=$(cat "/sys/class/net/$bridge/ifalias" 2>/dev/null || true)
  if [[ ! $owner || $owner == "$file" ]]; then
    if command -v iptables >/dev/null; then remove_rules "$bridge"; fi
    [[ ! -e /sys/class/net/$bridge ]] || ip link delete "$bridge"
  fi
  rm -f "$file"
}

# net_restore: after the last engine.
net_restore() {
  ! compgen -G "$STATE/*/net" >/dev/null || return 0
  if [[ -e $STATE/tables ]]; then forget_tables iptables; fi
  forward_back
}
