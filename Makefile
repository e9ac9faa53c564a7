# What people type. Everything real happens in integration/ and in cargo.
SHELL  := /bin/bash
PREFIX ?= /usr/local
TARGET := $(shell rustc -vV | sed -n 's/^host: //p')
STATIC := target/$(TARGET)/release/cofferdam
SHARE  := $(DESTDIR)$(PREFIX)/share
LAB    := integration/lab
NAME   ?= a

.PHONY: demo test lint unit conformance differential bench install static engine-up engine-down

# Builds examples/quickstart with secrets and all, and shows what changed.
demo: static
	@integration/demo $(abspath $(STATIC))

# Everything CI runs.
test: lint unit conformance

lint:
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

unit:
	cargo test --locked --workspace --exclude cofferdam
	cargo test --locked --lib --bins --test walls --test command_lines --test check

# The same tests on each engine of the lab, examples/ as their pages say, and on the first engine
# what `differential` does; stops what it started.
# Built as the suite builds it: `cargo build` would make half of all crates again.
conformance:
	cargo test --locked --test conformance --no-run
	@integration/with-lab integration/on-engines $(abspath target/debug/cofferdam)

# Each build of the corpus by docker buildx and by cofferdam, on every engine and through builders.
differential:
	@integration/with-lab cargo test --locked --test differential

# Beside docker buildx on the same engine, in turn.
bench: static
	@integration/with-lab integration/bench/run $(abspath $(STATIC))

# One file that needs no library of the system.
static:
	CARGO_ENCODED_RUSTFLAGS=-Ctarget-feature=+crt-static \
	  cargo build --release --locked --bin cofferdam --target $(TARGET)

install: static
	install -D -m 0755 $(STATIC) $(DESTDIR)$(PREFIX)/bin/cofferdam
	install -d $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions \
	  $(SHARE)/fish/vendor_completions.d
	$(STATIC) completion bash >$(SHARE)/bash-completion/completions/cofferdam
	$(STATIC) completion zsh >$(SHARE)/zsh/site-functions/_cofferdam
	$(STATIC) completion fish >$(SHARE)/fish/vendor_completions.d/cofferdam.fish
	$(STATIC) man $(SHARE)/man/man1

# eval "$$(make -s engine-up NAME=a)"; NAME is a, b-classic or b-containerd.
engine-up:
	@$(LAB)/up $(NAME)

engine-down:
	@$(LAB)/down
