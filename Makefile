# The commands for working on roster. What has to hold before a change is merged is in .ci/run.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := test
.PHONY: test soak generate lint bench benchmarks latency

# How long one package's tests may take, and what to test: make test PACKAGES=./access
TIMEOUT  ?= 40m
PACKAGES ?= ./...

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
COMMANDS    := ./.ci/report ./.ci/figures
PEERS       := access/peers notify/peers

# All tests, with the race detector, after installing what they need, and the simulation of the lease protocol, whose
# mutants take too long with it. ROSTER_TEST_ALL turns a test that would be skipped for lack of a tool into a failure.
# RAPID_CHECKS=1000 makes the property tests try more.
test:
	.ci/setup
	ROSTER_TEST_ALL=1 go test -json -race -count=1 -shuffle=on -timeout=$(TIMEOUT) $(PACKAGES) | go run ./.ci/report
	go test -count=1 -run='^TestSimulation' ./access

# The simulation of access, the reliability tests of storage/sqlstore, and the questions to Casbin, in their full sizes,
# without the race detector, whose slowness would leave less to race; then the properties of mails and recipients, ten times
# as often; then each fuzz target, for so long. It takes about an hour and a half.
FUZZTIME ?= 1m
soak:
	.ci/setup
	ROSTER_SOAK=1 ROSTER_TEST_ALL=1 go test -json -count=1 -p=1 -timeout=3h ./access ./access/casbinadapter ./storage/sqlstore/... | go run ./.ci/report
	RAPID_CHECKS=1000 go test -count=1 -timeout=1h ./notify ./contact
	for package in ./access ./access/casbinadapter ./contact ./notify ./notify/smtpmail; do \
		for target in $$(go test -list='^Fuzz' $$package | grep '^Fuzz'); do \
			go test -run='^$$' -fuzz="^$$target$$" -fuzztime=$(FUZZTIME) $$package; \
		done; \
	done

# The mocks.
generate:
	go generate ./...

lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then printf 'not formatted:\n%s\n' "$$unformatted"; exit 1; fi
	go vet ./... $(COMMANDS)
	go run $(STATICCHECK) ./... $(COMMANDS)
	for peers in $(PEERS); do (cd $$peers && go vet ./... && go run $(STATICCHECK) ./...); done

# Checks, pages and acceptances beside the same by hand. ROUNDS=10 BENCHTIME=1s makes it longer and steadier.
bench:
	.ci/bench

# How long it takes from the commit of a revocation in one process until another one, which answers from memory, says no,
# and until the revocation has settled: medians and 99th percentiles of so many revocations.
REVOCATIONS ?= 200
latency:
	ROSTER_TEST_ALL=1 go test -run='^$$' -bench='^BenchmarkRevocation$$' -benchtime=$(REVOCATIONS)x ./storage/sqlstore/revocations

# Checks from memory beside a map and beside other libraries, and loading a million memberships, into access/BENCHMARKS.md;
# the outbox beside River, and notifying many contacts, into notify/BENCHMARKS.md: an hour, and half of one.
# make benchmarks ABOUT=notify makes one of them; ROUNDS=1 BENCHTIME=10ms SIZES=1000 MAILS=1000 makes it shorter, and worth
# nothing.
ABOUT ?= access notify
benchmarks:
	for about in $(ABOUT); do .ci/benchmarks $$about; done
