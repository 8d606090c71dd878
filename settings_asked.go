package latchkey

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/oidc"
)

// asked is what provider.authParams ask of how a person logs in, as far as the
// provider's answer can be held against it (OpenID Connect Core, section 3.1.2.1).
//
// The specification calls acr_values voluntary: a provider may do less, and say
// so. But whoever sets them wants no less; and the request goes through the
// person's browser, where anything in it can be left out. Only what is checked in
// the ID token was done.
type asked struct {
	aged     bool     // auth_time must be there, and no older than maxAge
	maxAge   int64    // seconds from when the person proved who they are to when they were asked
	contexts []string // what acr may be; nil: anything
}

// anyAge is the maxAge where auth_time must be there, whatever it is.
const anyAge = 100 * 365 * 24 * 3600

func (s *settings) compileAsked(m *mistakes, params map[string]string) {
	s.asked.contexts = strings.Fields(params["acr_values"])
	if claims := params["claims"]; claims != "" {
		s.asked.essential(m, claims)
	}
	said, ok := params["max_age"]
	if !ok {
		return
	}
	age, err := strconv.ParseInt(said, 10, 64)
	if err != nil || age < 0 || age > anyAge {
		m.add("provider.authParams", "max_age: %q is not a number of seconds", said)
	}
	s.asked.aged = true
	s.asked.maxAge = age
}

// essential reads the claims parameter (OpenID Connect Core, section 5.5.1.1):
// there a value of acr may be required by the specification, too.
func (a *asked) essential(m *mistakes, text string) {
	type claim struct {
		Essential bool     `json:"essential"`
		Value     string   `json:"value"`
		Values    []string `json:"values"`
	}
	var request struct {
		IDToken map[string]json.RawMessage `json:"id_token"`
	}
	var acr, authTime claim
	err := json.Unmarshal([]byte(text), &request)
	if raw := request.IDToken["acr"]; err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, &acr)
	}
	if raw := request.IDToken["auth_time"]; err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, &authTime)
	}
	if err != nil {
		m.add("provider.authParams", "claims: it is not the JSON of OpenID Connect Core, section 5.5")
		return
	}
	if authTime.Essential {
		a.aged = true
		a.maxAge = anyAge
	}
	if acr.Value != "" {
		acr.Values = append(acr.Values, acr.Value)
	}
	if !acr.Essential || len(acr.Values) == 0 {
		return
	}
	if len(a.contexts) > 0 {
		m.add("provider.authParams", "acr_values and an essential acr in claims both say what acr must be; drop one of the two")
	}
	a.contexts = acr.Values
}

func (a *asked) anything() bool { return a.aged || len(a.contexts) > 0 }

// after is when the person must have logged in at the earliest, for a login that
// began at that time; 0: at any time.
func (a *asked) after(begun int64) int64 {
	if !a.aged {
		return 0
	}
	return begun - a.maxAge
}

// check is for a session that another router's login may have made, which asked
// for less. Then a new login is due.
func (a *asked) check(s *session, idToken map[string]interface{}) error {
	begun := s.Asked
	claims := map[string]interface{}{"auth_time": float64(s.AuthTime), "acr": s.Context}
	if begun == 0 { // its record is from before they were kept
		begun = s.Born / 1000
		claims = idToken
	}
	if err := oidc.CheckLogin(claims, a.after(begun), a.contexts); err != nil {
		return fmt.Errorf("%w: its login was not asked for what this router asks for: %v", errNoCredential, err)
	}
	return nil
}

// policy keeps verdicts of routers apart that ask for different things.
func (a *asked) policy() string {
	return strconv.FormatBool(a.aged) + " " + strconv.FormatInt(a.maxAge, 10) + " " + strings.Join(a.contexts, " ")
}
