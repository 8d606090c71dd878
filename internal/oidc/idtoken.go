package oidc

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strconv"
)

// IDToken is what an ID token must say.
type IDToken struct {
	ClientID    string
	Nonce       string // of the login; "": none was sent, as in a refresh
	AccessToken string // set: at_hash, where there is one, must be its hash
	Code        string // set: c_hash likewise
}

// VerifyIDToken checks an ID token as OIDC Core 3.1.3.7 has it and returns its
// claims. The error wraps ErrToken or ErrUnavailable.
func (p *Provider) VerifyIDToken(ctx context.Context, raw string, want IDToken) (map[string]interface{}, error) {
	t, err := p.verifyIDToken(ctx, raw, want)
	if err != nil {
		return nil, fmt.Errorf("id token: %w", err)
	}
	return t.claims, nil
}

func (p *Provider) verifyIDToken(ctx context.Context, raw string, want IDToken) (*token, error) {
	t, err := parse(raw)
	if err != nil {
		return nil, err
	}
	m, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	if err = t.checkHeader(m.IDTokenAlgorithms); err != nil {
		return nil, err
	}
	if err = t.checkIDType(); err != nil {
		return nil, err
	}
	if err = p.checkRegistered(t.claims); err != nil {
		return nil, err
	}
	if err = checkClient(t.claims, want.ClientID); err != nil {
		return nil, err
	}
	if err = checkNonce(t.claims, want.Nonce); err != nil {
		return nil, err
	}
	if err = t.checkHash("at_hash", "the access token", want.AccessToken); err != nil {
		return nil, err
	}
	if err = t.checkHash("c_hash", "the code", want.Code); err != nil {
		return nil, err
	}
	if err = p.verify(ctx, t); err != nil {
		return nil, err
	}
	return t, nil
}

// checkIDType refuses other kinds of token of the same issuer (RFC 8725, 3.11,
// 3.12): at+jwt, logout+jwt, and logout tokens that have no typ.
func (t *token) checkIDType() error {
	typ, err := t.mediaType()
	if err != nil {
		return err
	}
	if typ != "" && typ != "jwt" {
		return refuse("header: typ", quote(typ), "JWT or none")
	}
	if events, present := t.claims["events"]; present {
		return refuse("events", show(events), "no such claim in an ID token")
	}
	return nil
}

// checkClient is OIDC Core 3.1.3.7, 3 to 5.
func checkClient(claims map[string]interface{}, clientID string) error {
	aud, err := audiences(claims)
	if err != nil {
		return err
	}
	if clientID == "" || !contains(aud, clientID) {
		return refuse("aud", show(claims["aud"]), strconv.Quote(clientID))
	}
	azp, present := claims["azp"]
	if !present && len(aud) == 1 {
		return nil
	}
	if s, ok := azp.(string); !ok || s != clientID {
		return refuse("azp", show(azp), strconv.Quote(clientID))
	}
	return nil
}

// checkNonce quotes neither value: the wanted one is the login's secret.
func checkNonce(claims map[string]interface{}, want string) error {
	if want == "" {
		return nil
	}
	nonce := stringOf(claims["nonce"])
	if subtle.ConstantTimeCompare([]byte(nonce), []byte(want)) != 1 {
		return refuse("nonce", "another or none", "that of the login")
	}
	return nil
}

// checkHash is OIDC Core 3.1.3.6: the left half of the hash that alg signs.
func (t *token) checkHash(name, thing, value string) error {
	v, present := t.claims[name]
	if value == "" || !present {
		return nil
	}
	h := algorithms[t.alg].hash.New()
	h.Write([]byte(value))
	sum := h.Sum(nil)
	want := base64url.EncodeToString(sum[:len(sum)/2])
	if subtle.ConstantTimeCompare([]byte(stringOf(v)), []byte(want)) != 1 {
		return refuse(name, "another", "that of "+thing)
	}
	return nil
}
