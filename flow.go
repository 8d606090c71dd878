package latchkey

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/internal/oauth2"
	"github.com/latchkey-auth/latchkey/internal/seal"
)

const (
	// flowLifetime is how long a person may take to log in.
	flowLifetime = 10 * time.Minute
	// maxFlows is how many logins one browser may have under way.
	maxFlows = 5
	// maxExpired is how many of too many go with one answer.
	maxExpired = 10
)

// flow is a login under way. The browser keeps it, sealed, in a cookie of its
// own that is named after the state: so parallel tabs do not disturb one
// another, and a callback counts only in the browser that began it (RFC 6749,
// section 10.12).
type flow struct {
	State    string `json:"-"` // the time it began, base 36, and 128 random bits
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Return   string `json:"r"` // where the login was for
	Scope    string `json:"s"` // asked for; "": an older version began it
	Ends     int64  `json:"e"` // Unix seconds
}

func (l *Latchkey) newFlow(r *http.Request, returnTo string) *flow {
	now := l.now()
	return &flow{
		State:    strconv.FormatInt(now.Unix(), 36) + "." + randomID(16),
		Nonce:    randomID(16),
		Verifier: oauth2.NewVerifier(),
		Return:   l.homeOrigin(r) + returnTo,
		Scope:    l.set.scopes,
		Ends:     now.Add(flowLifetime).Unix(),
	}
}

// begun is when the login began, in Unix seconds.
func (f *flow) begun() int64 { return f.Ends - int64(flowLifetime/time.Second) }

func (l *Latchkey) flowPrefix() string { return l.set.cookie.Name + "-flow-" }

// flowContext binds the sealed flow to its state and to provider and client.
func (l *Latchkey) flowContext(state string) string {
	return seal.Context("flow", l.flowPrefix()+state, l.set.issuer, l.set.clientID)
}

// saveFlow sets the flow's cookie and lets the oldest go where there would be
// too many.
func (l *Latchkey) saveFlow(w http.ResponseWriter, r *http.Request, f *flow) error {
	plain, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("save login flow: %w", err)
	}
	sealed, err := l.set.keys.at(l.now()).Seal(l.flowContext(f.State), plain)
	if err != nil {
		return fmt.Errorf("save login flow: %w", err)
	}
	earlier := l.flowStates(r)
	for n := 0; len(earlier)-n >= maxFlows && n < maxExpired; n++ {
		l.setFlowCookie(w, earlier[n], "", -1)
	}
	l.setFlowCookie(w, f.State, sealed, int(flowLifetime/time.Second))
	return nil
}

// flowStates are the states of the request's flow cookies, the oldest first.
func (l *Latchkey) flowStates(r *http.Request) []string {
	var states []string
	prefix := l.flowPrefix()
	if !strings.Contains(strings.Join(r.Header["Cookie"], ";"), prefix) {
		return nil
	}
	for _, c := range l.ownCookies(r) {
		if strings.HasPrefix(c.Name, prefix) {
			states = append(states, c.Name[len(prefix):])
		}
	}
	sort.Strings(states)
	return states
}

// takeFlow opens the flow of that state and expires its cookie. A state counts
// once, and only with the cookie.
func (l *Latchkey) takeFlow(w http.ResponseWriter, r *http.Request, state string) (*flow, error) {
	sealed, ok := l.flowCookie(r, state)
	if !ok {
		return nil, fmt.Errorf("%w: no login of this state began in this browser", errCallback)
	}
	l.setFlowCookie(w, state, "", -1)
	plain, err := l.set.keys.at(l.now()).Open(l.flowContext(state), sealed)
	if err != nil {
		return nil, fmt.Errorf("%w: flow cookie: %v", errCallback, err)
	}
	f := &flow{State: state}
	if err := json.Unmarshal(plain, f); err != nil {
		return nil, fmt.Errorf("%w: flow cookie: %v", errCallback, err)
	}
	if l.now().Unix() >= f.Ends {
		return nil, fmt.Errorf("%w: the login took more than %s", errCallback, flowLifetime)
	}
	first, err := l.once.Add(r.Context(), "state:"+fingerprint(state), nil, flowLifetime)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errStoreAway, err)
	}
	if !first {
		return nil, fmt.Errorf("%w: the state was used before", errCallback)
	}
	return f, nil
}

// flowCookie is the value of that state's cookie.
func (l *Latchkey) flowCookie(r *http.Request, state string) (string, bool) {
	if !l.readable(r) {
		return "", false
	}
	return l.oneCookie(r, l.flowPrefix()+state)
}

// setFlowCookie differs from the session's cookie: the callback comes from the
// provider's site, for which SameSite must not be strict, and to a path that
// the session's cookie need not cover.
func (l *Latchkey) setFlowCookie(w http.ResponseWriter, state, value string, age int) {
	c := l.set.cookie
	c.Name = l.flowPrefix() + state
	c.Path = "/"
	c.Value, c.MaxAge = value, age
	if c.SameSite == http.SameSiteStrictMode {
		c.SameSite = http.SameSiteLaxMode
	}
	setPrivately(w, &c)
}
