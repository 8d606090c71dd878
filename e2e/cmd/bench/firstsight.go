package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// verifiers are the interpreted functions of testdata/firstsight.
type verifiers struct {
	parse  func(tokens []string, key any) error
	open   func(issuer, jwksURL string)
	verify func(tokens []string, audience string) error
}

// firstSight measures what a token takes that was never seen before, with the keys at hand: by golang-jwt's own
// Parse, and by all that Latchkey asks of an access token.
func (b *bench) firstSight(ctx context.Context) ([]series, error) {
	var all []series
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256} {
		name := "first-sight-" + string(algorithm)
		if !b.wanted(name) {
			continue
		}
		measured, err := b.firstSightOf(ctx, name, algorithm)
		if err != nil {
			return nil, fmt.Errorf("measure %q: %w", name, err)
		}
		all = append(all, measured...)
	}
	return all, nil
}

func (b *bench) firstSightOf(ctx context.Context, name string, algorithm jose.SignatureAlgorithm) ([]series, error) {
	v, err := interpret(b.latchkeyDir, filepath.Join(b.emptyDir, "..", "testdata", "firstsight"))
	if err != nil {
		return nil, err
	}
	v.open(b.issuer.url, b.issuer.jwksURL())
	base := "parse-" + string(algorithm)
	parse := series{row: base, measure: "CPU µs/token"}
	verify := series{row: name, measure: "CPU µs/token", against: []string{base}}
	for round := range b.rounds + 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		tokens := make([]string, b.tokens)
		for i := range tokens {
			if tokens[i], err = b.issuer.sign(algorithm, fmt.Sprintf("user-%d", i)); err != nil {
				return nil, err
			}
		}
		theirs, ours, err := v.both(tokens, b.issuer.public[algorithm])
		if err != nil {
			return nil, err
		}
		if round > 0 { // the first fetches the keys
			parse.samples = append(parse.samples, theirs)
			verify.samples = append(verify.samples, ours)
		}
	}
	say("%s: %.0f µs, golang-jwt's Parse %.0f µs", name, median(verify.samples), median(parse.samples))
	return []series{parse, verify}, nil
}

// both measures golang-jwt and Latchkey on the same tokens, in microseconds of CPU time for each. They take turns at
// every few tokens, so that whatever else the machine does meets both alike.
func (v *verifiers) both(tokens []string, key crypto.PublicKey) (parse, verify float64, err error) {
	runtime.GC()
	var theirs, ours time.Duration
	for few := range slices.Chunk(tokens, 10) {
		if err := addCPU(&theirs, func() error { return v.parse(few, key) }); err != nil {
			return 0, 0, err
		}
		if err := addCPU(&ours, func() error { return v.verify(few, audience) }); err != nil {
			return 0, 0, err
		}
	}
	each := float64(len(tokens)) * 1000
	return float64(theirs.Nanoseconds()) / each, float64(ours.Nanoseconds()) / each, nil
}

// addCPU adds the CPU time of this process that do takes.
func addCPU(total *time.Duration, do func() error) error {
	before, err := cpuTime(os.Getpid())
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := cpuTime(os.Getpid())
	*total += after - before
	return err
}

// interpret loads the package of a directory the way Traefik loads a plugin, with Latchkey from another.
func interpret(plugin, source string) (*verifiers, error) {
	gopath, err := os.MkdirTemp("", "latchkey-firstsight-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(gopath)
	const module = "github.com/latchkey-auth/firstsight"
	const jwt = "github.com/golang-jwt/jwt/v5"
	for path, dir := range map[string]string{module: source, checkout.Module: plugin, jwt: filepath.Join(plugin, "vendor", jwt)} {
		if err := checkout.LinkAs(gopath, path, dir); err != nil {
			return nil, err
		}
	}
	i := interp.New(interp.Options{GoPath: gopath, Env: os.Environ()})
	if err := i.Use(stdlib.Symbols); err != nil {
		return nil, err
	}
	if _, err := i.Eval(fmt.Sprintf("import %q", module)); err != nil {
		return nil, fmt.Errorf("interpret %s: %w", source, err)
	}
	symbols := i.Symbols(module)[module]
	v := &verifiers{}
	var ok [3]bool
	v.parse, ok[0] = symbols["Parse"].Interface().(func([]string, any) error)
	v.open, ok[1] = symbols["Open"].Interface().(func(string, string))
	v.verify, ok[2] = symbols["Verify"].Interface().(func([]string, string) error)
	if ok != [3]bool{true, true, true} {
		return nil, errors.New("interpret: functions of other types than expected")
	}
	return v, nil
}
