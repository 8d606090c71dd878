package oidctest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strconv"
	"strings"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// The private keys of all providers of a process: RSA keys take long to make.
var (
	makeKeys sync.Once
	rsaKeys  [2]*rsa.PrivateKey // Rotate goes from one to the other
	ecKeys   [3]*ecdsa.PrivateKey
	edKey    ed25519.PrivateKey
)

var curves = [3]elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}

// makePrivateKeys leaves a nil where it fails, which the first test tells.
func makePrivateKeys() {
	rsaKeys[0], _ = rsa.GenerateKey(rand.Reader, 2048)
	rsaKeys[1], _ = rsa.GenerateKey(rand.Reader, 2048)
	for i, curve := range curves {
		ecKeys[i], _ = ecdsa.GenerateKey(curve, rand.Reader)
	}
	_, edKey, _ = ed25519.GenerateKey(rand.Reader)
}

// Rotate replaces the RSA key, and its kid.
func (p *Provider) Rotate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rotation++
}

func (p *Provider) rsaKey() (*rsa.PrivateKey, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return rsaKeys[p.rotation%2], "rsa-" + strconv.Itoa(p.rotation+1)
}

// PublicKeys are the JWKs of the keys that Sign uses: RSA, P-256, P-384, P-521 and
// Ed25519, in this order.
func (p *Provider) PublicKeys() []map[string]interface{} {
	key, kid := p.rsaKey()
	jwks := []map[string]interface{}{{
		"kty": "RSA", "kid": kid, "use": "sig",
		"n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
	}}
	for i, curve := range curves {
		size := (curve.Params().BitSize + 7) / 8
		jwks = append(jwks, map[string]interface{}{
			"kty": "EC", "kid": ecKid(i), "use": "sig", "crv": curve.Params().Name,
			"x": encode(ecKeys[i].X.FillBytes(make([]byte, size))),
			"y": encode(ecKeys[i].Y.FillBytes(make([]byte, size))),
		})
	}
	public, _ := edKey.Public().(ed25519.PublicKey)
	return append(jwks, map[string]interface{}{
		"kty": "OKP", "kid": "ed", "use": "sig", "crv": "Ed25519", "x": encode(public),
	})
}

func ecKid(i int) string { return "ec-" + curves[i].Params().Name }

// Sign makes a JWS of any claims with the key of the header's alg, RS256 unless
// said; its kid is put in unless header has one, a nil leaves it out. none is not
// signed, and HS256 is keyed with the PEM of the public RSA key, as an attacker
// would have it.
func (p *Provider) Sign(header, claims map[string]interface{}) string {
	p.t.Helper()
	alg, _ := header["alg"].(string)
	if alg == "" {
		alg = "RS256"
	}
	_, kid := p.signer(alg)
	full := map[string]interface{}{"alg": alg, "typ": "JWT", "kid": kid}
	over(full, header)
	h, err := json.Marshal(full)
	if err != nil {
		p.t.Fatalf("sign: header: %v", err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatalf("sign: claims: %v", err)
	}
	return p.SignText(alg, string(h), string(c))
}

// SignText is Sign for a header and claims that no map holds.
func (p *Provider) SignText(alg, header, claims string) string {
	p.t.Helper()
	text := encode([]byte(header)) + "." + encode([]byte(claims))
	if strings.EqualFold(alg, "none") {
		return text + "."
	}
	method := jwt.GetSigningMethod(alg)
	if method == nil {
		p.t.Fatalf("sign: no such alg %q", alg)
	}
	key, _ := p.signer(alg)
	signature, err := method.Sign(text, key)
	if err != nil {
		p.t.Fatalf("sign: %s: %v", alg, err)
	}
	return text + "." + encode(signature)
}

func (p *Provider) signer(alg string) (key interface{}, kid string) {
	rsaKey, rsaKid := p.rsaKey()
	switch alg {
	case "ES256":
		return ecKeys[0], ecKid(0)
	case "ES384":
		return ecKeys[1], ecKid(1)
	case "ES512":
		return ecKeys[2], ecKid(2)
	case "EdDSA":
		return edKey, "ed"
	case "HS256", "HS384", "HS512":
		return publicPEM(&rsaKey.PublicKey), rsaKid
	}
	return rsaKey, rsaKid
}

func publicPEM(key *rsa.PublicKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
