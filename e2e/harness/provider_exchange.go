package harness

import (
	"context"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// ExchangeAudience is the one service that the provider gives tokens for in exchange for others (RFC 8693).
const ExchangeAudience = "query"

// ValidateTokenExchangeRequest lets every client exchange an access token. The example lets administrators alone.
func (s *providerStorage) ValidateTokenExchangeRequest(_ context.Context, request op.TokenExchangeRequest) error {
	if request.GetExchangeSubjectTokenType() != oidc.AccessTokenType || request.GetRequestedTokenType() != oidc.AccessTokenType {
		return oidc.ErrInvalidRequest().WithDescription("only access tokens are exchanged, and for access tokens")
	}
	if audiences := request.GetAudience(); !slices.Equal(audiences, []string{ExchangeAudience}) {
		return oidc.ErrInvalidTarget().WithDescription("audiences %q, want %q", audiences, ExchangeAudience)
	}
	return nil
}

// GetPrivateClaimsFromTokenExchangeRequest says besides the scope what the token was given for: the jti of another.
func (s *providerStorage) GetPrivateClaimsFromTokenExchangeRequest(_ context.Context, request op.TokenExchangeRequest) (map[string]any, error) {
	return map[string]any{
		"scope":             strings.Join(request.GetScopes(), " "),
		"subject_token_jti": request.GetExchangeSubjectTokenIDOrToken(),
	}, nil
}
