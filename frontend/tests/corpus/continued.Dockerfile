FR\
OM \
# between

 debi\
an:12 \
  AS base
COPY \
  --from=ngi\
nx:1 \
  --chown=a:b \
  x y
RUN --mount='type=bind,"from=gc\
c:13",target=/x' \
    --mount=type=cache,target=/c \
    make \\
ONBUILD COPY --from=later:1 x y
