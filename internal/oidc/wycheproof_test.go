package oidc

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey/internal/oidctest"
)

// differs are the vectors that are answered otherwise than their authors say, by
// comment, and why.
var differs = map[string]string{
	"rejectsKeyWithRocaVulnerability": "They want factorable keys of one maker's chips refused (CVE-2017-15361). " +
		"Here the key is the provider's choice, fetched from the provider.",
	"SaltLenChanged": "RFC 7518, 3.5, has PSS salts as long as the hash. golang-jwt takes any length, " +
		"for signers of before it did; whoever makes one has the private key.",
	"Figure20": "The key says alg PS256 and the token PS384. RFC 7517, 4.4: alg is what the key is meant for.",
	"Figure27": "The key says alg ES521, which is none.",
}

// symmetric says whether the keys are for HMACs: what a provider publishes is
// public, so all tokens of such keys are refused.
func symmetric(keys []object) bool {
	for _, key := range keys {
		if key["kty"] == "oct" {
			return true
		}
	}
	return false
}

// The vectors' payloads are texts such as foo, and no sets of claims: through
// VerifyAccessToken all would be refused alike. So a token is parsed with an empty
// set of claims in the place of its payload, which is put back for everything
// after: header, choice of key, signature.
//
// The files are those of C2SP/wycheproof. This module does not depend on it:
// e2e/wycheproof_test.go has them and runs this.
func TestWycheproof(t *testing.T) {
	dir := os.Getenv("LATCHKEY_WYCHEPROOF")
	if dir == "" {
		t.Skip("no vectors: run TestWycheproof of e2e")
	}
	op, _, c := start(t)
	for _, name := range []string{"json_web_signature_test.json", "json_web_key_test.json"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var file map[string]interface{}
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		tried, taken := 0, 0
		for _, group := range file["testGroups"].([]interface{}) {
			g := group.(map[string]interface{})
			keys := publishedKeys(g)
			op.Set(func(b *oidctest.Behavior) { b.Keys = keys })
			p := NewProvider(Config{Issuer: op.Issuer(), HTTPClient: op.Client(), Now: c.now})
			for _, vector := range g["tests"].([]interface{}) {
				v := vector.(map[string]interface{})
				tried++
				err := verifyVector(p, stringOf(v["jws"]))
				_, different := differs[stringOf(v["comment"])]
				want := v["result"] == "valid" && !symmetric(keys)
				if took := err == nil; took != (want != different) {
					t.Errorf("%s %v (%v): found error %v, wanted %v", name, v["tcId"], v["comment"], err, v["result"])
				}
				if err == nil {
					taken++
				}
			}
		}
		t.Logf("%s: %d vectors, %d taken", name, tried, taken)
		if tried != int(file["numberOfTests"].(float64)) {
			t.Errorf("%s: %d vectors tried of %v", name, tried, file["numberOfTests"])
		}
	}
}

// publishedKeys is the key set that a group's provider would publish; where it has
// no public keys, the secret ones, which must be of no use.
func publishedKeys(group object) []object {
	published, ok := group["public"].(map[string]interface{})
	if !ok {
		published = group["private"].(map[string]interface{})
	}
	list, ok := published["keys"].([]interface{})
	if !ok {
		return []object{published}
	}
	var keys []object
	for _, key := range list {
		keys = append(keys, key.(map[string]interface{}))
	}
	return keys
}

func verifyVector(p *Provider, raw string) error {
	shape := raw
	parts := strings.Split(raw, ".")
	if len(parts) == 3 {
		if _, err := base64url.DecodeString(parts[1]); err != nil {
			return err
		}
		shape = parts[0] + "." + base64Of([]byte("{}")) + "." + parts[2]
	}
	parsed, err := parse(shape)
	if err != nil {
		return err
	}
	parsed.signed = parts[0] + "." + parts[1]
	if err := parsed.checkHeader(algorithmNames); err != nil {
		return err
	}
	return p.verify(context.Background(), parsed)
}
