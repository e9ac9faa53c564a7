# syntax=docker/dockerfile:1.7@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --opt
# escape=`

ARG GO=1.22
FROM --platform=$BUILDPLATFORM golang:${GO}-bookworm AS Build
WORKDIR C:\src
RUN go build `
  # a comment

  -o app

FROM mcr.microsoft.com/windows/nanoserver:ltsc2022
COPY --from=BUILD C:\src\app C:\
