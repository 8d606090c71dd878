package identity

import (
	"encoding/json"
	"fmt"
)

// Packed is an Identity to keep: as JSON text its claims take a third of the
// memory.
type Packed struct {
	Kind                         Kind
	Claims, IDToken, AccessToken string // JSON objects, or null
}

// Pack packs an identity whose claims came from JSON.
func Pack(id *Identity) (Packed, error) {
	p := Packed{Kind: id.Kind}
	claims, err := json.Marshal(id.Claims)
	if err != nil {
		return p, fmt.Errorf("pack claims: %w", err)
	}
	idToken, err := json.Marshal(id.IDToken)
	if err != nil {
		return p, fmt.Errorf("pack ID-token claims: %w", err)
	}
	accessToken, err := json.Marshal(id.AccessToken)
	if err != nil {
		return p, fmt.Errorf("pack access-token claims: %w", err)
	}
	p.Claims = string(claims)
	p.IDToken = p.share(string(idToken))
	p.AccessToken = p.share(string(accessToken))
	return p, nil
}

// share keeps one copy of a text that is most often the claims again.
func (p *Packed) share(text string) string {
	if text == p.Claims {
		return p.Claims
	}
	return text
}

// Unpack returns the identity.
func (p Packed) Unpack() (*Identity, error) {
	id := &Identity{Kind: p.Kind}
	if err := json.Unmarshal([]byte(p.Claims), &id.Claims); err != nil {
		return nil, fmt.Errorf("unpack claims: %w", err)
	}
	if err := json.Unmarshal([]byte(p.IDToken), &id.IDToken); err != nil {
		return nil, fmt.Errorf("unpack ID-token claims: %w", err)
	}
	if err := json.Unmarshal([]byte(p.AccessToken), &id.AccessToken); err != nil {
		return nil, fmt.Errorf("unpack access-token claims: %w", err)
	}
	return id, nil
}
