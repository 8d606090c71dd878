package oidc

import (
	"context"
	"fmt"
	"math"
	"time"
)

const (
	// maxLogoutAge bounds for how long a logout token can be posted again, and so
	// for how long a caller must remember those that were.
	maxLogoutAge = 10 * time.Minute
	maxLogoutID  = 256 // bytes of jti and sid

	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
)

// LogoutToken is a provider's word that sessions are over (OpenID Connect
// Back-Channel Logout 1.0, 2.4): the one that SessionID names, or without it all
// of Subject. At least one of the two is there.
type LogoutToken struct {
	Issuer    string
	Subject   string // sub; "": not said
	SessionID string // sid, as in the ID tokens of the session; "": not said
	ID        string // jti; up to 256 bytes
	IssuedAt  int64  // Unix seconds
	Expires   int64  // Unix seconds; no clock's leeway lets the token pass from then on
}

// VerifyLogoutToken checks a logout token as Back-Channel Logout 1.0, with errata
// set 1, has it in 2.6. It knows nothing of earlier ones: the caller refuses an
// ID that it has seen, and need remember it until Expires. The error wraps
// ErrToken or ErrUnavailable.
func (p *Provider) VerifyLogoutToken(ctx context.Context, raw string, clientID string) (*LogoutToken, error) {
	t, err := p.verifyLogoutToken(ctx, raw, clientID)
	if err != nil {
		return nil, fmt.Errorf("logout token: %w", err)
	}
	return &LogoutToken{
		Issuer:    p.issuer,
		Subject:   stringOf(t.claims["sub"]),
		SessionID: stringOf(t.claims["sid"]),
		ID:        stringOf(t.claims["jti"]),
		IssuedAt:  int64(secondsOf(t.claims["iat"])),
		Expires:   logoutEnd(t.claims),
	}, nil
}

func (p *Provider) verifyLogoutToken(ctx context.Context, raw string, clientID string) (*token, error) {
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
	if err = t.checkLogoutType(); err != nil {
		return nil, err
	}
	if err = p.checkIssuer(t.claims); err != nil {
		return nil, err
	}
	if _, err = checkAudience(t.claims, []string{clientID}); err != nil {
		return nil, err
	}
	if err = checkTimes(t.claims, p.now()); err != nil {
		return nil, err
	}
	if err = checkAge(t.claims, p.now()); err != nil {
		return nil, err
	}
	if err = checkLogoutClaims(t.claims); err != nil {
		return nil, err
	}
	if err = p.verify(ctx, t); err != nil {
		return nil, err
	}
	return t, nil
}

// checkLogoutType refuses what says that it is another kind. Not all providers
// say logout+jwt, which is only recommended.
func (t *token) checkLogoutType() error {
	typ, err := t.mediaType()
	if err != nil {
		return err
	}
	if typ != "" && typ != "jwt" && typ != "logout+jwt" {
		return refuse("header: typ", quote(typ), "logout+jwt, JWT or none")
	}
	return nil
}

// checkAge is about the past; of the future, checkTimes has spoken.
func checkAge(claims map[string]interface{}, now time.Time) error {
	iat, ok := claims["iat"].(float64)
	oldest := seconds(now.Add(-maxLogoutAge - leeway))
	if !ok || iat <= oldest {
		return refuse("iat", show(claims["iat"]), "a time after "+showSeconds(oldest))
	}
	return nil
}

// checkLogoutClaims tells a logout token from an ID token: that one has no
// events, and this one no nonce.
func checkLogoutClaims(claims map[string]interface{}) error {
	events, _ := claims["events"].(map[string]interface{})
	if _, ok := events[logoutEvent].(map[string]interface{}); !ok {
		return refuse("events", show(claims["events"]), "an object with "+logoutEvent+", an object")
	}
	if _, present := claims["nonce"]; present {
		return refuse("nonce", "a value", "no such claim in a logout token")
	}
	if err := checkLogoutID(claims, "jti"); err != nil {
		return err
	}
	return checkWho(claims)
}

// checkWho wants sub, sid or both. One that is there but says nothing is
// refused, for it was to say something.
func checkWho(claims map[string]interface{}) error {
	_, sub := claims["sub"]
	_, sid := claims["sid"]
	if !sub && !sid {
		return refuse("sub", "nothing, nor sid", "one of the two")
	}
	if sub {
		if err := checkSubject(claims); err != nil {
			return err
		}
	}
	if sid {
		return checkLogoutID(claims, "sid")
	}
	return nil
}

func checkLogoutID(claims map[string]interface{}, name string) error {
	s := stringOf(claims[name])
	if s == "" || len(s) > maxLogoutID || controls.MatchString(s) {
		return refuse(name, show(claims[name]), "1 to 256 bytes of text")
	}
	return nil
}

// logoutEnd is when checkTimes or checkAge begins to refuse.
func logoutEnd(claims map[string]interface{}) int64 {
	last := math.Min(secondsOf(claims["exp"]), secondsOf(claims["iat"])+maxLogoutAge.Seconds())
	return int64(math.Ceil(last + leeway.Seconds()))
}

// secondsOf reads a time that was checked.
func secondsOf(v interface{}) float64 {
	s, _ := v.(float64)
	return s
}
