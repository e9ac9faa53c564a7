# Ids of the build cache records to prune, youngest first: a record is freed only when nothing
# stands on it. Input: the engine's records; $token, $before, $contexts.

# Docker 26 writes the key with a blank in front.
def parents: [.Parent, .Parents, ." Parents"] | flatten | map(select(. != null and . != ""));

# Everything that stands on these, to the last.
def closure($all): . as $set | [$set[].ID] as $ids
  | ($set + [$all[] | select(any(parents[]; IN($ids[])))] | unique_by(.ID))
  | if length == ($set | length) then . else closure($all) end;

. as $all
| ([.[] | select(.Description | contains($token))] | closure($all))
+ [.[] | select($contexts and .Type == "source.local" and .Size > 10000000
    and (.Description | test("^local source for [a-z-]*context"))) | select(.ID | IN($before[]) | not)]
| sort_by(.CreatedAt) | reverse | .[].ID
