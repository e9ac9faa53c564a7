{
  "syntax": "team\/json:1",
  "other": [1, null]
}
