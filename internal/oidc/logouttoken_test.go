package oidc

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// logoutClaims are good ones of a logout token, as numbers and objects come out
// of JSON.
func logoutClaims(t *testing.T, op *oidctest.Provider, changes object) object {
	t.Helper()
	claims, err := Unverified(op.LogoutToken(changes))
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// group "back-channel logout" (Back-Channel Logout 1.0, 2.4 and 2.6)
func TestVerifyLogoutToken(t *testing.T) {
	op, p, c := start(t)
	const client = oidctest.ClientID
	now := c.now().Unix()
	for _, c := range []struct {
		name   string
		header object // over typ logout+jwt
		claims object
		says   string // "": allowed
	}{
		{"allow", nil, nil, ""},
		{"allow LOGOUT+JWT", object{"typ": "LOGOUT+JWT"}, nil, ""},
		{"allow application/logout+jwt", object{"typ": "application/logout+jwt"}, nil, ""},
		{"allow JWT", object{"typ": "JWT"}, nil, ""},
		{"allow no typ", object{"typ": nil}, nil, ""},
		{"deny at+jwt", object{"typ": "at+jwt"}, nil, "typ"},
		{"deny secevent+jwt", object{"typ": "secevent+jwt"}, nil, "typ"},
		{"deny a typ that is a list", object{"typ": []string{"logout+jwt"}}, nil, "typ"},
		{"deny HS256 keyed with the public key", object{"alg": "HS256"}, nil, "alg"},
		{"deny an alg that is not advertised", object{"alg": "RS512"}, nil, "alg"},
		{"deny crit", object{"crit": []string{"exp"}}, nil, "crit"},
		{"deny an unknown kid", object{"kid": "rsa-9"}, nil, "kid"},

		{"deny another iss", nil, object{"iss": "https://evil.example.com"}, "iss"},
		{"deny iss with a slash more", nil, object{"iss": op.Issuer() + "/"}, "iss"},
		{"deny no iss", nil, object{"iss": nil}, "iss"},

		{"allow a list of one audience", nil, object{"aud": []string{client}}, ""},
		{"allow several audiences, without azp", nil, object{"aud": []string{"b", client}}, ""},
		{"deny another's audience", nil, object{"aud": "b"}, "aud"},
		{"deny a substring", nil, object{"aud": client + "2"}, "aud"},
		{"deny no audience", nil, object{"aud": nil}, "aud"},
		{"deny an empty list", nil, object{"aud": []string{}}, "aud"},
		{"deny a list with a number", nil, object{"aud": []interface{}{client, 1}}, "a list of strings"},

		{"allow iat within the leeway", nil, object{"iat": now + 60}, ""},
		{"deny iat beyond it", nil, object{"iat": now + 61}, "iat"},
		{"allow iat 10 minutes and the leeway ago", nil, object{"iat": now - 659}, ""},
		{"deny iat before that", nil, object{"iat": now - 660}, "iat"},
		{"deny no iat", nil, object{"iat": nil}, "iat"},
		{"deny iat 0", nil, object{"iat": 0}, "iat"},
		{"deny iat as a string", nil, object{"iat": "1700000000"}, "a number of seconds"},

		{"allow exp within the leeway", nil, object{"exp": now - 59}, ""},
		{"deny exp at the leeway", nil, object{"exp": now - 60}, "exp"},
		{"deny no exp", nil, object{"exp": nil}, "exp"},
		{"deny exp as a string", nil, object{"exp": "9999999999"}, "a number of seconds"},
		{"deny nbf in the future", nil, object{"nbf": now + 61}, "nbf"},

		{"allow a jti of 256 bytes", nil, object{"jti": strings.Repeat("j", 256)}, ""},
		{"deny a jti of 257 bytes", nil, object{"jti": strings.Repeat("j", 257)}, "jti"},
		{"deny no jti", nil, object{"jti": nil}, "jti"},
		{"deny an empty jti", nil, object{"jti": ""}, "jti"},
		{"deny a jti that is a number", nil, object{"jti": 1}, "jti"},
		{"deny a jti with a line break", nil, object{"jti": "a\nb"}, "jti"},

		{"allow other events besides", nil, object{"events": object{logoutEvent: object{}, "b": object{}}}, ""},
		{"allow a member of the event", nil, object{"events": object{logoutEvent: object{"a": 1}}}, ""},
		{"deny no events", nil, object{"events": nil}, "events"},
		{"deny no event", nil, object{"events": object{}}, "events"},
		{"deny another event", nil, object{"events": object{"https://schemas.openid.net/event/backchannel-logout": object{}}}, "events"},
		{"deny an event that is true", nil, object{"events": object{logoutEvent: true}}, "events"},
		{"deny an event that is a list", nil, object{"events": object{logoutEvent: []string{}}}, "events"},
		{"deny events in a list", nil, object{"events": []string{logoutEvent}}, "events"},
		{"deny events that are a string", nil, object{"events": logoutEvent}, "events"},
		{"deny Events for events", nil, object{"events": nil, "Events": object{logoutEvent: object{}}}, "events"},

		{"deny a nonce", nil, object{"nonce": "n-0S6"}, "nonce"},
		{"deny an empty nonce", nil, object{"nonce": ""}, "nonce"},
		{"deny a nonce that is a number", nil, object{"nonce": 0}, "nonce"},

		{"allow sub and sid", nil, object{"sid": "s"}, ""},
		{"allow sid alone", nil, object{"sub": nil, "sid": "s"}, ""},
		{"allow a sid of 256 bytes", nil, object{"sid": strings.Repeat("s", 256)}, ""},
		{"deny neither", nil, object{"sub": nil}, "nor sid"},
		{"deny an empty sub", nil, object{"sub": ""}, "sub"},
		{"deny an empty sub beside sid", nil, object{"sub": "", "sid": "s"}, "sub"},
		{"deny a sub that is a number", nil, object{"sub": 7, "sid": "s"}, "sub"},
		{"deny a sub of 256 bytes", nil, object{"sub": strings.Repeat("a", 256)}, "sub"},
		{"deny an empty sid", nil, object{"sub": nil, "sid": ""}, "sid"},
		{"deny an empty sid beside sub", nil, object{"sid": ""}, "sid"},
		{"deny a sid that is a list", nil, object{"sid": []string{"s"}}, "sid"},
		{"deny a sid of 257 bytes", nil, object{"sid": strings.Repeat("s", 257)}, "sid"},
		{"deny a sid with NUL", nil, object{"sid": "a\x00b"}, "sid"},

		{"allow a claim nobody knows", nil, object{"typ": "Logout", "revoke_offline_access": true}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := object{"typ": "logout+jwt"}
			for name, v := range c.header {
				header[name] = v
			}
			raw := op.Sign(header, logoutClaims(t, op, c.claims))
			token, err := p.VerifyLogoutToken(context.Background(), raw, client)
			wantToken(t, err, c.says, raw)
			if c.says != "" && token != nil {
				t.Errorf("refused, with %+v", token)
			}
		})
	}
}

