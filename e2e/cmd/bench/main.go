// Command bench measures what Latchkey costs, through a real Traefik. What it says is of use as ratios only: to a
// router without middleware, and to a plugin that does nothing, measured in turn with Latchkey, round by round.
//
//	row.go         what is measured against what, as a table
//	scene.go       the parts: Traefiks, provider, issuer of bearer tokens, upstream
//	round.go       requests/s and CPU time of Traefik's process for each row, in rounds
//	revoking.go    what the warm session pays while others log out
//	start.go       from the start of Traefik to the first answer through the middleware
//	swap.go        a shadow file of many API tokens that takes another's place under load
//	memory.go      what a session and a bearer token that Latchkey remembers take
//	firstsight.go  a JWT that nobody has seen, against golang-jwt alone, both interpreted
//	storm.go       a thousand requests with one expired access token, at two replicas
//	lag.go         from a logout at one replica to the 401 at the other
//	costs.go       what a request takes that anybody can send; costrows.go which ones
//
// Each part checks that it measures what it says: the answer, the identity that the upstream got, and that every
// request reached the upstream.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// options are those of the command line.
type options struct {
	rounds     int
	duration   time.Duration
	quiet      float64
	identities int
	routers    int
	sessions   int
	tokens     int
	apiTokens  int
	only       *regexp.Regexp
	plugin     string
	json       bool
	out        string
}

// explained is what the help says of rows whose names do not.
const explained = `
session           the warm session; its cookie is the sealed session
session-redis     the same with sessions in Redis; the cookie is an id
session-revoking  session, while 10 other sessions a second log out
session-delegate  session, with a token for another service that the upstream gets, ready to
                    be sent
api-token         an API token in Authorization, the only one in the shadow file
api-key           the same one in X-API-Key, which is looked for after the other two headers
empty-cookie,     the empty plugin, with the requests of session, session-redis, bearer
  empty-id,         and api-token
  empty-bearer,
  empty-api-token
costs             what a request takes in ServeHTTP that anybody can send, compiled and interpreted,
                    beside its goal: a table of its own
api-tokens-swap   from a shadow file of many API tokens, where there was one of one, to the
                    first request that is let in with one of them; and the slowest request
                    meanwhile with the one that was there before, against the slowest in as
                    long a time without
storm-cookie,     two replicas with a Redis get 1,000 requests at once, of one session
  storm-redis       whose access token has expired; the provider takes 2 s. Wanted: 1 grant,
                    0 errors, 0 logins lost, which are the answers 401. Once
revocation-lag    from a logout at one replica, when it is sent, to the 401 at the other, which
                    is asked without a pause; 200 times. Once

`

func parseOptions(args []string) (options, error) {
	o := options{}
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 5, "rounds, each of which measures every row once, in an order of its own")
	flags.DurationVar(&o.duration, "duration", 3*time.Second, "load on one row in one round, in whole seconds; rows with many identities or API tokens get three times as much")
	flags.Float64Var(&o.quiet, "quiet", 0, "share of the processors, above which what other programs take has a row measured again, 20 times at most (0: never)")
	flags.StringVar(&only, "only", "", "measure only the rows matching this regular expression, and what they are compared with")
	flags.IntVar(&o.identities, "identities", 100_000, "cached identities in the rows that have many")
	flags.IntVar(&o.routers, "routers", 200, "routers in the rows that have many")
	flags.IntVar(&o.sessions, "sessions", 2000, "logins, and bearer tokens, for the rows about memory")
	flags.IntVar(&o.tokens, "tokens", 1000, "tokens in one round of the rows about first sight")
	flags.IntVar(&o.apiTokens, "api-tokens", 100_000, "API tokens in the shadow files that have many")
	flags.StringVar(&o.plugin, "plugin", "", "directory of Latchkey's source (default: the working tree)")
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "bench measures what Latchkey costs. Its rows are %s.\n%s", names(o), explained)
		flags.PrintDefaults()
	}
	flags.BoolVar(&o.json, "json", false, "print JSON instead of a table")
	flags.StringVar(&o.out, "out", "", "write to this file instead of standard output")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(only); err != nil {
		return o, fmt.Errorf("read -only: %w", err)
	}
	o.duration = o.duration.Round(time.Second) // wrk knows no fractions
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("read arguments: %q is not a flag", flags.Arg(0))
	case o.rounds < 1 || o.duration < time.Second || o.identities < 1 || o.routers < 1 || o.sessions < 10 || o.tokens < 1 || o.apiTokens < 2:
		return o, errors.New("read flags: at least 1 round, 1s, 1 identity, 1 router, 10 sessions, 1 token and 2 API tokens are needed")
	}
	return o, nil
}

func main() {
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	options
	*scene
	generator       generator
	unauthenticated []cost
	others          []float64 // shares of the processors that went to other programs
}

func run(ctx context.Context, o options) error {
	gen, err := newGenerator(ctx)
	if err != nil {
		return err
	}
	if err := o.findRedis(ctx); err != nil {
		return err
	}
	s, err := newScene(o)
	if err != nil {
		return err
	}
	defer s.stop()
	b := &bench{options: o, scene: s, generator: gen}
	r := newReport(b)
	var all []series
	for _, part := range []func(context.Context) ([]series, error){b.throughput, b.start, b.swap, b.memory, b.firstSight, b.storm, b.revocationLag, b.costs} {
		measured, err := part(ctx)
		if err != nil {
			return err
		}
		all = append(all, measured...)
	}
	if len(all) == 0 {
		return fmt.Errorf("no row matches -only %q", o.only)
	}
	if r.Figures, err = figures(all); err != nil {
		return err
	}
	r.finish(b)
	return o.write(r)
}

// write puts the report where the options say.
func (o options) write(r *report) error {
	var w io.Writer = os.Stdout
	if o.out != "" {
		f, err := os.Create(o.out)
		if err != nil {
			return err
		}
		defer f.Close()
		w = f
	}
	if o.json {
		return r.json(w)
	}
	return r.text(w)
}

// say tells whoever waits how far it has come.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
