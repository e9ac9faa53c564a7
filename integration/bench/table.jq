# One table per engine.

def right($n): tostring | if length < $n then " " * ($n - length) + . else . end;
def left($n): tostring | if length < $n then . + " " * ($n - length) else . end;

def fixed($n): if . == null then "-" else
  (if . < 0 then "-" else "" end) as $sign
  | (if . < 0 then - . else . end) * pow(10; $n) | round | tostring
  | (if length <= $n then "0" * ($n + 1 - length) + . else . end)
  | $sign + .[:length - $n] + "." + .[length - $n:] end;

def number($metric): if . == null then "-"
  elif $metric == "kilobytes" then . / 1024 | fixed(1)
  else fixed(3) end;

def range($metric): if . == null then "" else
  [.min, .median, .max] | map(number($metric) | right(8)) | join("") end;

def title:
  { "apt seconds": "real build: apt-get install",
    "busybox seconds": "one RUN on busybox",
    "inspect seconds": "Debian and ten secrets",
    "helper seconds": "  looking through its layers",
    "files seconds": "20,000 files: whole build",
    "files transfer": "20,000 files: transfer",
    "blob seconds": "500 MB file: whole build",
    "blob transfer": "500 MB file: transfer",
    "files-again seconds": "all touched: whole build",
    "files-again transfer": "all touched: transfer",
    "blob-again seconds": "touched: whole build",
    "blob-again transfer": "touched: transfer",
    "packages-syft seconds": "packages, beside syft",
    "packages-trivy seconds": "packages, beside trivy",
    "first-byte seconds": "build, to its first byte"
  }[.case + " " + .metric] // (if .metric == "kilobytes" then "  peak memory, MB" else "cofferdam --version" end);

def order: ["start", "first-byte", "packages-syft", "packages-trivy", "busybox", "apt", "inspect", "helper", "files", "files-again", "blob", "blob-again"] as $cases
  | ["transfer", "seconds", "kilobytes"] as $metrics
  | .case as $c | .metric as $m | [($cases | index($c)), ($metrics | index($m))];

def limit: if .target == null then ""
  elif .target.kind == "ratio" then "ratio ≤ " + (.target.limit | fixed(2))
  elif .target.kind == "difference" then "≤ +" + (.target.limit | fixed(2)) + " s"
  elif .metric == "kilobytes" then "< \(.target.limit / 1024) MB"
  else "< " + (.target.limit * 1000 | round | tostring) + " ms" end;

def verdict: if .pass == null then "" elif .pass then "PASS" else "FAIL" end;

def row: .metric as $m
  | (title | left(28))
  + (if .peer == null then " " * 24 else (.peer | range($m)) end)
  + " |" + (.cofferdam | range($m))
  + " |" + (.ratio_of_medians | (if . == null then "" else fixed(2) end) | right(7))
  + (.median_of_ratios | (if . == null then "" else fixed(2) end) | right(7))
  + (.median_of_differences | (if . == null then "" else number($m) end) | right(9))
  + "  " + (limit | left(14)) + verdict;

def head:
  (" " * 28) + ("peer: min, median, max" | right(24)) + " |" + ("cofferdam: min, med, max" | right(24))
  + " |" + ("ratio" | right(7)) + ("pairs" | right(7)) + ("differ" | right(9)) + "  target";

.machine as $machine
| "\($machine.cpus) × \($machine.cpu), load \($machine.load), \($machine.pairs) pairs; seconds unless said otherwise",
  "the peer is docker buildx unless named; ratio: of the medians; pairs, differ: median of cofferdam/peer and of their difference, run by run",
  (.rows | group_by(.engine)[] | "", (if .[0].engine == "-" then "any engine" else .[0].engine end), head, (sort_by(order)[] | row)),
  "",
  ([.rows[] | select(.pass == false)] | if . == [] then "every target is met"
   else "missed: " + (map((if .engine == "-" then "" else .engine + ": " end) + (title | ltrimstr("  ")) + (if .metric == "kilobytes" then " (" + .case + ")" else "" end)) | join("; ")) end)
