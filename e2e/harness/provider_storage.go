package harness

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"
)

// groupsOf says who is a user and what the claim groups says of that user. The names are the subjects.
// Besides alice and bob there are as many as anybody needs, whose names begin with user-.
func groupsOf(user string) []string {
	switch {
	case user == "alice":
		return []string{"staff", "ops"}
	case user == "bob" || strings.HasPrefix(user, "user-"):
		return []string{"staff"}
	}
	return nil
}

// users implements storage.UserStore.
type users struct{}

func (users) GetUserByID(id string) *storage.User {
	if groupsOf(id) == nil {
		return nil
	}
	return &storage.User{
		ID:                id,
		Username:          id,
		Password:          Password,
		FirstName:         id,
		LastName:          "Example",
		Email:             id + "@example.com",
		EmailVerified:     true,
		PreferredLanguage: language.English,
	}
}

func (u users) GetUserByUsername(name string) *storage.User { return u.GetUserByID(name) }

func (users) ExampleClientID() string { return storage.ServiceUserID }

// providerStorage is the example's storage, with a claim groups in every kind of token, a claim sid in ID tokens,
// JWTs for access tokens, and an audience of their own in them. Refresh tokens are good for one grant each.
type providerStorage struct {
	*storage.Storage

	mu           sync.Mutex
	redirectURIs []string

	refresh refreshTokens
}

func newProviderStorage() *providerStorage {
	clients := map[string]*storage.Client{
		ClientID:    storage.WebClient(ClientID, ClientSecret),
		cliClientID: storage.NativeClient(cliClientID, cliRedirectURI),
	}
	s := &providerStorage{Storage: storage.NewStorageWithClients(users{}, clients)}
	s.refresh.logins = map[string]string{}
	return s
}

func (s *providerStorage) allow(redirectURIs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redirectURIs = append(s.redirectURIs, redirectURIs...)
}

// client is a registered client as this provider treats it.
type client struct {
	op.Client
	redirectURIs []string
}

func (c client) AccessTokenType() op.AccessTokenType  { return op.AccessTokenTypeJWT }
func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }
func (c client) RedirectURIs() []string               { return c.redirectURIs }

func (c client) PostLogoutRedirectURIs() []string {
	var uris []string
	for _, uri := range c.redirectURIs {
		uris = append(uris, strings.TrimSuffix(uri, "callback")+"logout")
	}
	return uris
}

func (s *providerStorage) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	registered, err := s.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	if id != ClientID {
		return client{registered, registered.RedirectURIs()}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return client{registered, slices.Clone(s.redirectURIs)}, nil
}

func (s *providerStorage) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, request op.IDTokenRequest, scopes []string) error {
	info.AppendClaims("groups", groupsOf(request.GetSubject()))
	info.AppendClaims("sid", sidOf(request))
	return s.Storage.SetUserinfoFromRequest(ctx, info, request, scopes)
}

func (s *providerStorage) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, id, subject, origin string) error {
	info.AppendClaims("groups", groupsOf(subject))
	return s.Storage.SetUserinfoFromToken(ctx, info, id, subject, origin)
}

// apiRequest asks for an access token for the API and an ID token for the client. The library takes both audiences
// from the same method: first for the access token, then, once it has asked for that token's private claims, for the ID token.
type apiRequest struct{ accessTokenDone bool }

func (a *apiRequest) audience(client []string) []string {
	if a.accessTokenDone {
		return client
	}
	return []string{APIAudience}
}

type codeRequest struct {
	*storage.AuthRequest
	apiRequest
}

func (r *codeRequest) GetAudience() []string { return r.audience(r.AuthRequest.GetAudience()) }

type refreshRequest struct {
	*storage.RefreshTokenRequest
	apiRequest
	sid string
}

func (r *refreshRequest) GetAudience() []string {
	return r.audience(r.RefreshTokenRequest.GetAudience())
}

func (s *providerStorage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	request, err := s.Storage.AuthRequestByCode(ctx, code)
	if err != nil {
		return nil, err
	}
	return &codeRequest{AuthRequest: request.(*storage.AuthRequest)}, nil
}

func (s *providerStorage) GetPrivateClaimsFromRequest(_ context.Context, request op.TokenRequest, _ []string) (map[string]any, error) {
	switch r := request.(type) {
	case *codeRequest:
		r.accessTokenDone = true
	case *refreshRequest:
		r.accessTokenDone = true
	}
	user := request.GetSubject()
	return map[string]any{"groups": groupsOf(user), "email": user + "@example.com", "email_verified": true}, nil
}

// plain is the request as the example's storage knows it.
func plain(request op.TokenRequest) op.TokenRequest {
	switch r := request.(type) {
	case *codeRequest:
		return r.AuthRequest
	case *refreshRequest:
		return r.RefreshTokenRequest
	}
	return request
}
