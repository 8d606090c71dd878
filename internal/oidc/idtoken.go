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
	// AuthenticatedAfter is the Unix second after which the person must have
	// authenticated, give or take the clocks' leeway: auth_time is required then
	// (OIDC Core 3.1.3.7, 13). 0: not asked.
	AuthenticatedAfter int64
	// Contexts are what acr may be (OIDC Core 3.1.3.7, 12). nil: anything.
	Contexts []string
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
		err = p.checkHeaderAnew(ctx, t, err)
	}
	if err != nil {
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
	if err = p.checkAuthentication(t.claims, want); err != nil {
		return nil, err
	}
	if err = t.checkHash("at_hash", "the access token", want.AccessToken); err != nil {
		return nil, err
	}
	if err = t.checkHash("c_hash", "the code", want.Code); err != nil {
		return nil, err
	}
	// It came from the token endpoint itself.
	t.fromProvider = true
	if err = p.verify(ctx, t); err != nil {
		return nil, err
	}
	return t, nil
}

// checkHeaderAnew is for a provider that signs otherwise since it was asked how.
func (p *Provider) checkHeaderAnew(ctx context.Context, t *token, refused error) error {
	fresh, err := p.Rediscover(ctx)
	if err != nil {
		return refused
	}
	return t.checkHeader(fresh.IDTokenAlgorithms)
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

func (p *Provider) checkAuthentication(claims map[string]interface{}, want IDToken) error {
	// OIDC Core, 2: required. It also says when what the token claims was true.
	if _, present := claims["iat"]; !present {
		return refuse("iat", "nothing", "a time")
	}
	if at := secondsOf(claims["auth_time"]); want.AuthenticatedAfter != 0 && at > seconds(p.now().Add(leeway)) {
		return refuse("auth_time", showSeconds(at), "a time up to now")
	}
	return CheckLogin(claims, want.AuthenticatedAfter, want.Contexts)
}

// CheckLogin checks in the claims of an ID token what was asked of the login: see
// AuthenticatedAfter and Contexts of IDToken.
func CheckLogin(claims map[string]interface{}, after int64, contexts []string) error {
	at, present := claims["auth_time"].(float64)
	if earliest := float64(after) - leeway.Seconds(); after != 0 && (!present || at < earliest) {
		return refuse("auth_time", show(claims["auth_time"]), "a time after "+showSeconds(earliest))
	}
	acr := stringOf(claims["acr"])
	if len(contexts) > 0 && (acr == "" || !contains(contexts, acr)) {
		return refuse("acr", show(claims["acr"]), fmt.Sprintf("one of %q", contexts))
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