func TestLogoutTokenClaims(t *testing.T) {
	op, p, c := start(t)
	now := c.now().Unix()
	for _, c := range []struct {
		claims object
		want   LogoutToken
	}{
		{object{"jti": "1"}, LogoutToken{Subject: oidctest.Subject, ID: "1", IssuedAt: now, Expires: now + 180}},
		{object{"jti": "2", "sid": "s"}, LogoutToken{Subject: oidctest.Subject, SessionID: "s", ID: "2", IssuedAt: now, Expires: now + 180}},
		{object{"jti": "3", "sid": "s", "sub": nil}, LogoutToken{SessionID: "s", ID: "3", IssuedAt: now, Expires: now + 180}},
		{object{"jti": "4", "exp": now + 86400}, LogoutToken{Subject: oidctest.Subject, ID: "4", IssuedAt: now, Expires: now + 660}},
		{object{"jti": "5", "iat": float64(now) - 0.5, "exp": float64(now) + 0.5}, LogoutToken{Subject: oidctest.Subject, ID: "5", IssuedAt: now - 1, Expires: now + 61}},
	} {
		c.want.Issuer = op.Issuer()
		found, err := p.VerifyLogoutToken(context.Background(), op.LogoutToken(c.claims), oidctest.ClientID)
		if err != nil || *found != c.want {
			t.Errorf("found %+v, %v, wanted %+v", found, err, c.want)
		}
	}
}

// A caller that remembers the ID until Expires meets no second use.
func TestLogoutTokenExpires(t *testing.T) {
	op, p, c := start(t)
	for _, lifetime := range []float64{120, 86400, 0.5} {
		raw := op.LogoutToken(object{"exp": float64(c.now().Unix()) + lifetime})
		token, err := p.VerifyLogoutToken(context.Background(), raw, oidctest.ClientID)
		if err != nil {
			t.Fatal(err)
		}
		c.move(time.Unix(token.Expires-1, 0).Sub(c.now()))
		_, err = p.VerifyLogoutToken(context.Background(), raw, oidctest.ClientID)
		wantToken(t, err, "", raw)
		c.move(time.Second)
		_, err = p.VerifyLogoutToken(context.Background(), raw, oidctest.ClientID)
		wantToken(t, err, "wanted a time after", raw)
	}
}

