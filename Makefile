# Two commands matter: `make demo` shows what Sidewatch says, `make test` says whether the code holds.
# Each target first installs what it needs and this machine lacks, and says so.

# What the demo replays: injections first, then a harmless capture that looks alike.
DEMO_LOUD  := pcaps/in-path-with-timestamps pcaps/race-302-on-get
DEMO_QUIET := pcaps/race-302-on-get-quiet

CARGO ?= cargo
SIDEWATCH := $(or $(CARGO_TARGET_DIR),target)/release/sidewatch
# The coverage that libFuzzer steers by; the flags of cargo-fuzz without its sanitizer, for there is no unsafe code to watch. They work on stable.
FUZZ_SECONDS ?= 10
# How many inputs at most. With a number the same ones are made each time, so that what fails once fails again; -1 for as many as there is time for.
FUZZ_RUNS    ?= -1
FUZZ_TARGETS ?= capture_file decode http html url dns dhcp tls quic indicators rules engine
FUZZ_FLAGS   := -Cpasses=sancov-module $(addprefix -Cllvm-args=-sanitizer-coverage-,level=4 inline-8bit-counters pc-table trace-compares)
FUZZ_OPTIONS := $(if $(filter -1,$(FUZZ_RUNS)),,-seed=1) -runs=$(FUZZ_RUNS) -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1
FUZZ_HOST     = $(shell rustc -vV | sed -n 's/^host: //p')
# In the target folder, which no test of the shipped files reads.
FUZZ_CORPUS  := fuzz/target/corpus
FUZZ_FINDS   := fuzz/target/finds
FUZZ_BIN      = $(or $(CARGO_TARGET_DIR),fuzz/target)/$(FUZZ_HOST)/release
# Programs of the labs, each with its Debian package.
LAB_TOOLS    := ip:iproute2 dnsmasq:dnsmasq-base radvd:radvd udhcpc:udhcpc getent:libc-bin nginx:nginx-light curl:curl rsyslogd:rsyslog openssl:openssl \
                chromium:chromium journalctl:systemd unshare:util-linux tcpreplay:tcpreplay
