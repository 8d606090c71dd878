package e2e

import (
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// Of secrets that are in files Traefik's API shows the paths, and its log at DEBUG, which has the whole dynamic
// configuration, too. A login works with them.
func TestSecretsInFilesAreNotShown(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var known []string
	b := start(t, plan{settings: func(s *harness.Site, written harness.Settings) harness.Settings {
		settings, err := s.SettingsByFile(folder)
		if err != nil {
			t.Fatal(err)
		}
		known = []string{written["secret"].(string), harness.ClientSecret}
		return settings
	}})
	client := b.session("alice")
	isIdentity(t, b.get(client, b.Traefik.TLSURL+"/").seen(t), "alice", "staff,ops")
	for _, path := range []string{"/api/rawdata", "/api/http/middlewares", "/api/http/middlewares/login@file"} {
		shown := b.get(harness.Client(), b.Traefik.API+path).body
		if !strings.Contains(shown, "file:"+folder) {
			t.Errorf("%s does not have the path: %s", path, shown)
		}
		for _, secret := range known {
			if strings.Contains(shown, secret) {
				t.Errorf("%s shows a secret", path)
			}
		}
	}
	for _, secret := range known {
		if strings.Contains(b.Traefik.Log(), secret) {
			t.Error("the log shows a secret")
		}
	}
}
