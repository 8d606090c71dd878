// Command demo runs everything needed to see Latchkey at work in a browser: an OpenID provider with two users,
// an app that shows the headers it gets, and Traefik with Latchkey in front. Ctrl-C ends it all.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// The ports that are used if they are free.
const (
	traefikPort  = 8000
	tlsPort      = 8443
	providerPort = 9998
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ports, err := choose(traefikPort, tlsPort, providerPort)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "latchkey-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	tokens := harness.Settings{
		"file":   filepath.Join(folder, "tokens.json"),
		"scopes": harness.Settings{"read": "", "deploy": "OneOf(`groups`, `ops`)"},
	}
	var failed error
	site, err := harness.StartSite(ctx,
		harness.ProviderOptions{Port: ports[2], SingleSignOn: true},
		harness.TraefikOptions{Port: ports[0], TLSPort: ports[1], LogLevel: "INFO"},
		func(s *harness.Site) harness.Dynamic {
			settings, err := s.SettingsByFile(folder)
			failed = err
			return s.Dynamic(settings.With("apiTokens", tokens))
		})
	if err != nil {
		return err
	}
	defer site.Stop()
	if failed != nil {
		return failed
	}
	fmt.Printf(`
Open

  %[1]s/                the headers that an app behind Latchkey gets
  %[1]s/ops/            the same, for the group ops only
  %[1]s/public/         the same, for anybody
  %[1]s/oauth2/account  your sessions and API tokens

and log in as

  alice, of the groups staff and ops
  bob, of the group staff

both with the password %[2]q. The provider is %[3]s
Ctrl-C ends everything.
`, site.Traefik.URL, harness.Password, site.Provider.Issuer)
	select {
	case <-ctx.Done():
		fmt.Println("\nending")
		return nil
	case <-site.Traefik.Done():
		fmt.Fprint(os.Stderr, site.Traefik.Log())
		return errors.New("traefik ended; its log is above")
	}
}

// choose replaces the ports that are taken.
func choose(ports ...int) ([]int, error) {
	for i := range ports {
		var err error
		if ports[i], err = harness.Prefer(ports[i]); err != nil {
			return nil, err
		}
	}
	return ports, nil
}
