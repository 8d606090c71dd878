package latchkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/claims"
	"github.com/latchkey-auth/latchkey/internal/delegation"
	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/oauth2"
)

// delegate adds the token for the service behind to what the router forwards. It
// is ready in the view until half of its life is over; then there is another one,
// made once, whatever the number of requests and replicas.
func (l *Latchkey) delegate(ctx context.Context, v *verified, made *view) (*view, error) {
	if l.set.delegate == nil {
		return made, nil
	}
	// Another one too once another secret signs: the one of before may be dropped.
	name := made.of + " delegated " + strconv.FormatInt(l.set.keys.turns.Load(), 10)
	if child := v.childOf(name, l.now()); child != nil {
		return child, nil
	}
	who, err := v.identity.Unpack()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errInternal, err)
	}
	token, err := l.delegatedToken(ctx, v, l.parentOf(v, who))
	if err != nil {
		return nil, err
	}
	child := l.childView(made, token)
	child.of = name
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keepChild(child)
	return child, nil
}

// childOf is the view of that name whose token still serves, or nil.
func (v *verified) childOf(name string, now time.Time) *view {
	v.mu.Lock()
	defer v.mu.Unlock()
	if child := v.viewOf(name); child != nil && now.Before(child.until) {
		return child
	}
	return nil
}

// keepChild puts it in front of the others, in place of the one before. It is
// called with mu held.
func (v *verified) keepChild(child *view) {
	child.next = v.views
	v.views = child
	for before := child; before.next != nil; before = before.next {
		if before.next.of == child.of {
			before.next = before.next.next
			return
		}
	}
}

func (l *Latchkey) childView(made *view, token *granted) *view {
	d := l.set.delegate
	value := token.AccessToken
	if d.header == "Authorization" {
		value = "Bearer " + value
	}
	child := &view{until: made.until, bearer: made.bearer}
	child.fields = append(append([]field{}, made.fields...), field{d.header, []string{value}})
	if until := time.Unix(token.servesUntil(d.request.Minimum), 0); until.Before(child.until) {
		child.until = until
	}
	return child
}

// servesUntil is when another token has to be made (Unix seconds).
func (g *granted) servesUntil(minimum time.Duration) int64 {
	return delegation.ReusableUntil(g.At, g.AccessEnds, minimum)
}

// parentOf is the credential that a token is made from.
func (l *Latchkey) parentOf(v *verified, who *identity.Identity) delegation.Parent {
	p := delegation.Parent{ID: v.keys[0].Text(), Subject: text(who.Claims["sub"]), Issuer: l.set.issuer, Expires: v.ends, Scopes: scopesOf(who.Claims)}
	p.Lineage = v.lineage(who, l.set.delegate.request.Kind)
	switch v.identity.Kind {
	case identity.Session:
		p.Scopes = strings.Fields(v.scope())
		if l.set.apiTokens != nil {
			p.Scopes = append(p.Scopes, l.set.apiTokens.givable(who)...)
		}
	case identity.Bearer:
		// There need be no jti; what says the same is the same token.
		p.ID = fingerprint("bearer", v.identity.Claims)
		p.Issuer = text(who.Claims["iss"])
		p.Audiences = audiencesOf(who.Claims)
	case identity.Token:
		if p.Issuer == "" {
			p.Issuer = l.set.delegateIssuer // an owner whom no provider knows
		}
	case identity.Delegated:
		l.fillDelegated(&p, who.Claims)
	}
	return p
}

// fillDelegated takes over what a token of our own says of its parents.
func (l *Latchkey) fillDelegated(p *delegation.Parent, claims map[string]interface{}) {
	p.ID = text(claims["jti"])
	p.Issuer = subjectIssuer(claims)
	act, _ := claims["act"].(map[string]interface{})
	p.Act = act
	everybody := contains(audiencesOf(claims), l.set.delegateIssuer)
	if !everybody || p.Lineage[root] == string(identity.Bearer) {
		p.Audiences = audiencesOf(claims)
	}
	// A notebook's: nobody in between has a name.
	if !everybody && lineageIn(claims)[notebook] != true {
		p.Audience = text(claims["aud"])
	}
}

