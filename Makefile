# Threatgate. `make run` and `make test` need Go, Python 3 and a package
# registry; everything else they get themselves, into bin/.

GO       ?= go
BIN      := bin
WASM     := $(BIN)/threatgate.wasm
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# The budget of the module, in bytes.
WASM_MAX := 3200000

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOTESTSUM   := gotest.tools/gotestsum@v1.13.0

# Fewer test cases than this is a failure: a suite that doesn't run can't fail.
MIN_TESTS := 6000

.PHONY: all build run test voters specifications conformance bench fuzz lint check envoy clean

all: build

build: $(BIN)/threatgate $(WASM) ## bin/threatgate and bin/threatgate.wasm

.PHONY: $(BIN)/threatgate $(WASM)
$(BIN)/threatgate:
	@mkdir -p $(BIN)
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $@ ./controlplane

$(WASM):
	@mkdir -p $(BIN)
	GOOS=wasip1 GOARCH=wasm $(GO) build -trimpath -buildmode=c-shared -ldflags "-s -w" -o $@ ./filter
	@size=$$(wc -c < $@); if [ $$size -gt $(WASM_MAX) ]; then \
		echo "$@ has $$size bytes, more than $(WASM_MAX)" >&2; exit 1; fi

envoy: ## finds an Envoy 1.40 or newer, or gets one into bin/
	@e2e/get-envoy

run: build envoy ## the demo system behind the gateway; Ctrl-C stops it
	@$(GO) build -trimpath -o $(BIN)/demo ./e2e/demo
	@$(BIN)/demo

test: build envoy ## unit tests, conformance, and real Envoy end to end
	$(GO) run $(GOTESTSUM) --format pkgname \
		--post-run-command 'sh -c "test $$TESTS_TOTAL -ge $(MIN_TESTS) || { echo only $$TESTS_TOTAL of $(MIN_TESTS) test cases ran >&2; exit 1; }"' \
		-- -timeout 20m ./...

# A module of its own, so that other validators weigh on nothing else.
voters: ## other validators' answers to generated questions, beside ours
	@mkdir -p $(BIN)
	cd e2e/voters && $(GO) vet ./... && $(GO) test -count=1 -v ./... > ../../$(BIN)/voters.log || { cat ../../$(BIN)/voters.log; exit 1; }
	@grep -E '^    [a-z_]+_test.go:[0-9]+: ' $(BIN)/voters.log

specifications: ## gets the public specifications of the scale suite into bin/
	@e2e/get-specifications

conformance: envoy voters specifications ## the outside suites alone: what passed, and why the rest did not
	@mkdir -p $(BIN)
	$(GO) test -count=1 -v -run 'Conformance|Suite|Schemathesis' ./internal/... ./controlplane/pipeline ./e2e > $(BIN)/conformance.log || { cat $(BIN)/conformance.log; exit 1; }
	@sed -n 's/^.*_test.go:[0-9]*: conformance: //p' $(BIN)/conformance.log

bench: build envoy ## CPU per request over bare Envoy, beside a peer
	@$(GO) build -trimpath -o $(BIN)/bench ./e2e/bench
	@GOOS=wasip1 GOARCH=wasm $(GO) build -trimpath -buildmode=c-shared -ldflags "-s -w" -o $(BIN)/bench-reader.wasm ./e2e/bench/reader
	@GOOS=wasip1 GOARCH=wasm $(GO) build -trimpath -o $(BIN)/bench-judge.wasm ./e2e/bench/judge/wasm
	@cp e2e/bench/judge/wasm/run.mjs $(BIN)/bench-judge.mjs
	@$(BIN)/bench

fuzz: ## every fuzz target for FUZZTIME; e2e/fuzz says what else there is
	@e2e/fuzz

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w ." >&2; exit 1; }
	$(GO) vet ./...
	GOOS=wasip1 GOARCH=wasm $(GO) vet -unsafeptr=false ./filter/...
	$(GO) run $(STATICCHECK) ./...

check: lint specifications test voters ## what has to pass before a change is kept

clean:
	rm -rf $(BIN) .threatgate
