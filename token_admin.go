package latchkey

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// NewToken says what token to make.
type NewToken struct {
	Owner, Note string
	Scopes      []string
	Expires     time.Time // the zero time: never

	most int // tokens that the owner may have with it; 0: any number
}

// TokenInfo is what is told of an API token. Times are Unix seconds; 0: never.
type TokenInfo struct {
	ID       string   `json:"id"`
	Owner    string   `json:"owner"`
	Note     string   `json:"note"`
	Scopes   []string `json:"scopes"`
	Created  int64    `json:"created"`
	Expires  int64    `json:"expires,omitempty"`
	Rotated  int64    `json:"rotated,omitempty"`
	LastUsed int64    `json:"lastUsed,omitempty"`

	Delegated []DelegatedInfo `json:"delegated,omitempty"` // made from it for other services
}

func tokenInfo(t apitoken.Token) TokenInfo {
	scopes := t.Scopes
	if scopes == nil {
		scopes = []string{} // [] in JSON
	}
	return TokenInfo{ID: t.ID, Owner: t.Owner, Note: t.Note, Scopes: scopes, Created: t.Created, Expires: t.Expires, Rotated: t.Rotated}
}

var errNoAPITokens = fmt.Errorf("%w: API tokens are not accepted here: set apiTokens.file or redis", errNotFound)

// listTokens are the owner's, or everybody's, the oldest first. Beside
// cache.ErrUnreadable they are those that could be read.
func (l *Latchkey) listTokens(ctx context.Context, owner string) ([]TokenInfo, error) {
	if l.apiTokens == nil {
		return nil, errNoAPITokens
	}
	stored, unread := l.apiTokens.List(ctx, owner)
	if !legible(unread) {
		return nil, storeError(unread)
	}
	list := make([]TokenInfo, 0, len(stored))
	ids := make([]string, 0, len(stored))
	for _, t := range stored {
		list = append(list, tokenInfo(t))
		ids = append(ids, t.ID)
	}
	used, err := l.apiTokens.LastUse(ctx, ids)
	if err != nil {
		return nil, storeError(err)
	}
	parents := make([]string, len(stored))
	for i, t := range stored {
		parents[i] = revocation.Token(t.ID, t.Hash).Text()
	}
	made, err := l.listAllDelegated(ctx, parents)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].LastUsed = used[list[i].ID]
		list[i].Delegated = made[i]
	}
	if unread != nil {
		return list, storeError(unread)
	}
	return list, nil
}

// legible says whether what comes beside the error may be shown: there is no
// error, or it says that there is more.
func legible(err error) bool { return err == nil || errors.Is(err, cache.ErrUnreadable) }

// createToken makes a token, and returns the credential, which is kept nowhere.
func (l *Latchkey) createToken(ctx context.Context, n NewToken) (TokenInfo, string, error) {
	if l.apiTokens == nil {
		return TokenInfo{}, "", errNoAPITokens
	}
	now := l.now().Unix()
	t := apitoken.Token{ID: apitoken.NewID(), Owner: n.Owner, Note: n.Note, Scopes: n.Scopes, Created: now}
	if !n.Expires.IsZero() {
		t.Expires = n.Expires.Unix()
		if t.Expires <= now {
			return TokenInfo{}, "", fmt.Errorf("%w: it would have expired already", errBadRequest)
		}
		if t.Expires > endless {
			return TokenInfo{}, "", fmt.Errorf("%w: it would expire after the year 9999", errBadRequest)
		}
	}
	credential, hash := apitoken.NewSecret(t.ID)
	t.Hash = hash
	if err := t.Validate(); err != nil {
		return TokenInfo{}, "", fmt.Errorf("%w: %v", errBadRequest, err)
	}
	if err := l.apiTokens.Create(ctx, t, n.most); err != nil {
		return TokenInfo{}, "", storeError(err)
	}
	l.log.info("API token created", "token", t.ID)
	return tokenInfo(t), credential, nil
}

// maxGrace is the longest time that a rotated secret may go on.
const maxGrace = 7 * 24 * time.Hour

