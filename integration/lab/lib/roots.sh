# shellcheck shell=bash
# Root file systems made by mmdebstrap and kept in the cache under a name that says what went in.

DEBIAN_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

# knows_trixie: early editions of the keyring package lack the newer release's keys.
knows_trixie() { compgen -G '/usr/share/keyrings/debian-archive-trixie-stable.*' >/dev/null; }

# shellcheck disable=SC2016 # in hooks $1 is the new root, for mmdebstrap's shell to expand

# make_root SUITE TARGET OPTION…: TARGET is a directory or a .tar; it appears whole or not at all.
make_root() {
  local suite=$1 target=$2 line options=()
  shift 2
  while read -r line; do options+=("--aptopt=$line"); done < <(apt_options)
  # A machine certificate store stands in for whatever authority a private https mirror needs.
  if debian_sources "$suite" | grep -q ' https:'; then
    options+=(--include=ca-certificates
      '--customize-hook=copy-in /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs')
  fi
  scrap "$target.part"
  # apt hands mmdebstrap's descriptors to dash, which knows only those below 10: keep ours out.
  mmdebstrap --mode=root --format="$(root_format "$target")" --keyring="$DEBIAN_KEYS" \
    "${options[@]}" \
    --customize-hook='rm -f "$1"/etc/hostname "$1"/etc/resolv.conf' \
    "$@" "$suite" "$target.part" - < <(debian_sources "$suite") 7>&- 8>&- 9>&-
  mv "$target.part" "$target"
}

root_format() { if [[ $1 == *.tar ]]; then echo tar; else echo directory; fi; }

# scrap PATH: removes a tree of ours, never across a mount.
scrap() {
  unmount_below "$1"
  rm -rf --one-file-system -- "$1"
}

unmount_below() {
  local point
  while read -r point; do
    [[ $point == "$1" || $point == "$1"/* ]] && umount -l -- "$point"
  done < <(awk '{print $5}' /proc/self/mountinfo | sort -r)
  return 0
}

# key SUITE RECIPE: changes when the mirrors, apt's settings or the recipe do.
key() { { debian_sources "$1" && apt_options && echo "$2"; } | sha256sum | cut -c1-12; }

# cached_root SUITE NAME SUFFIX OPTION…: prints the cached path, making it when it is missing.
cached_root() {
  local suite=$1 name=$2 suffix=$3 target
  shift 3
  target=$CACHE/$name-$(key "$suite" "$*")$suffix
  if [[ ! -e $target ]]; then
    step "making $name ($suite)" "$name" make_root "$suite" "$target" "$@"
    forget_older "$name" "$target"
  fi
  echo "$target"
}

# A root of an older recipe or mirror is never used again.
forget_older() {
  local old
  for old in "$CACHE/$1"-????????????{,.tar,.tar.gz,.diffid}; do
    [[ -e $old && $old != "$2"* ]] || continue
    # An engine that was started earlier may still run on it.
    grep -qsF "lowerdir=$old," /proc/[0-9]*/mountinfo || scrap "$old"
  done
  return 0
}

# As in the official image, apt keeps no caches and packs its lists: layers stay small.
debian_root() {
  cached_root bookworm debian .tar --variant=minbase --skip=output/dev \
    '--aptopt=Acquire::GzipIndexes "true"' '--aptopt=Acquire::Languages "none"' \
    '--aptopt=Dir::Cache::pkgcache ""' '--aptopt=Dir::Cache::srcpkgcache ""'
}

# The same with what projects fetch with; nothing of it runs before a test asks for it.
tools_root() {
  cached_root bookworm tools .tar --variant=minbase --skip=output/dev \
    --include=python3-minimal,python3-pip,git,curl,openssh-client,ca-certificates,zip,xz-utils \
    '--dpkgopt=path-exclude=/usr/share/doc/*' '--dpkgopt=path-exclude=/usr/share/locale/*' \
    '--dpkgopt=path-exclude=/usr/share/man/*'
}

busybox_files() {
  cached_root bookworm busybox-package .tar --variant=extract --include=busybox-static
}

# The second engine: Docker 26.1 with BuildKit 0.13.
# shellcheck disable=SC2016 # as above
engine_root() {
  cached_root trixie engine-root '' --variant=minbase \
    --include=docker.io,docker-cli,docker-buildx,git,iptables,ca-certificates \
    '--customize-hook=mkdir -p "$1"/var/lib/docker "$1"/old && : >"$1"/etc/resolv.conf'
}
