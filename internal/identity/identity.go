// Package identity holds what every other package means by "who is asking":
// the subject, its claims, until when they stand, and how they were proven.
// It imports nothing of ours, so that everything may import it.
package identity

// Kind says which credential proved an identity.
type Kind string

// The kinds of credential.
const (
	Session Kind = "session" // a login, remembered in a sealed cookie
	Bearer  Kind = "bearer"  // a JWT access token (RFC 9068)
	Token   Kind = "token"   // an API token of our own

	Delegated Kind = "delegated" // a JWT that Latchkey made for a service
)

// Identity is a verified subject, by its claims: iss and sub say whose.
type Identity struct {
	Kind Kind

	// Claims are what a rule's plain claim names mean: a session's ID-token
	// claims merged with userinfo, a bearer token's own, or what is known of an API
	// token: sub, scope (a list), token_id.
	Claims map[string]interface{}
	// IDToken are the claims of a session's ID token; nil for the others.
	IDToken map[string]interface{}
	// AccessToken are the claims of the access token; nil where it is opaque.
	AccessToken map[string]interface{}
}