// rotateToken gives the token another secret. Where owner is not "" it must be
// theirs. The credential is good whenever it is not "": an error beside it says
// that other replicas learn of the rotation later.
func (l *Latchkey) rotateToken(ctx context.Context, owner, id string, grace time.Duration) (TokenInfo, string, error) {
	if l.apiTokens == nil {
		return TokenInfo{}, "", errNoAPITokens
	}
	if grace < 0 || grace > maxGrace {
		return TokenInfo{}, "", fmt.Errorf("%w: a grace of %s is not between 0 and %s", errBadRequest, grace, maxGrace)
	}
	now := l.now().Unix()
	credential := ""
	var dead []string
	t, err := l.apiTokens.Update(ctx, id, func(t apitoken.Token) (apitoken.Token, error) {
		if owner != "" && t.Owner != owner {
			return t, apitoken.ErrNotFound
		}
		if t.Expires != 0 && t.Expires <= now {
			return t, errors.New("it has expired; make another one")
		}
		next, secret, gone := t.Rotate(now, grace)
		credential = secret
		dead = gone
		return next, nil
	})
	if err != nil {
		return TokenInfo{}, "", storeError(err)
	}
	l.log.info("API token rotated", "token", id, "grace", grace.String())
	return tokenInfo(t), credential, l.killSecrets(ctx, id, dead, 0)
}

// revokeToken has the token refused, and takes it out of the store. Where owner is
// not "" it must be theirs. Where the store cannot be written, it is refused all the
// same, until it ends or this process does.
func (l *Latchkey) revokeToken(ctx context.Context, owner, id string) error {
	if l.apiTokens == nil {
		return errNoAPITokens
	}
	known, err := l.storedToken(ctx, owner, id)
	if err != nil {
		return err
	}
	told := l.killSecrets(ctx, id, known.Hashes(), 0)
	t, err := l.apiTokens.Delete(ctx, id)
	if errors.Is(err, apitoken.ErrUnavailable) {
		_ = l.killSecrets(ctx, id, known.Hashes(), known.Expires)
		l.log.warn("an API token is refused, and stays in its store", "token", id, "error", err.Error())
		return fmt.Errorf("%w: %w", errStaysStored, storeError(err))
	}
	if err != nil {
		return storeError(err)
	}
	l.log.info("API token revoked", "token", id)
	// It may have been rotated in between.
	if err := l.killSecrets(ctx, id, t.Hashes(), 0); err != nil {
		return err
	}
	return told
}

// storedToken is the owner's token of that id, or with "" anybody's. Where the
// store is away, what is remembered of it will do.
func (l *Latchkey) storedToken(ctx context.Context, owner, id string) (apitoken.Token, error) {
	t, found, err := l.apiTokens.Fresh(ctx, id)
	if err != nil {
		t, found, _ = l.apiTokens.Find(ctx, id)
	}
	if err != nil && !found {
		return t, storeError(err)
	}
	if !found || owner != "" && t.Owner != owner {
		return t, fmt.Errorf("%w: no API token %q of this owner", errNotFound, id)
	}
	return t, nil
}

// killSecrets has every replica refuse what it verified with them, for as long as
// verdicts and copies of the store may live, or until then (Unix seconds) where that
// is later.
func (l *Latchkey) killSecrets(ctx context.Context, id string, hashes []string, until int64) error {
	now := l.now()
	var entries []revocation.Entry
	for _, hash := range hashes {
		entries = append(entries, revocation.Entry{Key: revocation.Token(id, hash), At: now.UnixMilli(), Until: until, Always: true})
	}
	if len(entries) == 0 {
		return nil
	}
	if err := l.revocations.Revoke(ctx, entries); err != nil {
		return fmt.Errorf("%w: the other replicas learn of it when Redis is back: %v", errStoreAway, err)
	}
	return nil
}

// copiesLive is how long a replica may go on with what it read of the store.
func (l *Latchkey) copiesLive() time.Duration {
	if l.set.apiTokens == nil {
		return 0
	}
	if every := 2 * l.set.apiTokens.checkEvery; every > time.Hour {
		return every
	}
	return time.Hour
}
