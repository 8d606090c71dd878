package latchkey

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/latchkey-auth/latchkey/internal/cache"
	"github.com/latchkey-auth/latchkey/internal/oauth2"
	"github.com/latchkey-auth/latchkey/internal/oidc"
	"github.com/latchkey-auth/latchkey/internal/wait"
)

const (
	// retryRefresh is how long a session whose refresh failed is taken as it is,
	// in seconds, while its access token is good.
	retryRefresh = 2
	// refreshEnded is when tokens are refreshed that had ended as they came, in
	// seconds: not at each request.
	refreshEnded = 10
	// refreshPatience is how long a request waits for a refresh that it could do
	// without.
	refreshPatience = 3 * time.Second
)

// refreshes is when the session's tokens are due to be refreshed (Unix seconds),
// which is never before half of the access token's life; 0: never.
func (s *session) refreshes(set *settings) int64 {
	if s.RefreshToken == "" || s.AccessEnds == 0 {
		return 0
	}
	if s.Granted > 0 && s.AccessEnds <= s.Granted {
		// It had ended as it came. The next one may have, too.
		return s.Granted + refreshEnded
	}
	before := int64(set.refresh.before / time.Second)
	if half := (s.AccessEnds - s.Granted) / 2; s.Granted > 0 && before > half {
		before = half
	}
	return s.AccessEnds - before
}

// tooOld says whether the refresh token is not worth a try: providers end those
// that lie idle. A session that does not know gets one try.
func (s *session) tooOld(set *settings, now int64) bool {
	most := int64(set.refresh.maxTokenAge / time.Second)
	return most > 0 && s.Granted > 0 && now-s.Granted > most
}

// refresh returns the session with tokens that are good: the same one, or a
// changed copy. Without it a request goes on while the access token is.
func (l *Latchkey) refresh(ctx context.Context, s *session, credential string) (*session, error) {
	current, err := l.refreshOnce(ctx, s, credential)
	if err == nil && current != s {
		// What another replica had made of it may be due again.
		current, err = l.refreshOnce(ctx, current, credential)
	}
	return current, err
}

