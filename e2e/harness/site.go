package harness

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
)

// Site is a small site behind Latchkey: the apps with everything below / for whoever is logged in,
// /ops for the group ops, and /public/ for anybody.
type Site struct {
	Apps     *Apps
	Provider *Provider
	Traefik  *Traefik

	secret string
}

// StartSite starts the three, Traefik with what the site's own configuration becomes in the hands of configure.
func StartSite(ctx context.Context, provider ProviderOptions, traefik TraefikOptions, configure func(*Site) Dynamic) (*Site, error) {
	s, err := newSite(provider)
	if err != nil {
		return nil, err
	}
	if s.Traefik, err = StartTraefik(ctx, traefik, configure(s)); err != nil {
		s.Stop()
		return nil, err
	}
	s.allow(s.Traefik)
	return s, nil
}

// newSite is a site that has no Traefik yet.
func newSite(provider ProviderOptions) (*Site, error) {
	s := &Site{secret: rand.Text() + rand.Text()}
	var err error
	if s.Apps, err = StartApps(); err != nil {
		return nil, err
	}
	if s.Provider, err = NewProvider(provider); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// allow registers the redirect URIs of a Traefik.
func (s *Site) allow(t *Traefik) {
	s.Provider.Allow(t.URL+"/oauth2/callback", t.TLSURL+"/oauth2/callback")
}

// Stop ends whatever of the site runs.
func (s *Site) Stop() {
	if s.Traefik != nil {
		s.Traefik.Stop()
	}
	if s.Provider != nil {
		s.Provider.Stop()
	}
	if s.Apps != nil {
		s.Apps.Stop()
	}
}

// Settings are the settings of the site's middleware.
func (s *Site) Settings() Settings {
	return Settings{
		"provider": Settings{
			"issuer":       s.Provider.Issuer,
			"clientID":     ClientID,
			"clientSecret": ClientSecret,
		},
		"secret": s.secret,
		"public": []string{"/public/", "/favicon.ico"},
		"bearer": Settings{"audiences": []string{APIAudience}},
	}
}

// SettingsByFile are Settings with the secrets in files of the folder, of which Traefik's API and log show the paths only.
func (s *Site) SettingsByFile(folder string) (Settings, error) {
	settings := s.Settings()
	for name, secret := range map[string]string{"latchkey.secret": s.secret, "client.secret": ClientSecret} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(secret), 0o600); err != nil {
			return nil, err
		}
	}
	return settings.With("secret", "file:"+filepath.Join(folder, "latchkey.secret")).
		With("provider", "clientSecret", "file:"+filepath.Join(folder, "client.secret")), nil
}

// Dynamic is the site's configuration with these settings for the middleware;
// that of /ops has a rule besides.
func (s *Site) Dynamic(settings Settings) Dynamic {
	return Dynamic{
		Middlewares: map[string]Settings{
			"login": settings,
			"ops":   settings.With("authorize", "OneOf(`groups`, `ops`)"),
		},
		Routers: map[string]Router{
			"app": {Rule: "PathPrefix(`/`)", Middlewares: []string{"login"}, Service: "app"},
			"ops": {Rule: "PathPrefix(`/ops`)", Middlewares: []string{"ops"}, Service: "app"},
		},
		Services: map[string]string{"app": s.Apps.URL},
	}
}
