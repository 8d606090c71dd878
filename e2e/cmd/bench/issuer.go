package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// audience is that of the access tokens.
const audience = "https://api.example.com"

// quick is the algorithm that signs fastest.
const quick = jose.EdDSA

// issuer signs access tokens with a key for each algorithm, and tells the public ones.
type issuer struct {
	url     string
	public  map[jose.SignatureAlgorithm]crypto.PublicKey
	signers map[jose.SignatureAlgorithm]jose.Signer
	server  *http.Server

	alice func() (string, error)
}

func startIssuer() (*issuer, error) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	i := &issuer{public: map[jose.SignatureAlgorithm]crypto.PublicKey{}, signers: map[jose.SignatureAlgorithm]jose.Signer{}}
	for algorithm, key := range map[jose.SignatureAlgorithm]crypto.Signer{jose.RS256: rsaKey, jose.ES256: ecKey, jose.EdDSA: edKey} {
		i.public[algorithm] = key.Public()
		signing := jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: string(algorithm)}}
		if i.signers[algorithm], err = jose.NewSigner(signing, (&jose.SignerOptions{}).WithType("at+jwt")); err != nil {
			return nil, err
		}
	}
	i.alice = sync.OnceValues(func() (string, error) { return i.sign(jose.RS256, "alice") })
	return i, i.serve()
}

func (i *issuer) serve() error {
	set := jose.JSONWebKeySet{}
	for algorithm, key := range i.public {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, KeyID: string(algorithm), Algorithm: string(algorithm), Use: "sig"})
	}
	document, err := json.Marshal(set)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	i.url = "http://" + listener.Addr().String()
	i.server = &http.Server{ReadHeaderTimeout: requestTimeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(document)
	})}
	go func() { _ = i.server.Serve(listener) }()
	return nil
}

func (i *issuer) stop() { _ = i.server.Close() }

func (i *issuer) jwksURL() string { return i.url + "/keys" }

// forAlice is always the same token.
func (i *issuer) forAlice() (string, error) { return i.alice() }

// sign makes an access token (RFC 9068) of a usual size; no two are the same.
func (i *issuer) sign(algorithm jose.SignatureAlgorithm, user string) (string, error) {
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss":            i.url,
		"sub":            user,
		"aud":            audience,
		"exp":            now.Add(3 * time.Hour).Unix(),
		"iat":            now.Unix(),
		"jti":            rand.Text(),
		"client_id":      "bench",
		"scope":          "openid profile email",
		"email":          user + "@example.com",
		"email_verified": true,
		"groups":         []string{"staff", "ops"},
	})
	if err != nil {
		return "", err
	}
	signed, err := i.signers[algorithm].Sign(claims)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", algorithm, err)
	}
	return signed.CompactSerialize()
}
