RUN too early
FROM good:1
WHAT is this
COPY lonely
ENV
RUN ["a", 1]
COPY --from=$VAR a b
COPY --from=still:1 a b
FROM too many words
RUN <<END
