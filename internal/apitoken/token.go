package apitoken

import (
	"crypto/subtle"
	"time"
)

// Token is what is kept of a token. Times are Unix seconds. Nobody changes the
// Scopes of one that a Store handed out.
type Token struct {
	ID      string   `json:"id,omitempty"` // in the shadow file the map's key says it
	Hash    string   `json:"hash"`         // of the secret
	Owner   string   `json:"owner"`        // subject
	Scopes  []string `json:"scopes,omitempty"`
	Note    string   `json:"note,omitempty"`
	Created int64    `json:"created"`
	Expires int64    `json:"expires,omitempty"` // 0: never
	Rotated int64    `json:"rotated,omitempty"` // 0: never

	PreviousHash  string `json:"previousHash,omitempty"`  // of the secret before the last rotation
	PreviousUntil int64  `json:"previousUntil,omitempty"` // which is good until then
}

// Accepts says whether a secret of that hash opens the token now, and until when
// it does (0: without an end). Both secrets are compared always, each in constant
// time.
func (t Token) Accepts(hash string, now int64) (until int64, ok bool) {
	current := equal(hash, t.Hash)
	previous := equal(hash, t.PreviousHash)
	if t.Expires != 0 && now >= t.Expires {
		return 0, false
	}
	if current {
		return t.Expires, true
	}
	if previous && now < t.PreviousUntil {
		return earlier(t.PreviousUntil, t.Expires), true
	}
	return 0, false
}

// equal is false for the hash of nothing, which a token without a previous
// secret has.
func equal(hash, kept string) bool {
	return kept != "" && subtle.ConstantTimeCompare([]byte(hash), []byte(kept)) == 1
}

// earlier is the earlier of an end and another that may be 0, which is none.
func earlier(end, other int64) int64 {
	if other != 0 && other < end {
		return other
	}
	return end
}

// Rotate gives the token another secret, whose credential it returns. The one
// that it had stays good for grace, though never longer than the token; with no
// grace it is dead at once, and so is in any case the one before it. dead are
// their hashes.
func (t Token) Rotate(now int64, grace time.Duration) (next Token, credential string, dead []string) {
	credential, hash := NewSecret(t.ID)
	next = t
	next.Hash = hash
	next.Rotated = now
	next.PreviousHash = ""
	next.PreviousUntil = 0
	if t.PreviousHash != "" {
		dead = append(dead, t.PreviousHash)
	}
	// A part of a second counts as a whole one.
	until := earlier(now+int64((grace+time.Second-1)/time.Second), t.Expires)
	if grace <= 0 || until <= now {
		dead = append(dead, t.Hash)
		return next, credential, dead
	}
	next.PreviousHash = t.Hash
	next.PreviousUntil = until
	return next, credential, dead
}

// Hashes are those of the secrets that may still open the token.
func (t Token) Hashes() []string {
	if t.PreviousHash == "" {
		return []string{t.Hash}
	}
	return []string{t.Hash, t.PreviousHash}
}

// same says whether nothing of the token has changed but its place.
func (t Token) same(other Token) bool {
	return t.Hash == other.Hash && t.Owner == other.Owner && t.Note == other.Note &&
		t.Created == other.Created && t.Expires == other.Expires && t.Rotated == other.Rotated &&
		t.PreviousHash == other.PreviousHash && t.PreviousUntil == other.PreviousUntil &&
		sameTexts(t.Scopes, other.Scopes)
}

func sameTexts(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
