// Package delegation makes tokens for the services behind: narrower than the
// credential that came in, which they never see.
//
//	delegation.go  Parent, Request: who asks for what
//	rules.go       what a token may then say, how long, and when one serves again
//	sign.go        Signer: an RFC 9068 access token, and the keys to check it with
//	key.go         a signing key out of a secret (FIPS 186-5, A.2.1)
//
// A Parent stands for a session, an API token, a bearer token, or a token that was
// itself made here. A Request says what a router wants for its service:
//
//	internal  for one service, the scopes asked for as far as the parent has them
//	notebook  for code that acts as the person does: all that the parent may, no service
//
// The rules do no I/O and read no clock. A token never may more than its parent,
// is for nobody that its parent is not for, unless a router names that service, and
// never outlives it. One that was made for a request of the same Key serves
// again until ReusableUntil.
//
// Every replica derives the same keys from the secrets, so each signs what all
// verify, and none has to hand a key to another.
package delegation

import (
	"errors"
	"time"
)

// ErrDepth says that a token was handed on from service to service too often.
var ErrDepth = errors.New("delegated too often")

// The kinds of delegated tokens.
const (
	Internal = "internal"
	Notebook = "notebook"
)

// Parent is the credential that a token is made from.
type Parent struct {
	ID      string // stands for the session or the token (jti)
	Subject string
	Scopes  []string
	// Expires is in Unix seconds. Where there is no end it is a moment far away
	// that is always the same one, since it is part of Key.
	Expires  int64
	Audience string                 // of a delegated token: the service that now acts; "": a person or program itself
	Act      map[string]interface{} // its act claim (RFC 8693, 4.1); nil: none

	Issuer    string                 // of Subject, which is a name within it; "": not known
	Audiences []string               // whom the credential is for; nil: everybody who accepts its kind
	Lineage   map[string]interface{} // where it comes from, and by what it is revoked
}

// Request is what a router asks for.
type Request struct {
	Kind     string        // Internal or Notebook
	Service  string        // Internal: whom the token is for
	Scopes   []string      // Internal: asked for; those that the parent lacks are left out
	Lifetime time.Duration // at most; parts of a second do not count
	Minimum  time.Duration // a token that ends sooner is of no use; 0: any will do
}
