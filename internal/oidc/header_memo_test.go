package oidc

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// Only a token whose signature is right makes its header known.
func TestHeadersAreLearntFromGoodTokensAlone(t *testing.T) {
	own := knownHeaders
	knownHeaders = &headerMemo{headers: map[string]map[string]interface{}{}}
	defer func() { knownHeaders = own }()
	p := oidctest.New(t)
	provider := NewProvider(Config{Issuer: p.Issuer(), HTTPClient: p.Client()})
	want := AccessToken{Audiences: []string{oidctest.Audience}}
	good := p.AccessToken(nil)
	forged := good[:strings.LastIndexByte(good, '.')+1] + "AAAA"
	for _, c := range []struct {
		token string
		known int
		ok    bool
	}{{forged, 0, false}, {good, 1, true}, {forged, 1, false}, {p.AccessToken(nil), 1, true}} {
		_, err := provider.VerifyAccessToken(context.Background(), c.token, want)
		if (err == nil) != c.ok || len(knownHeaders.headers) != c.known {
			t.Errorf("got error %v and %d known headers, want ok %v and %d", err, len(knownHeaders.headers), c.ok, c.known)
		}
	}
}

func TestKnownHeadersAreBounded(t *testing.T) {
	m := &headerMemo{headers: map[string]map[string]interface{}{}}
	for i := 0; i < 10*maxMemo; i++ {
		m.learn(strconv.Itoa(i), map[string]interface{}{})
	}
	m.learn(strings.Repeat("x", maxHeader+1), map[string]interface{}{})
	if n := len(m.headers); n > maxMemo || m.get(strings.Repeat("x", maxHeader+1)) != nil {
		t.Errorf("%d headers are held, want at most %d, and none that is long", n, maxMemo)
	}
}
