package oidctest

import (
	"net/url"
	"time"
)

// Behavior is what can be told; its zero value behaves. In maps that go over
// other values a nil removes the member.
type Behavior struct {
	Now func() time.Time // nil: time.Now

	Discovery   map[string]interface{}   // over the discovery document
	Moved       string                   // in front of the endpoints' paths, as "/v2"; without it, they are 404
	AuthMethods []string                 // advertised, and the only ones taken; nil: basic and post, not advertised
	Keys        []map[string]interface{} // of the key set; nil: PublicKeys

	OmitIss bool   // no iss in authorization responses, none advertised (RFC 9207)
	Iss     string // another iss in authorization responses

	IDTokenHeader     map[string]interface{} // over that of the ID tokens
	IDTokenClaims     map[string]interface{} // over those of the ID tokens
	SessionIDs        bool                   // ID tokens have a sid: one for each login
	AccessTokenClaims map[string]interface{} // over those of the access tokens
	OpaqueAccessToken bool                   // access tokens are no JWTs
	ExpiresIn         int64                  // seconds that access tokens live; 0: 300
	TokenResponse     map[string]interface{} // over the token responses, those of refreshes too
	UserInfo          map[string]interface{} // over the userinfo response

	RefreshTokens        bool                                                                    // a login gets one, and each refresh the next
	KeepRefreshToken     bool                                                                    // no next one: the same works again
	OmitRefreshedIDToken bool                                                                    // a refresh gets no ID token
	Exchange             func(form url.Values) (response map[string]interface{}, refused string) // RFC 8693; nil: not supported

	RefreshClaims map[string]interface{} // over those of ID tokens from a refresh, after IDTokenClaims
}

// now returns the behavior of this moment, with a clock and a lifetime.
func (p *Provider) now() Behavior {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.behavior
	if b.Now == nil {
		b.Now = time.Now
	}
	if b.ExpiresIn == 0 {
		b.ExpiresIn = 300
	}
	return b
}

func over(base, changes map[string]interface{}) {
	for name, v := range changes {
		if v == nil {
			delete(base, name)
			continue
		}
		base[name] = v
	}
}
