# shellcheck shell=bash
# Single-layer images, pushed to the registry with curl alone: no engine, no local store.

# put_blob REPOSITORY DIGEST FILE
put_blob() {
  local url=http://$REGISTRY/v2/$1/blobs place sign='?'
  ! fetch -fs -o /dev/null -I "$url/$2" || return 0
  place=$(fetch -fsS -X POST -D - -o /dev/null "$url/uploads/" |
    tr -d '\r' | sed -n 's/^location: //Ip')
  [[ $place == http* ]] || place=http://$REGISTRY$place
  [[ $place != *\?* ]] || sign='&'
  fetch -fsS -o /dev/null -T "$3" -H 'Content-Type: application/octet-stream' \
    "$place${sign}digest=$2"
}

digest_of() { printf 'sha256:%s' "$(sha256sum <"$1" | cut -d' ' -f1)"; }

# push_layer REPOSITORY TAG LAYER.tar.gz DIFF_ID CONFIG: prints the image's digest.
# CONFIG is merged over the image config's "config" object.
push_layer() (
  local repository=$1 tag=$2 layer=$3 diff_id=$4 config=$5 work layer_digest arch
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  layer_digest=$(digest_of "$layer")
  arch=$(dpkg --print-architecture)
  # A fixed date: the same files and config always are the same image.
  jq -cn --arg arch "$arch" --arg diff "$diff_id" --argjson config "$config" '{
    architecture: $arch, os: "linux", created: "2024-01-01T00:00:00Z",
    config: ({Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
              Cmd: ["/bin/sh"]} + $config),
    rootfs: {type: "layers", diff_ids: [$diff]},
    history: [{created: "2024-01-01T00:00:00Z", created_by: "cofferdam lab"}]
  }' | tr -d '\n' >"$work/config"
  jq -cn --arg config "$(digest_of "$work/config")" --argjson config_size "$(stat -c %s "$work/config")" \
    --arg layer "$layer_digest" --argjson layer_size "$(stat -c %s "$layer")" '{
    schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {mediaType: "application/vnd.oci.image.config.v1+json",
             digest: $config, size: $config_size},
    layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
              digest: $layer, size: $layer_size}]
  }' | tr -d '\n' >"$work/manifest"
  put_blob "$repository" "$layer_digest" "$layer"
  put_blob "$repository" "$(digest_of "$work/config")" "$work/config"
  fetch -fsS -o /dev/null -X PUT --data-binary "@$work/manifest" \
    -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
    "http://$REGISTRY/v2/$repository/manifests/$tag"
  digest_of "$work/manifest"
)

has_image() {
  fetch -fs -o /dev/null -I -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
    "http://$REGISTRY/v2/$1/manifests/$2"
}
