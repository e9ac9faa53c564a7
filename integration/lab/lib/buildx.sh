# shellcheck shell=bash
# The real `docker buildx`, as a program that runs directly on the machine.

BUILDX=$STATE/bin/docker-buildx

buildx_up() {
  local root
  [[ ! -x $BUILDX ]] || return 0
  root=$(cached_root trixie buildx-package .tar --variant=extract --include=docker-buildx)
  mkdir -p "$STATE/bin"
  tar -xf "$root" -O --wildcards '*/cli-plugins/docker-buildx' >"$BUILDX.part"
  chmod 755 "$BUILDX.part"
  "$BUILDX.part" version | grep -q buildx ||
    die "the docker-buildx of Debian trixie does not run on this machine"
  mv "$BUILDX.part" "$BUILDX"
}
