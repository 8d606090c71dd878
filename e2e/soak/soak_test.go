// Package soak tries what only shows in numbers: a million bad tokens, a hundred thousand unknown keys, a hundred
// reloads under load; and drills, in which Redis, replicas and files come to harm under load, with what was answered
// meanwhile. It takes most of an hour, so its tests run only when asked: make soak.
//
// Memory is that of Traefik's process after a collection, as its own profiles tell. What load costs by itself, or
// Traefik by itself, is measured in a control beside each test: the same load on a router without middleware, the same
// reloads without the plugin.
package soak

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

var (
	asked   = flag.Bool("soak", false, "run the soak tests")
	garbage = flag.Int("garbage", 1_000_000, "bad tokens")
	kids    = flag.Int("kids", 100_000, "tokens with unknown kids")
	reloads = flag.Int("reloads", 100, "configuration reloads")
	rate    = flag.Float64("rate", 1000, "bad tokens in a second, where the good clients' time is compared")
)

// needed skips a test that was not asked for, so that nobody takes it for one that passed.
func needed(t *testing.T) {
	t.Helper()
	if !*asked {
		t.Skip("runs only when asked: make soak")
	}
}

// bench is a running site, an app of its own behind it, and the test that uses both.
type bench struct {
	*harness.Site
	t   *testing.T
	app *app
}

// start starts a site for the test, with Traefik's configuration as change makes it. When the test fails, Traefik's log
// is shown.
func start(t *testing.T, change func(*harness.Site, harness.Dynamic) harness.Dynamic) *bench {
	t.Helper()
	a := startApp()
	t.Cleanup(a.server.Close)
	options := harness.TraefikOptions{LogLevel: "INFO", Debug: true}
	site, err := harness.StartSite(t.Context(), harness.ProviderOptions{}, options, func(s *harness.Site) harness.Dynamic {
		dynamic := s.Dynamic(s.Settings())
		dynamic.Services["app"] = a.server.URL
		return change(s, dynamic)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			log := site.Traefik.Log()
			t.Logf("the end of Traefik's log:\n%s", log[max(0, len(log)-20_000):])
		}
		site.Stop()
	})
	return &bench{Site: site, t: t, app: a}
}

// memory is what Traefik holds after a collection.
func (b *bench) memory() harness.Memory {
	b.t.Helper()
	m, err := b.Traefik.Memory(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// all does everything side by side. When one fails the others are ended, and its error returned.
func all(ctx context.Context, do ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for _, one := range do {
		running.Go(func() {
			if err := one(ctx); err != nil {
				cancel(err)
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// table lays out lines of cells that are separated by |.
func table(lines ...string) string {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, line := range lines {
		fmt.Fprintln(w, strings.ReplaceAll(line, "|", "\t")+"\t")
	}
	w.Flush()
	return "\n" + out.String()
}

func mib(bytes int64) string { return fmt.Sprintf("%.2f", float64(bytes)/(1<<20)) }