// Each kind of token is refused where the other belongs.
func TestLogoutTokenKind(t *testing.T) {
	op, p, _ := start(t)
	logout := func(raw string) error {
		_, err := p.VerifyLogoutToken(context.Background(), raw, oidctest.ClientID)
		return err
	}
	for _, extra := range []object{nil, {"nonce": "n-0S6"}, {"jti": "1", "sid": "s"}} {
		raw := op.Sign(nil, op.Claims(extra))
		wantToken(t, logout(raw), "events", raw)
	}
	raw := op.AccessToken(object{"aud": oidctest.ClientID})
	wantToken(t, logout(raw), "typ", raw)

	for _, typ := range []interface{}{"logout+jwt", "JWT", nil} {
		raw = op.Sign(object{"typ": typ}, logoutClaims(t, op, nil))
		wantToken(t, logout(raw), "", raw)
		_, err := p.VerifyIDToken(context.Background(), raw, IDToken{ClientID: oidctest.ClientID})
		if err == nil {
			t.Errorf("typ %v: taken for an ID token", typ)
		}
		_, err = p.VerifyAccessToken(context.Background(), raw, AccessToken{Audiences: []string{oidctest.ClientID}})
		if err == nil {
			t.Errorf("typ %v: taken for an access token", typ)
		}
	}
}

// What happens before and after the claims are looked at.
func TestVerifyLogoutTokenSteps(t *testing.T) {
	op, p, c := start(t)
	verify := func(raw string) error {
		_, err := p.VerifyLogoutToken(context.Background(), raw, oidctest.ClientID)
		return err
	}
	good := op.LogoutToken(nil)
	op.Down(true)
	wantToken(t, verify("opaque"), "1 parts", "")
	wantUnavailable(t, verify(good), "logout token: discovery")
	op.Down(false)
	c.move(retry)
	wantToken(t, verify(good), "", good)
	_, err := p.VerifyLogoutToken(context.Background(), op.LogoutToken(object{"aud": ""}), "")
	wantToken(t, err, "logout token: aud", "")

	parts := strings.Split(good, ".")
	other := strings.Split(op.LogoutToken(object{"sub": "bob"}), ".")
	for _, c := range []struct{ name, raw, says string }{
		{"other claims", parts[0] + "." + other[1] + "." + parts[2], "signature"},
		{"no signature", parts[0] + "." + parts[1] + ".", "signature"},
		{"alg none", op.SignText("none", `{"alg":"none","typ":"logout+jwt"}`, `{}`), "signature"},
		{"alg none with a signature", op.SignText("none", `{"alg":"none","typ":"logout+jwt"}`, `{}`) + parts[2], "alg"},
	} {
		t.Run("deny "+c.name, func(t *testing.T) {
			wantToken(t, verify(c.raw), c.says, c.raw)
		})
	}

	published := op.PublicKeys()
	op.Set(func(b *oidctest.Behavior) { b.Keys = published })
	op.Rotate()
	forged := op.Sign(object{"typ": "logout+jwt", "kid": "rsa-1"}, logoutClaims(t, op, nil))
	wantToken(t, verify(forged), "signature", forged)
}

// What encoding/json would not write.
func TestLogoutTokenAsText(t *testing.T) {
	op, p, _ := start(t)
	for _, c := range []struct{ name, claims, says string }{
		{"allow", `"sub":"a"`, ""},
		{"deny nonce null", `"sub":"a","nonce":null`, "nonce"},
		{"deny sub null beside sid", `"sub":null,"sid":"s"`, "sub"},
		{"deny sid null beside sub", `"sub":"a","sid":null`, "sid"},
		{"deny events twice", `"sub":"a","events":{"` + logoutEvent + `":{}}`, "a member twice"},
		{"deny a lone surrogate in sid", `"sid":"a\ud800"`, "sid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := `{"iss":"` + op.Issuer() + `","aud":"` + oidctest.ClientID + `","iat":1700000000,"exp":1700000120,` +
				`"jti":"1","events":{"` + logoutEvent + `":{}},` + c.claims + `}`
			raw := op.SignText("RS256", `{"alg":"RS256","typ":"logout+jwt"}`, claims)
			_, err := p.VerifyLogoutToken(context.Background(), raw, oidctest.ClientID)
			wantToken(t, err, c.says, raw)
		})
	}
}
