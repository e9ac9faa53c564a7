# shellcheck shell=bash
# The engine under test: which one, and taking away what a build left there.

# use_engine NAME: sets DOCKER_HOST, REGISTRY, COFFERDAM_BUILDX, ENGINE_SOCKET and ENGINE_TEXT.
use_engine() {
  local env
  env=$("$LAB/up" "$1") || die "the engine $1 does not come up"
  eval "$env"
  [[ $DOCKER_HOST == unix://* ]] || die "the lab's engines listen on unix sockets: $DOCKER_HOST"
  ENGINE_SOCKET=${DOCKER_HOST#unix://}
  # shellcheck disable=SC2034
  ENGINE_TEXT="Docker $(engine GET /version | jq -r .Version), \
$("$COFFERDAM_BUILDX" version | cut -d' ' -f1,2 | sed 's|.*/||')"
  # What our contexts left is told from what was there before.
  LOCALS_BEFORE=$(build_cache | jq -c '[.[] | select(.Type == "source.local").ID]')
}

# engine METHOD PATH: the REST API; the oldest version that all engines of the lab know.
engine() { curl -sf --noproxy '*' -X "$1" --unix-socket "$ENGINE_SOCKET" "http://engine/v1.41$2"; }

build_cache() { engine GET '/system/df' | jq -c '.BuildCache // []'; }

remove_image() { engine DELETE "/images/$1?force=1" >/dev/null || true; }

# forget_builds [contexts]: prunes by id, for the engine may be somebody's: what carries our token
# in its command, what stands on that, and the copies of big contexts that were not there before.
forget_builds() {
  local id
  build_cache | jq -r --arg token "$TOKEN" --argjson before "$LOCALS_BEFORE" \
    --argjson contexts "$([[ ${1-} ]] && echo true || echo false)" \
    --from-file "$BENCH/forget.jq" |
    while read -r id; do
      engine POST "/build/prune?all=1&filters=%7B%22id%22%3A%5B%22$id%22%5D%7D" >/dev/null || true
    done
}
