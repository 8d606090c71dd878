package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/checkout"
	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// stage is a Traefik as some rows need it. The zero value serves most.
type stage struct {
	name       string
	routers    int // of Latchkey
	identities int // that Latchkey has in its cache
	redis      bool
	apiTokens  int           // in its shadow file, which it has none of for 0
	checkEvery time.Duration // at which that file is looked at; 0: Latchkey's default
	delegate   bool
}

// redisStage has its sessions in Redis.
var redisStage = stage{name: "redis", redis: true}

// scene is what the requests meet. A Traefik is started when a row first needs it.
type scene struct {
	upstream *upstream
	provider *harness.Provider
	issuer   *issuer
	redis    *harness.Redis // nil until a stage needs it

	secret      string
	apiToken    apiToken // alice's, which is in all shadow files
	dir         string   // of the shadow files
	cacheTokens int      // setting cache.tokens
	latchkeyDir string   // of Latchkey's source
	emptyDir    string   // of the empty plugin's
	running     map[stage]*harness.Traefik
	logins      map[stage]login // the latest ones
	version     string          // of Traefik
}

func newScene(o options) (*scene, error) {
	root, err := checkout.Root()
	if err != nil {
		return nil, err
	}
	s := &scene{
		secret:   rand.Text() + rand.Text(),
		apiToken: newAPIToken("alice"),
		// The cache is of two generations: only of a fourth is it sure that it stays.
		cacheTokens: max(20_000, 4*o.identities, 4*o.sessions),
		latchkeyDir: root,
		emptyDir:    filepath.Join(root, "e2e", "cmd", "bench", "emptyplugin"),
		running:     map[stage]*harness.Traefik{},
		logins:      map[stage]login{},
	}
	if o.plugin != "" {
		if s.latchkeyDir, err = filepath.Abs(o.plugin); err != nil {
			return nil, err
		}
	}
	if err := s.open(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *scene) open() error {
	var err error
	if s.dir, err = os.MkdirTemp("", "latchkey-bench-"); err != nil {
		return err
	}
	if s.upstream, err = startUpstream(); err != nil {
		return fmt.Errorf("start upstream: %w", err)
	}
	if s.issuer, err = startIssuer(); err != nil {
		return fmt.Errorf("start issuer: %w", err)
	}
	s.provider, err = harness.NewProvider(harness.ProviderOptions{})
	return err
}

// stop ends whatever runs.
func (s *scene) stop() {
	for _, t := range s.running {
		t.Stop()
	}
	if s.redis != nil {
		s.redis.Stop()
	}
	if s.provider != nil {
		s.provider.Stop()
	}
	if s.issuer != nil {
		s.issuer.stop()
	}
	if s.upstream != nil {
		s.upstream.stop()
	}
	os.RemoveAll(s.dir)
}

// settings are Latchkey's, wherever it runs: they decide who shares what.
func (s *scene) settings() harness.Settings {
	return harness.Settings{
		"provider": harness.Settings{
			"issuer":       s.provider.Issuer,
			"clientID":     harness.ClientID,
			"clientSecret": harness.ClientSecret,
		},
		"secret":   s.secret,
		"basePath": loginPath,
		"bearer": harness.Settings{"issuers": []harness.Settings{{
			"issuer":    s.issuer.url,
			"jwksURL":   s.issuer.jwksURL(),
			"audiences": []string{audience},
		}}},
		"cache": harness.Settings{"tokens": s.cacheTokens},
		"log":   harness.Settings{"level": "error"},
	}
}

// middlewares are those that routers of the same name have. Nothing else is needed for a row with settings of its own.
func (s *scene) middlewares() map[string]harness.Settings {
	return map[string]harness.Settings{"latchkey": s.settings()}
}

// firstPriority has the measured routers asked first, however many others there are: it is the plugin that is
// measured, not Traefik's way through its rules.
const firstPriority = 1000

// dynamic has a router bare, one for the empty plugin, and one for each of Latchkey's middlewares.
func (s *scene) dynamic(at stage) harness.Dynamic {
	d := harness.Dynamic{
		Middlewares: s.middlewares(),
		Plugins:     map[string]string{"empty": "empty"},
		Routers:     map[string]harness.Router{"bare": {Rule: "PathPrefix(`/bare/`)", Service: "ok", Priority: firstPriority}},
		Services:    map[string]string{"ok": s.upstream.url},
	}
	d.Middlewares["empty"] = harness.Settings{}
	if at.redis {
		d.Middlewares["latchkey"] = inRedis(s.settings(), "redis", s.redis)
	}
	if at.apiTokens > 0 {
		d.Middlewares["latchkey"] = s.inShadowFile(d.Middlewares["latchkey"], at)
	}
	if at.delegate {
		d.Middlewares["latchkey"] = delegating(d.Middlewares["latchkey"])
	}
	for name := range d.Middlewares {
		d.Routers[name] = harness.Router{Rule: "PathPrefix(`/" + name + "/`)", Middlewares: []string{name}, Service: "ok", Priority: firstPriority}
	}
	for n := 1; n < at.routers; n++ {
		name := fmt.Sprintf("other-%d", n)
		d.Routers[name] = harness.Router{Rule: "PathPrefix(`/" + name + "/`)", Middlewares: []string{"latchkey"}, Service: "ok"}
	}
	return d
}

// traefik is the one of a stage.
func (s *scene) traefik(ctx context.Context, at stage) (*harness.Traefik, error) {
	if t := s.running[at]; t != nil {
		return t, nil
	}
	if at.redis && s.redis == nil {
		var err error
		if s.redis, err = harness.StartRedis(ctx, harness.RedisOptions{}); err != nil {
			return nil, err
		}
	}
	if at.apiTokens > 0 {
		if err := s.writeShadowFile(at); err != nil {
			return nil, fmt.Errorf("write shadow file: %w", err)
		}
	}
	t, err := harness.StartTraefik(ctx, s.traefikOptions(), s.dynamic(at))
	if err != nil {
		return nil, err
	}
	s.running[at] = t
	s.version = traefikVersion(t.PID())
	s.provider.Allow(t.TLSURL + loginPath + "/callback")
	if at.identities > 0 {
		say("filling the cache with %d identities", at.identities)
		if err := s.fill(ctx, t.URL, 0, at.identities); err != nil {
			return nil, fmt.Errorf("fill the cache: %w", err)
		}
	}
	return t, nil
}

func (s *scene) traefikOptions() harness.TraefikOptions {
	return harness.TraefikOptions{
		Plugin:   s.latchkeyDir,
		Others:   map[string]harness.LocalPlugin{"empty": {Module: "github.com/latchkey-auth/emptyplugin", Dir: s.emptyDir}},
		LogLevel: "ERROR",
		Debug:    true,
	}
}

// end ends the Traefik of a stage.
func (s *scene) end(at stage) {
	if t := s.running[at]; t != nil {
		t.Stop()
		delete(s.running, at)
	}
}

// fill has Latchkey verify the bearer tokens of users from the first up to the last, each once.
func (s *scene) fill(ctx context.Context, url string, first, last int) error {
	address := navigation(url, "latchkey").address()
	return sendAll(ctx, address, last-first, func(i int) ([]byte, error) {
		token, err := s.issuer.sign(quick, fmt.Sprintf("user-%d", first+i))
		return navigation(url, "latchkey", authorization(token)).bytes(), err
	})
}
