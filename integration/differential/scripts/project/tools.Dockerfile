ARG BASE=busybox:latest
FROM $BASE
RUN echo tool >/tool
