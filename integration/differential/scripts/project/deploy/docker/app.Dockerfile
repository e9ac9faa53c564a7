ARG BASE=busybox:latest
FROM $BASE
COPY src/greet /greet
RUN sh /greet >/greeting
