FROM one:1
RUN --mount=type=cache,target=/c true
COPY --from=two:1 x y
COPY --from=4 x y
FROM alpine:3 AS alpine
FROM alpine
COPY --from=0 x y
