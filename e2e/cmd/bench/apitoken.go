package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
	"github.com/latchkey-auth/latchkey/internal/apitoken"
)

// apiTokenStage has alice's API token in its shadow file, and no other.
var apiTokenStage = stage{name: "api-tokens", apiTokens: 1}

// apiToken is an API token: the credential, and what the shadow file keeps of it.
type apiToken struct {
	id, credential string
	record         apitoken.Token
}

func newAPIToken(owner string) apiToken {
	id := apitoken.NewID()
	credential, hash := apitoken.NewSecret(id)
	return apiToken{id, credential, apitoken.Token{
		Hash: hash, Owner: owner, Scopes: []string{"read", "write"}, Note: "nightly backup", Created: time.Now().Unix(),
	}}
}

// bearerAPIToken is alice's where an access token would be.
func bearerAPIToken(_ context.Context, s *scene) (field, error) {
	return authorization(s.apiToken.credential), nil
}

// apiKey is the same one in the header that is for API tokens alone.
func apiKey(_ context.Context, s *scene) (field, error) {
	return field{"X-API-Key", s.apiToken.credential}, nil
}

// shadowFile is the content of a shadow file of n tokens. The first is alice's, the others nobody has seen; newest is
// the last.
func (s *scene) shadowFile(n int) (content []byte, newest apiToken, err error) {
	newest = s.apiToken
	tokens := map[string]apitoken.Token{newest.id: newest.record}
	for i := 1; i < n; i++ {
		newest = newAPIToken(fmt.Sprintf("user-%d", i))
		tokens[newest.id] = newest.record
	}
	content, err = json.Marshal(map[string]any{"version": 1, "tokens": tokens})
	return content, newest, err
}

func (s *scene) shadowPath(at stage) string { return filepath.Join(s.dir, at.name+".json") }

// putShadowFile has the content in the place of a stage's shadow file, whole.
func (s *scene) putShadowFile(at stage, content []byte) error {
	next := s.shadowPath(at) + ".new"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return err
	}
	return os.Rename(next, s.shadowPath(at))
}

// writeShadowFile writes the one that a stage begins with.
func (s *scene) writeShadowFile(at stage) error {
	content, _, err := s.shadowFile(at.apiTokens)
	if err != nil {
		return err
	}
	return s.putShadowFile(at, content)
}

// inShadowFile is the settings with API tokens in the stage's file.
func (s *scene) inShadowFile(settings harness.Settings, at stage) harness.Settings {
	settings = settings.With("apiTokens", "file", s.shadowPath(at))
	if at.checkEvery != 0 {
		settings = settings.With("apiTokens", "checkEvery", at.checkEvery.String())
	}
	return settings
}
