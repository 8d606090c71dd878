package harness

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// refreshTokens is what the provider knows of them besides what the example's storage knows, which reads
// its own map without a lock where a token is revoked.
type refreshTokens struct {
	mu       sync.Mutex
	logins   map[string]string // refresh token -> sid
	lifetime time.Duration     // of access tokens; 0: as the example has it
}

// sidOf is the name of the login that a request goes back to, the same for all its tokens.
func sidOf(request op.IDTokenRequest) string {
	switch r := request.(type) {
	case *codeRequest:
		return r.ID
	case *refreshRequest:
		return r.sid
	}
	return ""
}

func (s *providerStorage) setLifetime(lifetime time.Duration) {
	s.refresh.mu.Lock()
	defer s.refresh.mu.Unlock()
	s.refresh.lifetime = lifetime
}

// forget makes the refresh token of a login one that was never issued.
func (s *providerStorage) forget(sid string) {
	s.refresh.mu.Lock()
	defer s.refresh.mu.Unlock()
	maps.DeleteFunc(s.refresh.logins, func(_, login string) bool { return login == sid })
}

func (s *providerStorage) TokenRequestByRefreshToken(ctx context.Context, token string) (op.RefreshTokenRequest, error) {
	s.refresh.mu.Lock()
	defer s.refresh.mu.Unlock()
	login, ok := s.refresh.logins[token]
	if !ok {
		return nil, errors.New("unknown refresh token")
	}
	request, err := s.Storage.TokenRequestByRefreshToken(ctx, token)
	if err != nil {
		return nil, err
	}
	found := *request.(*storage.RefreshTokenRequest).RefreshToken // a copy: the storage changes its own
	return &refreshRequest{
		RefreshTokenRequest: &storage.RefreshTokenRequest{RefreshToken: &found},
		sid:                 login,
	}, nil
}

func (s *providerStorage) CreateAccessToken(ctx context.Context, request op.TokenRequest) (string, time.Time, error) {
	s.refresh.mu.Lock()
	defer s.refresh.mu.Unlock()
	id, expiry, err := s.Storage.CreateAccessToken(ctx, plain(request))
	return id, s.refresh.expiry(expiry), err
}

func (s *providerStorage) CreateAccessAndRefreshTokens(ctx context.Context, request op.TokenRequest, current string) (string, string, time.Time, error) {
	s.refresh.mu.Lock()
	defer s.refresh.mu.Unlock()
	id, refresh, expiry, err := s.Storage.CreateAccessAndRefreshTokens(ctx, plain(request), current)
	if err != nil {
		return "", "", time.Time{}, oidc.ErrInvalidGrant().WithParent(err) // of two that come at once, one is too late
	}
	delete(s.refresh.logins, current)
	if login, ok := request.(op.IDTokenRequest); ok {
		s.refresh.logins[refresh] = sidOf(login)
	}
	return id, refresh, s.refresh.expiry(expiry), nil
}

func (r *refreshTokens) expiry(usual time.Time) time.Time {
	if r.lifetime == 0 {
		return usual
	}
	return time.Now().Add(r.lifetime)
}

func (s *providerStorage) GetRefreshTokenInfo(ctx context.Context, clientID, token string) (string, string, error) {
	s.refresh.mu.Lock()
	defer s.refresh.mu.Unlock()
	return s.Storage.GetRefreshTokenInfo(ctx, clientID, token)
}

func (s *providerStorage) RevokeToken(ctx context.Context, token, userID, clientID string) *oidc.Error {
	s.refresh.mu.Lock()
	defer s.refresh.mu.Unlock()
	return s.Storage.RevokeToken(ctx, token, userID, clientID)
}

func (s *providerStorage) TerminateSession(ctx context.Context, userID, clientID string) error {
	s.refresh.mu.Lock()
	defer s.refresh.mu.Unlock()
	return s.Storage.TerminateSession(ctx, userID, clientID)
}
