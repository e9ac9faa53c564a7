# shellcheck shell=bash
# The two base images every test starts from: debian:bookworm and busybox:latest.

# pack TAR: TAR.gz and TAR.diffid beside a cached tar, which is then no longer needed.
pack() {
  local diffid
  diffid=$(digest_of "$1")
  gzip -n -c "$1" >"$1.gz.part"
  echo "$diffid" >"${1%.tar}.diffid"
  mv "$1.gz.part" "$1.gz"
}

# base REPOSITORY TAG TAR CONFIG
base() {
  local repository=$1 tag=$2 tar=$3 config=$4 diffid
  ! has_image "$repository" "$tag" || return 0
  [[ -e $tar.gz ]] || step "packing $repository:$tag" bases pack "$tar"
  read -r diffid <"${tar%.tar}.diffid"
  step "pushing $repository:$tag" bases push_layer "$repository" "$tag" "$tar.gz" "$diffid" "$config"
}

# busybox_root: a root of the static busybox, its applets as links, and root's account.
busybox_root() (
  local package target work applet
  package=$(busybox_files)
  target=$CACHE/busybox-$(sha256sum <"$package" | cut -c1-12).tar
  if [[ ! -e $target ]]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work"/{bin,sbin,usr/bin,usr/sbin,etc,root,tmp,var,home}
    tar -xf "$package" -O --wildcards '*bin/busybox' >"$work/bin/busybox"
    chmod 755 "$work/bin/busybox"
    "$work/bin/busybox" --list-full | grep -vx bin/busybox | while read -r applet; do
      mkdir -p "$work/${applet%/*}"
      ln -sf /bin/busybox "$work/$applet"
    done
    echo 'root:x:0:0:root:/root:/bin/sh' >"$work/etc/passwd"
    echo 'root:x:0:' >"$work/etc/group"
    chmod 700 "$work/root"
    chmod 1777 "$work/tmp"
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$work" -cf "$target.part" .
    mv "$target.part" "$target"
    forget_older busybox "$target"
  fi
  echo "$target"
)

bases_up() {
  local tar
  if ! has_image busybox latest; then
    tar=$(busybox_root)
    base busybox latest "$tar" '{}'
  fi
  if ! has_image debian bookworm; then
    tar=$(debian_root)
    base debian bookworm "$tar" '{"Cmd":["bash"]}'
  fi
}
