package oidc

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const maxToken = 16 << 10

// Strict: otherwise the last character of a part has several spellings.
var base64url = base64.RawURLEncoding.Strict()

// token is a JWS in compact form (RFC 7515, 3.1) whose shape is sound and whose
// signature has not been looked at.
type token struct {
	header    map[string]interface{} // never changed: tokens share it
	newHeader string                 // the header as it was encoded, if it was not known
	claims    map[string]interface{}
	texts     tokenTexts
	// fromProvider says that the token endpoint sent it, and not a client.
	fromProvider bool
	came         time.Time
	signed       string // JWS Signing Input
	signature    []byte
	alg          string
	kid          string
}

// tokenTexts are the JSON that header and claims were decoded from; nil for a
// header that was known.
type tokenTexts struct{ header, claims []byte }

// refuse says what of a token was found to be other than wanted.
func refuse(what, found, wanted string) error {
	return fmt.Errorf("%s: found %s, wanted %s: %w", what, found, wanted, ErrToken)
}

// lineEnds are what the decoder skips, even the strict one.
const lineEnds = "\r\n"

// parse does the cheap checks, in the order of what they cost.
func parse(raw string) (*token, error) {
	if len(raw) > maxToken || strings.Count(raw, ".") != 2 || strings.ContainsAny(raw, lineEnds) {
		return nil, refuseShape(raw)
	}
	parts := strings.SplitN(raw, ".", 3)
	signature, err := base64url.DecodeString(parts[2])
	if err != nil || len(signature) == 0 {
		return nil, refuse("signature", "none or another encoding", "base64url")
	}
	t := &token{header: knownHeaders.get(parts[0]), signed: raw[:len(raw)-len(parts[2])-1], signature: signature}
	if t.header == nil {
		t.newHeader = parts[0]
		t.header, t.texts.header, err = decodePart("header", parts[0])
		if err != nil {
			return nil, err
		}
	}
	t.claims, t.texts.claims, err = decodePart("claims", parts[1])
	if err != nil {
		return nil, err
	}
	return t, nil
}

// refuseShape says what is wrong with one that is no JWS. Five parts would be a
// JWE (RFC 7516), which nobody here could open.
func refuseShape(raw string) error {
	if len(raw) > maxToken {
		return refuse("token", strconv.Itoa(len(raw))+" bytes", "at most "+strconv.Itoa(maxToken))
	}
	if n := strings.Count(raw, ".") + 1; n != 3 {
		return refuse("token", strconv.Itoa(n)+" parts", "3")
	}
	return refuse("token", "a line break", "base64url")
}

func decodePart(name, part string) (map[string]interface{}, []byte, error) {
	data, err := base64url.DecodeString(part)
	if err != nil {
		return nil, nil, refuse(name, "another encoding", "base64url")
	}
	object, err := decodeObject(data, maxBrackets)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w: %w", name, err, ErrToken)
	}
	if len(object) > maxMembers {
		return nil, nil, refuse(name, strconv.Itoa(len(object))+" members", "at most "+strconv.Itoa(maxMembers))
	}
	return object, data, nil
}

// unique is looked at after the signature: only what the issuer has signed is
// worth writing again.
func (t *token) unique() error {
	if t.newHeader != "" {
		if err := unique(t.texts.header, t.header); err != nil {
			return fmt.Errorf("header: %w: %w", err, ErrToken)
		}
	}
	if err := unique(t.texts.claims, t.claims); err != nil {
		return fmt.Errorf("claims: %w: %w", err, ErrToken)
	}
	return nil
}

// header parameters that make a token one we do not take (RFC 8725, 3.10): a key
// it brings along, an extension that we would have to understand (RFC 7515,
// 4.1.11), a payload that is not encoded (RFC 7797).
var refusedParameters = []string{"jku", "jwk", "x5u", "crit", "b64"}

// checkHeader reads alg and kid. The accepted algs never hold one without a
// line in algorithms, whatever an operator wrote.
func (t *token) checkHeader(accepted []string) error {
	for _, name := range refusedParameters {
		if _, present := t.header[name]; present {
			return refuse("header: "+name, "a value", "no such parameter")
		}
	}
	t.alg = stringOf(t.header["alg"])
	if _, ok := algorithms[t.alg]; !ok || !contains(accepted, t.alg) {
		return refuse("header: alg", show(t.header["alg"]), fmt.Sprintf("one of %q", accepted))
	}
	kid, present := t.header["kid"]
	if _, ok := kid.(string); present && !ok {
		return refuse("header: kid", show(kid), "a string")
	}
	t.kid = stringOf(kid)
	return nil
}

// mediaType returns typ in lower case, without the "application/" that may be
// left out (RFC 7515, 4.1.9). No typ is "".
func (t *token) mediaType() (string, error) {
	v, present := t.header["typ"]
	s, ok := v.(string)
	if present && !ok {
		return "", refuse("header: typ", show(v), "a string")
	}
	return shortType(s), nil
}

func shortType(typ string) string {
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}

// verify is the last step, and the only dear one.
func (p *Provider) verify(ctx context.Context, t *token) error {
	t.came = p.now()
	key, err := p.key(ctx, t)
	if err != nil {
		return err
	}
	if !t.signedBy(key) {
		err = p.verifyAnew(ctx, t, key)
		if err != nil {
			return err
		}
	}
	if err = t.unique(); err != nil {
		return err
	}
	if t.newHeader != "" {
		knownHeaders.learn(t.newHeader, t.header)
	}
	return nil
}

func (t *token) signedBy(key interface{}) bool {
	return algorithms[t.alg].jws.Verify(t.signed, t.signature, key) == nil
}

func (t *token) refuseSignature() error {
	return refuse("signature", "another", "that of key "+quote(t.kid)+" by "+t.alg)
}

// Unverified returns the claims of a token that was verified before, by us, and
// has been in our keeping since.
func Unverified(raw string) (map[string]interface{}, error) {
	t, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if err = t.unique(); err != nil {
		return nil, err
	}
	return t.claims, nil
}