// scopesOf are those of a token, in whatever form it has them.
func scopesOf(who map[string]interface{}) []string {
	claim := who["scope"]
	if claim == nil {
		claim = who["scp"]
	}
	var scopes []string
	list, _ := claims.Scopes(claim).([]interface{})
	for _, scope := range list {
		if name := text(scope); name != "" {
			scopes = append(scopes, name)
		}
	}
	return scopes
}

// delegatedToken is one from memory, from Redis, or a new one.
func (l *Latchkey) delegatedToken(ctx context.Context, v *verified, p delegation.Parent) (*granted, error) {
	d := l.set.delegate
	if _, ok := d.request.Expires(p, l.now().Unix()); !ok {
		return nil, tooShort(v)
	}
	create, err := l.makerOf(v, p)
	if err != nil {
		return nil, err
	}
	patience, cancel := context.WithTimeout(ctx, l.set.refresh.timeout+leaseMargin)
	defer cancel()
	token, err := l.delegations.CoordinateRefresh(patience, l.delegationKey(p), func(ctx context.Context) (*granted, error) {
		token, err := create(ctx)
		return token, err
	})
	switch {
	case err != nil && !d.exchange:
		// Nobody needs Redis to sign: with it away each replica makes its own.
		token, err = create(ctx)
		return token, err
	case errors.Is(err, errGrantRefused):
		return nil, fmt.Errorf("%w: %v", errDelegation, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %v", errUnavailable, err)
	}
	return token, nil
}

// tooShort is the reason where too little is left of the parent: another one
// would do.
func tooShort(v *verified) error {
	if v.identity.Kind == identity.Session {
		return fmt.Errorf("%w: too little is left of it for delegate.minimumLifetime", errExpired)
	}
	return fmt.Errorf("%w: too little is left of it for delegate.minimumLifetime", errBadToken)
}

// delegationKey stands for the token: parent and request, and who gives it.
func (l *Latchkey) delegationKey(p delegation.Parent) string {
	d := l.set.delegate
	// What another secret signed does not serve: the secret may be dropped.
	signs := ""
	if !d.exchange {
		signs = l.set.keys.name(l.now())
	}
	parts := []string{"delegated", signs, d.request.Key(p), d.request.Minimum.String(), l.set.delegateIssuer, l.set.issuer, l.set.clientID, fmt.Sprint(d.exchange)}
	return fingerprint(append(parts, d.resources...)...)
}

// maker makes a token.
type maker = func(context.Context) (*granted, error)

func (l *Latchkey) makerOf(v *verified, p delegation.Parent) (maker, error) {
	act, err := l.set.delegate.request.Act(p)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errDelegation, err)
	}
	if !l.set.delegate.exchange {
		return func(ctx context.Context) (*granted, error) {
			token, err := l.signDelegated(ctx, v, p, act)
			return token, err
		}, nil
	}
	subject, _ := v.forwarded()
	switch {
	case v.identity.Kind == identity.Session && subject == "":
		return nil, fmt.Errorf("%w: its access token has ended", errExpired)
	case subject == "" || v.identity.Kind == identity.Delegated:
		return nil, fmt.Errorf("%w: the provider knows nothing of this credential", errDelegation)
	}
	return func(ctx context.Context) (*granted, error) {
		token, err := l.exchangeDelegated(ctx, subject, p)
		return token, err
	}, nil
}

// signDelegated makes a token of our own (RFC 9068). Besides what the service
// wants to know, it says by what it is revoked: all that its parent is.
func (l *Latchkey) signDelegated(ctx context.Context, v *verified, p delegation.Parent, act map[string]interface{}) (*granted, error) {
	d := l.set.delegate.request
	now := l.now().Unix()
	ends, ok := d.Expires(p, now)
	if !ok {
		return nil, tooShort(v)
	}
	claims := map[string]interface{}{
		"iss": l.set.delegateIssuer, "sub": p.Subject, "client_id": l.delegateClient(),
		"iat": now, "exp": ends, "jti": randomID(16), "scope": strings.Join(d.Scope(p), " "),
		"parent": p.ID, lineage: p.Lineage, "aud": oneOrMore(d.Audience(p, l.set.delegateIssuer)),
	}
	if p.Issuer != "" {
		claims["sub_id"] = map[string]interface{}{"format": "iss_sub", "iss": p.Issuer, "sub": p.Subject} // RFC 9493, 3.2.3
	}
	if v.identity.Kind == identity.Session {
		claims["sid"] = p.ID
	}
	if act != nil {
		claims["act"] = act
	}
	signer, err := l.set.keys.signerAt(l.now())
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errGrantFailed, err)
	}
	token, err := signer.Sign(claims)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errGrantFailed, err)
	}
	l.noteDelegated(ctx, v, p, ends)
	return &granted{AccessToken: token, AccessEnds: ends, At: now}, nil
}

