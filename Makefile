# Latchkey: every target does all its own set-up on a Debian machine with Go, make and git.

SHELL := /bin/bash
BIN := $(CURDIR)/e2e/.bin
E2E_TIMEOUT := 30m

.PHONY: help demo test tools command fmt vet staticcheck unit interpreted fuzz e2e mutants bench soak clean

help: ## show the targets
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: ## provider, app and Traefik with Latchkey in front; open it in a browser, Ctrl-C ends it
	@cd e2e && go build -o $(BIN)/demo ./cmd/demo && exec $(BIN)/demo

test: tools fmt vet staticcheck unit interpreted fuzz e2e ## everything below, in this order

tools: ## what the tests need of the system: chromium, redis-server, python3, a C compiler for -race
	@scripts/tools

fmt: ## gofmt has nothing to say
	@files=$$(find . -name '*.go' -not -path './vendor/*' -not -path '*/.bin/*' -print0 | xargs -0 gofmt -l) && \
	if [ -n "$$files" ]; then echo "gofmt -w is needed on:"; echo "$$files"; exit 1; fi

vet: ## go vet, all three modules
	go vet ./...
	cd cmd/latchkey && go vet ./...
	cd e2e && go vet ./...

staticcheck: $(BIN)/staticcheck ## staticcheck, all three modules
	$(BIN)/staticcheck ./...
	cd cmd/latchkey && $(BIN)/staticcheck ./...
	cd e2e && $(BIN)/staticcheck ./...

$(BIN)/staticcheck: e2e/tools/lint/go.mod e2e/tools/lint/go.sum
	cd e2e/tools/lint && go build -o $@ honnef.co/go/tools/cmd/staticcheck

command: ## the command latchkey, into the current folder
	cd cmd/latchkey && go build -o $(CURDIR)/latchkey .

unit: ## unit tests, compiled, with the race detector; those of the command too
	go test -count=1 -race ./...
	cd cmd/latchkey && go test -count=1 -race ./...

interpreted: ## the same unit tests and the fuzzers' seeds under Yaegi, as Traefik runs the plugin
	cd e2e && go run ./cmd/interpreted

fuzz: ## each fuzzer for FUZZTIME, 10s if not given
	scripts/fuzz

mutants: ## each security check taken out in turn: a unit test must fail each time (an hour)
	cd e2e && go run ./cmd/mutants

e2e: ## through a real Traefik, a real provider and a real browser; the first time builds Traefik (about 6 minutes)
	cd e2e && go test -count=1 -p 1 -timeout $(E2E_TIMEOUT) -v ./...

bench: ## what a request costs, against no plugin and an empty one (a quarter of an hour); FLAGS=-h lists what to choose
	cd e2e && go run ./cmd/bench $(FLAGS)

soak: ## a million bad tokens, unknown keys, reloads under load, and drills with Redis in trouble, through a real Traefik (40 minutes)
	cd e2e && go test -count=1 -timeout 90m -v ./soak -soak

clean: ## remove what was built
	rm -rf $(BIN)
