ARG REGISTRY=registry.example:5000/
ARG IMAGE=team/app:1.2-slim
ARG TAG=${IMAGE##*:}
ARG NAME=${IMAGE%%:*}
ARG EMPTY=
FROM ${REGISTRY%/}/${NAME}:${TAG/slim/full} AS a
FROM "${EMPTY:-busybox}":${UNSET-1} AS b
FROM alpine${EMPTY:+-never}${UNSET} AS c
FROM tool-$TARGETARCH AS d
FROM scratch
COPY --from=a / /
COPY --from=1 / /
COPY --from=C / /
RUN --mount=from=d,target=/d true
