package latchkey

import (
	"context"
	"net/http"
	"time"
)

// The reasons that an Admin's errors wrap, where they are not bad input.
var (
	// ErrNotFound says that there is no such token or session, or no place for any.
	ErrNotFound = errNotFound
	// ErrStoreAway says that Redis, or the shadow file, cannot be read or written,
	// or that the other replicas learn of a change later.
	ErrStoreAway = errStoreAway
)

// Admin does for an operator what the account page does for a person: it is how
// the command latchkey works on the same stores as the middlewares.
type Admin struct{ l *Latchkey }

// NewAdmin checks the settings as New does, and opens no connection. What it
// holds is released when ctx ends.
func NewAdmin(ctx context.Context, config *Config, name string) (*Admin, error) {
	made, err := newLatchkey(ctx, http.NotFoundHandler(), config, name, time.Now)
	if err != nil {
		return nil, err
	}
	return &Admin{l: made}, nil
}

// Tokens are the owner's API tokens, or everybody's where owner is "". Beside an
// error they are those that could be read: others are sealed with a secret that
// the settings do not have.
func (a *Admin) Tokens(ctx context.Context, owner string) ([]TokenInfo, error) {
	return a.l.listTokens(ctx, owner)
}

// CreateToken makes an API token and returns the credential, which is not kept.
func (a *Admin) CreateToken(ctx context.Context, n NewToken) (TokenInfo, string, error) {
	return a.l.createToken(ctx, n)
}

// RotateToken gives a token another secret; the old one goes on for grace, at
// most 7 days, with 0 not at all. The credential is good whenever it is not "",
// also beside an error.
func (a *Admin) RotateToken(ctx context.Context, id string, grace time.Duration) (TokenInfo, string, error) {
	return a.l.rotateToken(ctx, "", id, grace)
}

// RevokeToken deletes a token.
func (a *Admin) RevokeToken(ctx context.Context, id string) error {
	return a.l.revokeToken(ctx, "", id)
}

// Sessions are those of the provider's subject. Beside an error some are told by
// id and end only: they are sealed with a secret that the settings do not have.
func (a *Admin) Sessions(ctx context.Context, user string) ([]SessionInfo, error) {
	return a.l.listSessions(ctx, user)
}

// EndSession ends one of the user's.
func (a *Admin) EndSession(ctx context.Context, user, id string) error {
	return a.l.endSessionOf(ctx, user, id)
}

// EndSessions ends all of the user's but one, and returns how many.
func (a *Admin) EndSessions(ctx context.Context, user, except string) (int, error) {
	return a.l.endSessionsOf(ctx, user, except)
}

// EndUser ends all of a user's sessions, refuses the access tokens issued to them
// so far, and deletes their API tokens. It returns how many it knew of.
func (a *Admin) EndUser(ctx context.Context, user string) (sessions, tokens int, err error) {
	return a.l.endUser(ctx, user)
}
