# Hawser: the commands that README.md names.
PREFIX ?= /usr/local
DESTDIR ?=
CARGO ?= cargo
# `make install AS_HAPROXY=1` also installs the name `haproxy` as a link.
AS_HAPROXY ?=
# `make reg-tests HAPROXY_SRC=<a checked-out HAProxy tree> [VTEST=vtest] [FILTER="..."]`
HAPROXY_SRC ?=
VTEST ?= varnishtest
FILTER ?=
# `make bench [HAPROXY=haproxy] [ONLY=h1-keepalive,...]`
HAPROXY ?= haproxy
ONLY ?=

.PHONY: run build test check fmt clippy unit deps bench reg-tests install docs fuzz-smoke

run:
	$(CARGO) build --release -p hawser
	./scripts/run-demo.sh target/release/hawser

build:
	$(CARGO) build --release -p hawser

# Everything that CI asks for, in the order of what fails fastest.
test: deps check unit

check: fmt clippy

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets -- -D warnings

unit:
	$(CARGO) test --workspace --quiet

# Debian packages that the integration tests run real peers from. Skipped where everything is there already.
deps:
	./scripts/deps.sh

bench:
	$(CARGO) build --release -p hawser
	$(CARGO) bench -p hawser-mux-h1 -p hawser-sample -p hawser-cfg -p hawser-balance
	python3 scripts/bench.py --hawser target/release/hawser --haproxy "$(HAPROXY)" --only "$(ONLY)"

reg-tests:
	$(CARGO) build --release -p hawser
	./scripts/reg-tests.sh target/release/hawser "$(HAPROXY_SRC)" "$(VTEST)" $(FILTER)

docs:
	UPDATE=1 $(CARGO) test -p hawser-app --test compatibility --quiet

install: build
	install -D -m 755 target/release/hawser $(DESTDIR)$(PREFIX)/sbin/hawser
	$(if $(AS_HAPROXY),ln -sf hawser $(DESTDIR)$(PREFIX)/sbin/haproxy)
