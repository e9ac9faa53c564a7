# shellcheck shell=bash
# Debian packages: what the machine lacks, and where its own mirrors are.

POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='# cofferdam-lab: removed when the installation ends'

installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Packages of services start them; a policy that says no is put up only where there is none.
forbid_service_starts() {
  [[ ! -e $POLICY ]] || return 0
  printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >"$POLICY"
  chmod 755 "$POLICY"
}

# Also removes one that a killed run left behind.
allow_service_starts() {
  if grep -qsxF "$POLICY_MARK" "$POLICY"; then rm -f "$POLICY"; fi
}

apt_get() { apt-get -q -y -o DPkg::Lock::Timeout=600 "$@"; }

install_now() (
  trap allow_service_starts EXIT
  forbid_service_starts
  # An image without package lists, or with stale ones, needs the update first.
  apt_get install --no-install-recommends "$@" || {
    apt_get update
    apt_get install --no-install-recommends "$@"
  }
)

# need_packages PACKAGE…: installs those that are missing, upgrades none.
need_packages() {
  local package missing=()
  for package in "$@"; do installed "$package" || missing+=("$package"); done
  ((${#missing[@]} == 0)) || step "installing ${missing[*]}" apt install_now "${missing[@]}"
}

# debian_entries: "URI CODENAME COMPONENT" of every Debian archive the machine uses. apt itself
# reads its configuration, so sources.list, deb822 files and other vendors' archives are all
# told apart by what their Release files say.
debian_entries() {
  # shellcheck disable=SC2016 # the dollars are apt's
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)' \
    'Identifier: Packages' | sed -n 's/^Debian //p' | sort -u
}

# debian_sources SUITE: one-line sources for that suite at the machine's own Debian mirrors.
debian_sources() {
  local suite=$1 uri codename component pocket found='' mirror=${COFFERDAM_LAB_MIRROR-}
  if [[ $mirror ]]; then
    printf 'deb %s %s main\n' "$mirror" "$suite" "$mirror" "$suite-updates" \
      "$mirror-security" "$suite-security"
    return 0
  fi
  while read -r uri codename component; do
    pocket=
    [[ $codename == *-* ]] && pocket=-${codename#*-}
    # Backports and proposed updates are no part of a stable system.
    [[ $pocket == '' || $pocket == -updates || $pocket == -security ]] || continue
    [[ $component == main ]] || continue
    printf 'deb %s %s %s\n' "$uri" "$suite$pocket" "$component"
    found=1
  done < <(debian_entries)
  [[ $found ]] || {
    echo "apt on this machine uses no Debian archive: name one in COFFERDAM_LAB_MIRROR" >&2
    return 1
  }
}

# need_sources: apt knows its archives only from their Release files, which images often lack.
need_sources() {
  debian_sources bookworm >/dev/null 2>&1 || step "updating the package lists" apt apt_get update
  debian_sources bookworm >/dev/null
}

# apt_options: the machine's own settings on how to reach its mirrors, one "Name "value";" a line.
# Proxies, certificates and validity dates matter inside an image as well.
apt_options() {
  apt-config dump | grep -E '^Acquire::((http|https)(::|[[:space:]])|Check-|Retries|ForceIPv)' |
    grep -v '^[^ ]* "";$' || true
  [[ ! ${http_proxy-} ]] || printf 'Acquire::http::Proxy "%s";\n' "$http_proxy"
  [[ ! ${https_proxy-} ]] || printf 'Acquire::https::Proxy "%s";\n' "$https_proxy"
}
