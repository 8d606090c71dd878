package delegation

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
)

const (
	// info keeps this key apart from all others of the same secret (RFC 5869, 3.2).
	info = "delegated token signing key"
	// material is how many bytes are reduced to a private key: 128 bits more than the
	// order has, where 64 are asked for, so that the remainder has no bias to be seen.
	material = 48
	size     = 32 // of a coordinate and a private key
)

// signingKey is a P-256 key and how it is published. Coordinates are base64url
// (RFC 7518, 6.2.1).
type signingKey struct {
	private *ecdsa.PrivateKey
	x, y    string
	kid     string
}

// newSigningKey derives the key of a secret, always the same one (FIPS 186-5,
// A.2.1, with HKDF in place of the random bits):
//
//  1. c = 384 bits of HKDF-SHA256
//  2. d = c mod (n-1) + 1
//  3. Q = dG
func newSigningKey(secret string) (*signingKey, error) {
	one := big.NewInt(1)
	c := new(big.Int).SetBytes(derive(secret, info))
	d := c.Mod(c, new(big.Int).Sub(elliptic.P256().Params().N, one))
	d.Add(d, one)
	// crypto/ecdh computes the point in constant time.
	private, err := ecdh.P256().NewPrivateKey(d.FillBytes(make([]byte, size)))
	if err != nil {
		return nil, fmt.Errorf("derive signing key: %w", err)
	}
	point := private.PublicKey().Bytes() // 4 | x | y, both of full length (SEC 1, 2.3.3)
	x := point[1 : 1+size]
	y := point[1+size:]
	k := &signingKey{x: base64.RawURLEncoding.EncodeToString(x), y: base64.RawURLEncoding.EncodeToString(y)}
	k.kid = thumbprint(k.x, k.y)
	k.private = &ecdsa.PrivateKey{D: d}
	k.private.Curve = elliptic.P256()
	k.private.X = new(big.Int).SetBytes(x)
	k.private.Y = new(big.Int).SetBytes(y)
	return k, nil
}

// derive is HKDF-SHA256 (RFC 5869) with an empty salt, for two blocks of 32 bytes,
// of which material are taken; crypto/hkdf is newer than the interpreter.
func derive(secret, info string) []byte {
	extract := hmac.New(sha256.New, make([]byte, sha256.Size))
	extract.Write([]byte(secret))
	key := extract.Sum(nil)
	first := expand(key, nil, info, 1)
	second := expand(key, first, info, 2)
	return append(first, second...)[:material]
}

func expand(key, before []byte, info string, block byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(before)
	mac.Write([]byte(info))
	mac.Write([]byte{block})
	return mac.Sum(nil)
}

// thumbprint is the kid: it follows from the key, so that replicas agree on it
// (RFC 7638, 3.2: the required members, in this order, without a space).
func thumbprint(x, y string) string {
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// jwk is the public part, which is all that anybody is given (RFC 7517, 4).
func (k *signingKey) jwk() map[string]interface{} {
	return map[string]interface{}{
		"kty": "EC", "crv": "P-256", "x": k.x, "y": k.y,
		"kid": k.kid, "alg": "ES256", "use": "sig",
	}
}
