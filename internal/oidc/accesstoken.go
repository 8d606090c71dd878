package oidc

import (
	"context"
	"fmt"
	"strings"
)

// AccessToken is what an access token must say.
//
// An ID token is signed by the same keys for the same person, and handed to
// every app: it must never pass for an access token. A typ of at+jwt (RFC 9068),
// or another that Types names besides JWT, proves the kind. Before RFC 9068 there
// was only typ JWT, or none, where it takes two steps:
//
//   - Nothing in the token may be a mark of another kind: at_hash, c_hash, s_hash,
//     nonce (ID token), events (logout and security event tokens), a token_use
//     other than access (Cognito), a typ claim other than Bearer (Keycloak).
//   - The audience must tell. It does when it is an API's. When ClientID is among
//     the audiences it does not, since an ID token has that too: then one of scope,
//     scp, or client_id with jti must be there, which access tokens have
//     and ID tokens do not.
type AccessToken struct {
	Audiences  []string // one of them must be an audience of the token, to the letter
	Algorithms []string // empty: all the asymmetric ones; others never count
	Types      []string // header typ; empty: at+jwt and JWT, which stands for none too
	ClientID   string   // of the login client, whose ID tokens are about; "": none
}

// VerifyAccessToken checks a JWT access token and returns its claims. The error
// wraps ErrToken or ErrUnavailable.
func (p *Provider) VerifyAccessToken(ctx context.Context, raw string, want AccessToken) (map[string]interface{}, error) {
	t, err := p.verifyAccessToken(ctx, raw, want)
	if err != nil {
		return nil, fmt.Errorf("access token: %w", err)
	}
	return t.claims, nil
}

func (p *Provider) verifyAccessToken(ctx context.Context, raw string, want AccessToken) (*token, error) {
	t, err := parse(raw)
	if err != nil {
		return nil, err
	}
	accepted := want.Algorithms
	if len(accepted) == 0 {
		accepted = algorithmNames
	}
	if err = t.checkHeader(accepted); err != nil {
		return nil, err
	}
	if err = p.checkRegistered(t.claims); err != nil {
		return nil, err
	}
	aud, err := checkAudience(t.claims, want.Audiences)
	if err != nil {
		return nil, err
	}
	if err = checkUnbound(t.claims); err != nil {
		return nil, err
	}
	if err = t.checkAccessType(aud, want); err != nil {
		return nil, err
	}
	if err = p.verify(ctx, t); err != nil {
		return nil, err
	}
	return t, nil
}

// checkUnbound refuses a token that is bound to a key (RFC 7800; DPoP, RFC 9449;
// mutual TLS, RFC 8705). Whoever shows it has to prove that the key is theirs,
// and no such proof is checked here: taken as a plain bearer token it would be
// good in the hands of a thief, against which it was bound. Whatever stands in
// cnf, even null, says that the issuer meant to.
func checkUnbound(claims map[string]interface{}) error {
	if cnf, present := claims["cnf"]; present {
		return refuse("cnf", show(cnf), "no such claim: a proof of possession is not checked here")
	}
	return nil
}

func checkAudience(claims map[string]interface{}, wanted []string) ([]string, error) {
	aud, err := audiences(claims)
	if err != nil {
		return nil, err
	}
	for _, a := range aud {
		if a != "" && contains(wanted, a) {
			return aud, nil
		}
	}
	return nil, refuse("aud", show(claims["aud"]), fmt.Sprintf("one of %q", wanted))
}

func (t *token) checkAccessType(aud []string, want AccessToken) error {
	typ, err := t.mediaType()
	if err != nil {
		return err
	}
	if typ == "at+jwt" && len(want.Types) == 0 {
		return nil
	}
	return t.checkOtherType(typ, aud, want)
}

func (t *token) checkOtherType(typ string, aud []string, want AccessToken) error {
	types := want.Types
	if len(types) == 0 {
		types = []string{"at+jwt", "JWT"}
	}
	if typ == "" {
		typ = "jwt"
	}
	if !containsType(types, typ) {
		return refuse("header: typ", show(t.header["typ"]), fmt.Sprintf("one of %q", types))
	}
	if typ != "jwt" {
		return nil
	}
	if err := checkMarks(t.claims); err != nil {
		return err
	}
	if contains(aud, want.ClientID) && !markedAccess(t.claims) {
		return refuse("scope", "none, with the login client's audience "+quote(want.ClientID), "scope, scp, or client_id and jti: it may be an ID token")
	}
	return nil
}

func containsType(types []string, typ string) bool {
	for _, e := range types {
		if shortType(e) == typ {
			return true
		}
	}
	return false
}

// checkMarks refuses what says that it is not an access token.
func checkMarks(claims map[string]interface{}) error {
	for _, name := range []string{"at_hash", "c_hash", "s_hash", "nonce", "events"} {
		if _, present := claims[name]; present {
			return refuse(name, "a value", "no such claim in an access token")
		}
	}
	if v, present := claims["token_use"]; present && v != "access" {
		return refuse("token_use", show(v), `"access"`)
	}
	if v, present := claims["typ"]; present && !strings.EqualFold(stringOf(v), "Bearer") {
		return refuse("typ", show(v), `"Bearer"`)
	}
	return nil
}

func markedAccess(claims map[string]interface{}) bool {
	if claims["scope"] != nil || claims["scp"] != nil {
		return true
	}
	return claims["client_id"] != nil && claims["jti"] != nil
}