# A part of rsyslog that is no program.
LAB_RSYSLOG  := /usr/lib/*/rsyslog/lmnsd_gtls.so
AS_ROOT = $(shell [ "$$(id -u)" = 0 ] || echo sudo)
SAY = printf '\n%s\n\n'

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench ladder fuzz deny deb deps deps-lab deps-lint deps-fuzz

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: deps ## Build, replay two injections and a harmless look-alike (seconds after compiling).
	@$(CARGO) build --release --locked
	@$(SAY) 'Captures in which the network forged an answer: $(DEMO_LOUD)'
	@$(SIDEWATCH) replay $(DEMO_LOUD) --format text --fail-on-alert; status=$$?; \
	  [ $$status = 10 ] || { echo "the demo expected alerts (exit status 10) and got exit status $$status" >&2; exit 1; }
	@$(SAY) 'And stays quiet on its harmless twin: $(DEMO_QUIET)'
	@$(SIDEWATCH) replay $(DEMO_QUIET) --format text --fail-on-alert
	@$(SAY) 'Your own capture: $(SIDEWATCH) replay FILE'

test: deps deps-lab deps-lint ## Run all tests, then the lints and the documentation build.
	$(CARGO) test --locked --no-fail-fast
	@$(MAKE) --no-print-directory lint
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --no-deps --locked --document-private-items

lint: deps deps-lint ## Check formatting and clippy, warnings are errors.
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings

bench: deps ## Measure what a packet costs (20 seconds after compiling).
	$(CARGO) bench --locked --bench engine

ladder: deps ## As root: what tcpdump, Sidewatch and Suricata lose at rising rates, on a machine at rest (3 minutes after compiling).
	@for tool in tcpreplay tcpdump suricata; do command -v $$tool >/dev/null || echo "$$tool is missing: apt-get install $$tool"; done
	$(CARGO) build --release --locked
	SIDEWATCH_PROGRAM=$(abspath $(SIDEWATCH)) $(CARGO) test --locked --test tests live::ladder -- --ignored --nocapture

fuzz: deps deps-lint deps-fuzz ## Fuzz each target for FUZZ_SECONDS (10), from seeds made of pcaps/ (docs/fuzzing.md).
	RUSTFLAGS='$(FUZZ_FLAGS)' $(CARGO) build --manifest-path fuzz/Cargo.toml --release --locked --target $(FUZZ_HOST)
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	RUSTFLAGS='$(FUZZ_FLAGS)' $(CARGO) clippy --manifest-path fuzz/Cargo.toml --release --locked --target $(FUZZ_HOST) -- -D warnings
	@mkdir -p $(FUZZ_FINDS)
	$(FUZZ_BIN)/seeds . $(FUZZ_CORPUS)
	@for target in $(FUZZ_TARGETS); do \
	  $(SAY) "$$target, $(FUZZ_SECONDS) s:"; \
	  log=$(FUZZ_FINDS)/$$target.log; mkdir -p $(FUZZ_CORPUS)/$$target; \
	  $(FUZZ_BIN)/$$target $(FUZZ_CORPUS)/$$target $(FUZZ_OPTIONS) -artifact_prefix=$(FUZZ_FINDS)/$$target- >$$log 2>&1; status=$$?; \
	  grep -aE 'DONE|panicked|ERROR|Test unit written' $$log; \
	  [ $$status = 0 ] || { tail -n 40 $$log >&2; exit 1; }; \
	done

deny: deps ## Check licences, advisories and sources of all dependencies, where cargo-deny is installed.
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --locked check; \
	else echo 'cargo-deny is not installed, nothing was checked (cargo install --locked cargo-deny)'; fi

# DEB_PROFILE=dev packs the debug build.
DEB_PROFILE ?= release
DEB_BUILT    = $(or $(CARGO_TARGET_DIR),target)/$(if $(filter dev,$(DEB_PROFILE)),debug,$(DEB_PROFILE))/sidewatch
deb: deps ## Build the Debian package, target/debian/sidewatch_*.deb (docs/running.md).
	@$(CARGO) deb --version >/dev/null 2>&1 || { echo 'cargo-deb is missing: installing it with cargo'; $(CARGO) install --locked cargo-deb; }
	$(CARGO) build --locked --profile $(DEB_PROFILE)
	rm -rf target/pages && $(DEB_BUILT) pages target/pages
	$(CARGO) deb --no-build --no-strip --locked --profile $(DEB_PROFILE) --output target/debian/

# What compiling needs: cargo, a C compiler with the C library's headers and start files (for the allocator, SQLite, and to link with), and libpcap.
deps:
	@command -v $(CARGO) >/dev/null || { echo 'cargo is missing: install Rust from https://rustup.rs' >&2; exit 1; }
	@if ! echo 'int main(void) { return 0; }' | cc -x c - -o /dev/null 2>/dev/null; then \
	  command -v apt-get >/dev/null || { echo 'a C compiler (cc) is missing, and there is no apt-get to install it with' >&2; exit 1; }; \
	  echo 'a C compiler to link with is missing: installing gcc and libc6-dev with apt-get'; \
	  $(AS_ROOT) apt-get update -q && $(AS_ROOT) apt-get install -q -y --no-install-recommends gcc libc6-dev; \
	fi
	@if ! echo 'int pcap_loop(void); int main(void) { return pcap_loop(); }' | cc -x c - -lpcap -o /dev/null 2>/dev/null; then \
	  command -v apt-get >/dev/null || { echo 'libpcap is missing (its development files), and there is no apt-get to install it with' >&2; exit 1; }; \
	  echo 'libpcap is missing: installing libpcap-dev with apt-get'; \
	  $(AS_ROOT) apt-get update -q && $(AS_ROOT) apt-get install -q -y --no-install-recommends libpcap-dev; \
	fi

# What the labs of tests/lab/ and tests/gateway/ need beside root: links, and servers and clients of DHCP, DNS, router advertisements, the web and logs.
# What lacks something says that it was skipped. No service is started by being installed: the tests start their own.
deps-lab:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  wanted=; for tool in $(LAB_TOOLS); do command -v $${tool%:*} >/dev/null || wanted="$$wanted $${tool#*:}"; done; \
	  ls $(LAB_RSYSLOG) >/dev/null 2>&1 || wanted="$$wanted rsyslog-gnutls"; \
	  if [ -n "$$wanted" ]; then \
	    echo "the labs of tests/ lack programs: installing$$wanted with apt-get"; \
	    policy=/usr/sbin/policy-rc.d; [ ! -e $$policy ] || policy=; trap '[ -z "$$policy" ] || rm -f $$policy' EXIT; \
	    [ -z "$$policy" ] || { printf '#!/bin/sh\nexit 101\n' >$$policy && chmod 755 $$policy; }; \
	    apt-get update -q; \
	    for package in $$wanted; do \
	      apt-get install -q -y --no-install-recommends $$package || echo "$$package could not be installed: what needs it will be skipped"; \
	    done; \
	  fi; \
	fi
	@if [ "$$(id -u)" = 0 ] && ! $(CARGO) deb --version >/dev/null 2>&1; then \
	  echo 'cargo-deb is missing, which the test of the Debian package needs: installing it with cargo'; \
	  $(CARGO) install --locked --debug --quiet cargo-deb || echo 'it could not be installed: that test will be skipped'; \
	fi

deps-lint:
	@for tool in fmt:rustfmt clippy:clippy; do \
	  if ! $(CARGO) $${tool%:*} --version >/dev/null 2>&1; then \
	    command -v rustup >/dev/null || { echo "cargo $${tool%:*} is missing, and there is no rustup to install it with" >&2; exit 1; }; \
	    echo "cargo $${tool%:*} is missing: installing it with rustup"; \
	    rustup component add $${tool#*:} || exit 1; \
	  fi; \
	done

# libFuzzer is C++.
deps-fuzz:
	@if ! echo '#include <mutex>' | c++ -x c++ -fsyntax-only - 2>/dev/null; then \
	  command -v apt-get >/dev/null || { echo 'a C++ compiler (c++) is missing, and there is no apt-get to install it with' >&2; exit 1; }; \
	  echo 'a C++ compiler for libFuzzer is missing: installing g++ with apt-get'; \
	  $(AS_ROOT) apt-get update -q && $(AS_ROOT) apt-get install -q -y --no-install-recommends g++; \
	fi
