# From lines of measurements to one object: what each row says, and whether it meets its target.

def median: sort | if length == 0 then null
  elif length % 2 == 1 then .[length / 2 | floor]
  else (.[length / 2 - 1] + .[length / 2]) / 2 end;

def spread: {min: min, median: median, max: max};

# What must hold, by case and metric (the acceptance list of the project).
def target:
  { "apt seconds": {kind: "ratio", limit: 1.05},
    "helper seconds": {kind: "value", limit: 0.4},
    "helper kilobytes": {kind: "value", limit: 102400},
    "busybox seconds": {kind: "difference", limit: 0.25},
    "files transfer": {kind: "ratio", limit: 0.8},
    "blob transfer": {kind: "ratio", limit: 0.8},
    "files kilobytes": {kind: "value", limit: 65536},
    "blob kilobytes": {kind: "value", limit: 65536},
    "packages-syft seconds": {kind: "ratio", limit: 0.1},
    "packages-trivy seconds": {kind: "ratio", limit: 0.5},
    "start seconds": {kind: "value", limit: 0.005},
    "first-byte seconds": {kind: "value", limit: 0.015}
  }[(.case | rtrimstr("-again")) + " " + .metric];

# Memory must never go over; everything else is judged by its middle.
def judged($target):
  if $target == null then null
  elif $target.kind == "ratio" then .median_of_ratios
  elif $target.kind == "difference" then .median_of_differences
  elif .metric == "kilobytes" then .cofferdam.max
  else .cofferdam.median end;

[inputs | split("\t") | {engine: .[0], case: .[1], metric: .[2], tool: .[3], run: (.[4] | tonumber), value: (.[5] | tonumber)}]
| [group_by([.engine, .case, .metric])[]
    | {engine: .[0].engine, case: .[0].case, metric: .[0].metric} as $row
    | (map(select(.tool == "cofferdam")) | sort_by(.run) | map(.value)) as $ours
    | (map(select(.tool != "cofferdam")) | sort_by(.run) | map(.value)) as $theirs
    | [[$ours, $theirs] | transpose[] | select(.[0] != null and .[1] != null)] as $pairs
    | $row + {
        cofferdam: ($ours | spread),
        peer: (if $theirs == [] then null else $theirs | spread end),
        ratio_of_medians: (if $theirs == [] or ($theirs | median) == 0 then null else ($ours | median) / ($theirs | median) end),
        median_of_ratios: ([$pairs[] | select(.[1] != 0) | .[0] / .[1]] | median),
        median_of_differences: ([$pairs[] | .[0] - .[1]] | median),
        samples: {cofferdam: $ours, peer: $theirs}
      }
    | target as $target
    | . + {target: $target}
    | judged($target) as $value
    | . + {judged: $value, pass: (if $target == null or $value == null then null
        elif $target.kind == "value" then $value < $target.limit
        else $value <= $target.limit end)}]
| {machine: $machine, rows: .}
