package oidc

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for algorithms
	_ "crypto/sha512"
	"errors"
	"fmt"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// algorithm binds a JWS alg to one kind of key (RFC 8725, 3.1).
type algorithm struct {
	kty  string
	crv  string
	hash crypto.Hash // of the signature, and so of at_hash and c_hash
	jws  jwt.SigningMethod
}

// algorithms are all there are here: none and the HMACs have no line.
var algorithms = map[string]algorithm{
	"RS256": {"RSA", "", crypto.SHA256, jwt.SigningMethodRS256},
	"RS384": {"RSA", "", crypto.SHA384, jwt.SigningMethodRS384},
	"RS512": {"RSA", "", crypto.SHA512, jwt.SigningMethodRS512},
	"PS256": {"RSA", "", crypto.SHA256, jwt.SigningMethodPS256},
	"PS384": {"RSA", "", crypto.SHA384, jwt.SigningMethodPS384},
	"PS512": {"RSA", "", crypto.SHA512, jwt.SigningMethodPS512},
	"ES256": {"EC", "P-256", crypto.SHA256, jwt.SigningMethodES256},
	"ES384": {"EC", "P-384", crypto.SHA384, jwt.SigningMethodES384},
	"ES512": {"EC", "P-521", crypto.SHA512, jwt.SigningMethodES512},
	"EdDSA": {"OKP", "Ed25519", crypto.SHA512, jwt.SigningMethodEdDSA},
}

var algorithmNames = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

const (
	minRSABits = 2048
	maxRSABits = 16384 // bounds what one verification costs
)

// publicKey is a JWK that may verify signatures (RFC 7517, 4).
type publicKey struct {
	kid string
	alg string // "": any that fits kty and crv
	kty string
	crv string
	key interface{} // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// fits says whether the key may verify a token of that alg.
func (k *publicKey) fits(alg string) bool {
	a, ok := algorithms[alg]
	return ok && a.kty == k.kty && a.crv == k.crv && (k.alg == "" || k.alg == alg)
}

func parseJWK(v interface{}) (*publicKey, error) {
	jwk, ok := v.(map[string]interface{})
	if !ok {
		return nil, errors.New("key is not an object")
	}
	k := &publicKey{}
	var use string
	for _, m := range []struct {
		name string
		to   *string
	}{{"kid", &k.kid}, {"kty", &k.kty}, {"alg", &k.alg}, {"crv", &k.crv}, {"use", &use}} {
		if v, present := jwk[m.name]; present {
			s, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("%s is not a string", m.name)
			}
			*m.to = s
		}
	}
	if use != "" && use != "sig" {
		return nil, fmt.Errorf("use: found %s, wanted sig", quote(use))
	}
	if ops, present := jwk["key_ops"]; present && !contains(stringsOf(ops), "verify") {
		return nil, errors.New("key_ops is without verify")
	}
	// Two variables: Yaegi loses the error of a *T returned as an interface.
	key, err := k.material(jwk)
	if err != nil {
		return nil, err
	}
	k.key = key
	return k, nil
}

func (k *publicKey) material(jwk map[string]interface{}) (interface{}, error) {
	switch k.kty {
	case "RSA":
		k.crv = ""
		key, err := rsaKey(jwk)
		if err != nil {
			return nil, err
		}
		return key, nil
	case "EC":
		key, err := ecKey(k.crv, jwk)
		if err != nil {
			return nil, err
		}
		return key, nil
	case "OKP":
		key, err := edKey(k.crv, jwk)
		if err != nil {
			return nil, err
		}
		return key, nil
	}
	return nil, fmt.Errorf("kty: found %s, wanted RSA, EC or OKP", quote(k.kty))
}

// rsaKey reads RFC 7518, 6.3.1.
func rsaKey(jwk map[string]interface{}) (*rsa.PublicKey, error) {
	n, err := octets(jwk, "n")
	if err != nil {
		return nil, err
	}
	e, err := octets(jwk, "e")
	if err != nil {
		return nil, err
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if bits := modulus.BitLen(); bits < minRSABits || bits > maxRSABits || modulus.Bit(0) == 0 {
		return nil, fmt.Errorf("n: found %d bits, wanted an odd number of %d to %d", bits, minRSABits, maxRSABits)
	}
	if exponent.BitLen() > 31 || exponent.Int64() < 3 || exponent.Bit(0) == 0 {
		return nil, errors.New("e is not an odd number of 3 to 2^31-1")
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, nil
}

// curves has each curve twice: to verify with, and to check points against.
var curves = map[string]struct {
	curve elliptic.Curve
	check ecdh.Curve
}{
	"P-256": {elliptic.P256(), ecdh.P256()},
	"P-384": {elliptic.P384(), ecdh.P384()},
	"P-521": {elliptic.P521(), ecdh.P521()},
}

// ecKey reads RFC 7518, 6.2.1.
func ecKey(crv string, jwk map[string]interface{}) (*ecdsa.PublicKey, error) {
	c, ok := curves[crv]
	if !ok {
		return nil, fmt.Errorf("crv: found %s, wanted P-256, P-384 or P-521", quote(crv))
	}
	x, err := octets(jwk, "x")
	if err != nil {
		return nil, err
	}
	y, err := octets(jwk, "y")
	if err != nil {
		return nil, err
	}
	if size := (c.curve.Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
		return nil, fmt.Errorf("x, y: found %d and %d bytes, wanted %d", len(x), len(y), size)
	}
	// crypto/ecdh refuses a point that is not on the curve (RFC 8725, 3.4).
	point := append(append([]byte{4}, x...), y...)
	if _, err = c.check.NewPublicKey(point); err != nil {
		return nil, errors.New("x, y is not a point of the curve")
	}
	return &ecdsa.PublicKey{Curve: c.curve, X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y)}, nil
}

// edKey reads RFC 8037, 2.
func edKey(crv string, jwk map[string]interface{}) (ed25519.PublicKey, error) {
	if crv != "Ed25519" {
		return nil, fmt.Errorf("crv: found %s, wanted Ed25519", quote(crv))
	}
	x, err := octets(jwk, "x")
	if err != nil {
		return nil, err
	}
	if len(x) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("x: found %d bytes, wanted %d", len(x), ed25519.PublicKeySize)
	}
	return ed25519.PublicKey(x), nil
}

func octets(jwk map[string]interface{}, name string) ([]byte, error) {
	b, err := base64url.DecodeString(stringOf(jwk[name]))
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("%s is not base64url", name)
	}
	return b, nil
}
