package soak

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

const (
	// unknownKidPause is how long Latchkey lets a provider be after it asked for keys on an unknown kid's behalf.
	unknownKidPause = 10 * time.Second
	// late is what the count of a fetch may be behind or ahead of the fetch.
	late = 500 * time.Millisecond
)

// Tokens whose kids nobody knows may be of keys that the provider has only now: it is asked, but not for each. Meanwhile
// who has a good token gets in, were it seen before or not.
func TestUnknownKids(t *testing.T) {
	needed(t)
	b := start(t, func(_ *harness.Site, d harness.Dynamic) harness.Dynamic { return d })
	who, err := b.login(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token, err := unknownKids(b.Provider.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	// While the keys are not asked for, nobody knows whether a kid is new.
	f := flood{path: "/page", want: http.StatusServiceUnavailable, or: http.StatusUnauthorized, connections: floodConnections, count: *kids, token: token}

	var warm times
	var took time.Duration
	var fetches []time.Time
	fresh := 0
	done := make(chan struct{})
	err = all(t.Context(),
		func(ctx context.Context) error {
			defer close(done)
			var err error
			took, err = f.run(ctx, b)
			return err
		},
		func(ctx context.Context) error {
			return b.probe(ctx, done, "bob", "Authorization", who.authorization, &warm)
		},
		func(ctx context.Context) error {
			var err error
			fresh, err = b.newcomers(ctx, done)
			return err
		},
		func(ctx context.Context) error {
			fetches = b.watchKeys(ctx, done)
			return nil
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	closest := took
	for i := 1; i < len(fetches); i++ {
		closest = min(closest, fetches[i].Sub(fetches[i-1]))
	}
	t.Log(table(
		"unknown kids|seconds|per second|key fetches|closest s|warm token's answers|ms|p99|new tokens accepted",
		fmt.Sprintf("%d|%.1f|%.0f|%d|%.2f|%d|%s|%d", f.count, took.Seconds(), float64(f.count)/took.Seconds(), len(fetches), closest.Seconds(), len(warm[0]), warm, fresh),
	))
	if len(fetches) == 0 {
		t.Error("the provider was never asked for keys")
	}
	if closest < unknownKidPause-late && len(fetches) > 1 {
		t.Errorf("two requests for keys came within %v, want %v between them", closest, unknownKidPause)
	}
	if fresh == 0 {
		t.Error("no new token was tried")
	}
}

// newcomers lets somebody in with a token that was never seen before, twice a second until done is closed, and says how
// often.
func (b *bench) newcomers(ctx context.Context, done <-chan struct{}) (int, error) {
	tick := time.NewTicker(time.Second / 2)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return n, nil
		case <-done:
			return n, nil
		case <-tick.C:
		}
		tokens, err := b.Provider.Tokens(ctx, "alice")
		if err != nil {
			return n, err
		}
		c, err := b.connect()
		if err != nil {
			return n, err
		}
		a, err := c.get("/page", "Authorization", "Bearer "+tokens.AccessToken)
		c.close()
		if err != nil {
			return n, err
		}
		if a != (answer{http.StatusOK, "alice"}) {
			return n, fmt.Errorf("new token: status %d, and the app was told of %q", a.status, a.user)
		}
	}
}

// watchKeys tells when the provider was asked for its keys.
func (b *bench) watchKeys(ctx context.Context, done <-chan struct{}) []time.Time {
	var fetches []time.Time
	seen := b.Provider.Count(harness.KeysPath)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		for n := b.Provider.Count(harness.KeysPath); seen < n; seen++ {
			fetches = append(fetches, time.Now())
		}
		select {
		case <-ctx.Done():
			return fetches
		case <-done:
			return fetches
		case <-tick.C:
		}
	}
}

// unknownKids returns what makes tokens that are as they should be, but for a key that the provider never had.
func unknownKids(issuer string) (func(*mathrand.Rand) string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": issuer, "aud": []string{harness.APIAudience}, "sub": "alice", "scope": "openid",
		"iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(),
	})
	if err != nil {
		return nil, err
	}
	return func(r *mathrand.Rand) string {
		header := fmt.Sprintf(`{"alg":"ES256","typ":"JWT","kid":"%x%x"}`, r.Uint64(), r.Uint64())
		signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(claims)
		digest := sha256.Sum256([]byte(signed))
		x, y, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			panic(err) // the key is a good one
		}
		signature := make([]byte, 64)
		x.FillBytes(signature[:32])
		y.FillBytes(signature[32:])
		return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	}, nil
}