func (l *Latchkey) refreshOnce(ctx context.Context, s *session, credential string) (*session, error) {
	now := l.now().Unix()
	if at := s.refreshes(l.set); at == 0 || now < at {
		return s, nil
	}
	ended := now >= s.AccessEnds
	if s.tooOld(l.set, now) {
		if ended {
			return nil, errExpired
		}
		return s, nil
	}
	patience := l.set.refresh.timeout + leaseMargin
	if !ended && patience > refreshPatience {
		patience = refreshPatience
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	result, err := l.refreshes.CoordinateRefresh(ctx, l.refreshKey(s), func(ctx context.Context) (*granted, error) {
		result, err := l.grant(ctx, s, credential)
		return result, err
	})
	switch {
	case errors.Is(err, errGrantRefused):
		return nil, errExpired
	case err != nil && ended:
		return nil, fmt.Errorf("%w: %v", errUnavailable, err)
	case err != nil:
		return s, nil
	}
	return s.with(result), nil
}

// newest looks whether another replica has changed the session since this one
// read it.
func (l *Latchkey) newest(ctx context.Context, s *session, credential string) *session {
	if l.sessions == nil {
		return s
	}
	stored, found, err := l.sessions.reload(ctx, credential)
	if err != nil || !found || stored.ID != s.ID || stored.Granted < s.Granted {
		return s
	}
	return stored
}

// unreadable says that another replica has changed the session since, with a
// secret that is not known here. Its refresh token is likely to be spent.
func (l *Latchkey) unreadable(ctx context.Context, credential string) bool {
	if l.sessions == nil || l.sessions.tiered == nil {
		return false
	}
	_, _, err := l.sessions.reload(ctx, credential)
	return errors.Is(err, cache.ErrUnreadable)
}

// refreshKey stands for the refresh token. It is random, so a plain hash tells
// nothing, and replicas agree on it while their secrets are being rotated.
func (l *Latchkey) refreshKey(s *session) string {
	return fingerprint("refresh token", l.set.issuer, l.set.clientID, s.RefreshToken)
}

// with is the session after a grant.
func (s *session) with(result *granted) *session {
	next := *s
	if result.IDToken != "" {
		next.IDToken = result.IDToken
	}
	next.AccessToken = result.AccessToken
	next.AccessEnds = result.AccessEnds
	next.AccessIsJWT = result.AccessIsJWT
	next.RefreshToken = result.RefreshToken
	next.Granted = result.At
	if result.Scope != "" {
		next.Scope = result.Scope
	}
	return &next
}

// granted is what a session has of its last grant.
func (s *session) granted() *granted {
	return &granted{IDToken: s.IDToken, AccessToken: s.AccessToken, AccessEnds: s.AccessEnds, AccessIsJWT: s.AccessIsJWT,
		RefreshToken: s.RefreshToken, At: s.Granted, Scope: s.Scope}
}

// grant spends the refresh token, unless the store has a newer one, and keeps
// the session there up to date. It runs on its own, not in a request.
func (l *Latchkey) grant(ctx context.Context, s *session, credential string) (*granted, error) {
	stored := l.newest(ctx, s, credential)
	if stored.RefreshToken != s.RefreshToken {
		return stored.granted(), nil
	}
	if stored == s && l.unreadable(ctx, credential) {
		return nil, fmt.Errorf("%w: the session's record is %w", errGrantFailed, cache.ErrUnreadable)
	}
	result, err := l.grantAtProvider(ctx, s)
	if err == nil && l.sessions != nil {
		l.keepGranted(ctx, s.with(result), credential)
	}
	if !errors.Is(err, errGrantRefused) {
		return result, err
	}
	if stored := l.newest(ctx, s, credential); stored.RefreshToken != s.RefreshToken {
		return stored.granted(), nil
	}
	l.log.info("session ended", "session", s.tag(), "cause", err.Error())
	if failed := l.endSession(ctx, s); failed != nil {
		l.log.warn("end a session on the other replicas", "error", failed.Error())
	}
	return nil, err
}

// keepGranted writes the tokens into the session's record. The refresh token in
// the old record is spent, so a write that fails is tried again behind the
// requests, which have the result meanwhile.
func (l *Latchkey) keepGranted(ctx context.Context, s *session, credential string) {
	_, err := l.sessions.update(ctx, s, credential, l.timeLeft(s))
	if err == nil {
		return
	}
	l.log.warn("keep refreshed tokens", "session", s.tag(), "error", err.Error())
	go func() {
		defer func() {
			// A panic in a goroutine would end the whole of Traefik.
			if p := recover(); p != nil {
				l.log.warn("keep refreshed tokens", "session", s.tag(), "error", fmt.Sprint("panic: ", p))
			}
		}()
		l.keepTrying(s, credential)
	}()
}

const (
	keepEvery = 250 * time.Millisecond
	keepTries = 400
)

func (l *Latchkey) keepTrying(s *session, credential string) {
	for n := 0; n < keepTries; n++ {
		if wait.Pause(context.Background(), keepEvery) != nil {
			return
		}
		stored, found, err := l.sessions.reload(context.Background(), credential)
		if err != nil {
			continue
		}
		if !found || stored.Granted > s.Granted {
			return // ended, or refreshed again
		}
		if _, err := l.sessions.update(context.Background(), s, credential, l.timeLeft(s)); err == nil {
			return
		}
	}
	l.log.warn("refreshed tokens are lost: the session ends with its access token", "session", s.tag())
}

func (l *Latchkey) grantAtProvider(ctx context.Context, s *session) (*granted, error) {
	tokens, err := l.refreshTokens(ctx, s.RefreshToken)
	if errors.Is(err, oauth2.ErrInvalidGrant) {
		return nil, fmt.Errorf("%w: %v", errGrantRefused, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errGrantFailed, err)
	}
	return l.readGrant(ctx, s, tokens)
}

// readGrant takes over what the provider sent. The old refresh token is spent
// by now, so nothing is given up that could be kept.
func (l *Latchkey) readGrant(ctx context.Context, s *session, tokens *oauth2.Tokens) (*granted, error) {
	now := l.now().Unix()
	result := &granted{AccessToken: tokens.AccessToken, RefreshToken: tokens.RefreshToken, At: now, Scope: tokens.Scope}
	result.AccessEnds = accessEnds(now, tokens)
	if result.RefreshToken == "" {
		result.RefreshToken = s.RefreshToken
	}
	old, err := oidc.Unverified(s.IDToken)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errGrantRefused, err)
	}
	result.AccessIsJWT = l.isJWTOf(tokens.AccessToken, text(old["sub"]))
	if tokens.IDToken == "" {
		return result, nil
	}
	if err := ofAnother(tokens.IDToken, old); err != nil {
		return nil, err
	}
	claims, err := l.provider.VerifyIDToken(ctx, tokens.IDToken, oidc.IDToken{ClientID: l.set.clientID, AccessToken: tokens.AccessToken})
	if err == nil {
		err = s.checkSameLogin(claims)
	}
	if err != nil {
		l.log.warn("a refreshed ID token is not taken; the claims of the old one stay", "session", s.tag(), "error", err.Error())
		return result, nil
	}
	result.IDToken = tokens.IDToken
	return result, nil
}

// ofAnother refuses a grant whose ID token says that it is of another person, or
// of another provider (OpenID Connect Core, section 12.2): whatever else came
// with it is theirs. It is asked before the ID token is proven: what is not the
// session's is not taken, whoever says so.
//
// An ID token that cannot be proven, whose time is wrong by this clock, or whose
// hash does not fit, is another matter. It proves nothing, so it is left out, as if
// the provider had sent none, which it may. The tokens beside it are the
// session's: they came over TLS, from the token endpoint, for a refresh token
// that nobody else has. To end the session would make a logout of a key rotation
// or of two clocks.
func ofAnother(idToken string, old map[string]interface{}) error {
	claims, err := oidc.Unverified(idToken)
	if err != nil {
		return nil
	}
	for _, name := range []string{"iss", "sub"} {
		if found := text(claims[name]); found != text(old[name]) {
			return fmt.Errorf("%w: the new ID token is of another %s", errGrantRefused, name)
		}
	}
	return nil
}

// checkSameLogin wants auth_time, if it is said again, to be that of the login
// (OpenID Connect Core, section 12.2): else the ID token is of another one.
func (s *session) checkSameLogin(claims map[string]interface{}) error {
	at, said := claims["auth_time"]
	if !said || s.AuthTime == 0 || unix(at) == s.AuthTime {
		return nil
	}
	return errors.New("its auth_time is of another login")
}
