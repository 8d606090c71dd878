package oauth2

import (
	"regexp"
	"testing"
)

func TestChallenge(t *testing.T) {
	// RFC 7636, appendix B
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	if got := Challenge(verifier); got != challenge {
		t.Errorf("found %q, wanted %q", got, challenge)
	}
}

func TestNewVerifier(t *testing.T) {
	allowed := regexp.MustCompile(`^[A-Za-z0-9._~-]{43}$`)
	seen := map[string]bool{}
	for i := 0; i < 100; i++ {
		v := NewVerifier()
		if !allowed.MatchString(v) || seen[v] {
			t.Fatalf("found %q, wanted another 43 unreserved characters", v)
		}
		seen[v] = true
	}
}