// oneOrMore is an aud claim (RFC 7519, section 4.1.3).
func oneOrMore(audiences []string) interface{} {
	if len(audiences) == 1 {
		return audiences[0]
	}
	return audiences
}

func (l *Latchkey) delegateClient() string {
	if l.set.clientID == "" {
		return l.set.delegateIssuer
	}
	return l.set.clientID
}

// exchangeDelegated has the provider give a token for the one that it gave (RFC
// 8693). What it says of its end holds, within the settings and the parent's.
func (l *Latchkey) exchangeDelegated(ctx context.Context, subject string, p delegation.Parent) (*granted, error) {
	d := l.set.delegate
	asked := oauth2.Exchange{SubjectToken: subject, Resources: d.resources, Scopes: d.request.Scope(p)}
	if d.request.Service != "" {
		asked.Audiences = []string{d.request.Service}
	}
	tokens, err := l.exchangeToken(ctx, asked)
	if errors.Is(err, oauth2.ErrRejected) {
		return nil, fmt.Errorf("%w: %v", errGrantRefused, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errGrantFailed, err)
	}
	now := l.now().Unix()
	ends, _ := d.request.Expires(p, now)
	if said := accessEnds(now, tokens); said != 0 && said < ends {
		ends = said
	}
	if time.Duration(ends-now)*time.Second < d.request.Minimum {
		return nil, fmt.Errorf("%w: the provider's token lasts %d seconds, less than delegate.minimumLifetime", errGrantRefused, ends-now)
	}
	return &granted{AccessToken: tokens.AccessToken, AccessEnds: ends, At: now}, nil
}

// DelegatedInfo is what is told of a token for a service behind.
type DelegatedInfo struct {
	Service string   `json:"service,omitempty"` // "": a notebook's
	Scopes  []string `json:"scopes,omitempty"`
	Until   int64    `json:"until,omitempty"` // Unix seconds
}

// noteDelegated lists the token under its parent, for people to see. Nothing
// depends on it.
func (l *Latchkey) noteDelegated(ctx context.Context, v *verified, p delegation.Parent, ends int64) {
	if v.identity.Kind != identity.Session && v.identity.Kind != identity.Token {
		return
	}
	d := l.set.delegate.request
	note, err := json.Marshal(DelegatedInfo{Service: d.Service, Scopes: d.Scope(p)})
	if err == nil {
		_, err = l.users.add(ctx, delegatedBy(p.ID), string(note), ends*1000, l.now().UnixMilli())
	}
	if err != nil {
		l.log.debug("a delegated token is not listed", "error", err.Error())
	}
}

// delegatedBy names the list of what was made from a parent.
func delegatedBy(parent string) string { return fingerprint("delegated by", parent) }

// listAllDelegated are those of several parents, in their order.
func (l *Latchkey) listAllDelegated(ctx context.Context, parents []string) ([][]DelegatedInfo, error) {
	names := make([]string, len(parents))
	for i, parent := range parents {
		names[i] = delegatedBy(parent)
	}
	known, err := l.users.listAll(ctx, names, l.now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errStoreAway, err)
	}
	made := make([][]DelegatedInfo, len(parents))
	for i, list := range known {
		made[i] = delegatedInfos(list)
	}
	return made, nil
}

// listDelegated are the tokens that were made from a parent and have not ended.
func (l *Latchkey) listDelegated(ctx context.Context, parent string) ([]DelegatedInfo, error) {
	known, err := l.users.list(ctx, delegatedBy(parent), l.now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errStoreAway, err)
	}
	list := delegatedInfos(known)
	return list, nil
}

func delegatedInfos(known []listed) []DelegatedInfo {
	var list []DelegatedInfo
	for _, e := range known {
		var note DelegatedInfo
		if json.Unmarshal([]byte(e.ID), &note) == nil {
			note.Until = e.Until / 1000
			list = append(list, note)
		}
	}
	return list
}
