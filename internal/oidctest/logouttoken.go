package oidctest

// LogoutToken is a logout token for the person (OpenID Connect Back-Channel
// Logout 1.0, 2.4), good for two minutes, with changes over its claims. It names
// no session unless changes has a sid.
func (p *Provider) LogoutToken(changes map[string]interface{}) string {
	p.t.Helper()
	now := p.now().Now().Unix()
	claims := map[string]interface{}{
		"iss": p.Issuer(), "sub": Subject, "aud": ClientID, "iat": now, "exp": now + 120, "jti": random(),
		"events": map[string]interface{}{
			"http://schemas.openid.net/event/backchannel-logout": map[string]interface{}{},
		},
	}
	over(claims, changes)
	return p.Sign(map[string]interface{}{"typ": "logout+jwt"}, claims)
}
