package identity

import (
	"reflect"
	"testing"
)

func TestPackRoundTrip(t *testing.T) {
	claims := map[string]interface{}{
		"sub": "alice", "exp": float64(1700000000), "email_verified": true, "groups": []interface{}{"a", "b"},
		"address": map[string]interface{}{"country": "NL"}, "nothing": nil, "markup": "<b>&\u2028",
	}
	for name, id := range map[string]*Identity{
		"a session":         {Kind: Session, Claims: claims, IDToken: claims},
		"with userinfo":     {Kind: Session, Claims: claims, IDToken: map[string]interface{}{"sub": "alice"}},
		"with access token": {Kind: Session, Claims: claims, IDToken: claims, AccessToken: map[string]interface{}{"scope": "read"}},
		"a bearer token":    {Kind: Bearer, Claims: claims, AccessToken: claims},
	} {
		packed, err := Pack(id)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := packed.Unpack()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Kind != id.Kind || !reflect.DeepEqual(got.Claims, id.Claims) ||
			!reflect.DeepEqual(got.IDToken, id.IDToken) || !reflect.DeepEqual(got.AccessToken, id.AccessToken) {
			t.Errorf("%s: came back as %+v", name, got)
		}
	}
}

func TestPackRefuses(t *testing.T) {
	bad := map[string]interface{}{"f": func() {}}
	for name, id := range map[string]*Identity{"claims": {Claims: bad}, "ID token": {IDToken: bad}, "access token": {AccessToken: bad}} {
		if _, err := Pack(id); err == nil {
			t.Errorf("%s: packed what JSON has no word for", name)
		}
	}
	for name, p := range map[string]Packed{
		"claims": {Claims: "{", IDToken: "null", AccessToken: "null"}, "ID token": {Claims: "null", IDToken: "1", AccessToken: "null"},
		"access token": {Claims: "null", IDToken: "null"},
	} {
		if id, err := p.Unpack(); err == nil {
			t.Errorf("%s: unpacked to %+v", name, id)
		}
	}
}
