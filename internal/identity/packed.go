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
	claims, err := pack(id.Claims)
	if err != nil {
		return p, fmt.Errorf("pack claims: %w", err)
	}
	idToken, err := pack(id.IDToken)
	if err != nil {
		return p, fmt.Errorf("pack ID-token claims: %w", err)
	}
	accessToken, err := pack(id.AccessToken)
	if err != nil {
		return p, fmt.Errorf("pack access-token claims: %w", err)
	}
	p.Claims = claims
	p.IDToken = p.share(idToken)
	p.AccessToken = p.share(accessToken)
	return p, nil
}

// pack takes no memory for what is not there.
func pack(claims map[string]interface{}) (string, error) {
	if claims == nil {
		return "null", nil
	}
	text, err := json.Marshal(claims)
	return string(text), err
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
