# not a directive
# syntax=never/used:1
FROM alpine:3.20 AS base
RUN <<-ONE cat <<"TWO" > /etc/x
	FROM hidden:1
	ONE
COPY --from=hidden:2 a b
TWO
COPY <<a.txt <<'b.txt' /etc/
FROM hidden:3
a.txt
RUN --mount=from=hidden:4 x
b.txt
RUN ["sh", "-c", "cat <<EOF"]
RUN echo "not <<EOF"
RUN cat <<<EOF
ONBUILD RUN <<EOF
FROM hidden:5
EOF
FROM base
