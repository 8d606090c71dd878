package latchkey

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/page"
)

// caller is who asks the account page or the API.
type caller struct {
	user    string // sub
	session string // the ID of the session; "": an access token
	who     *identity.Identity
	admin   bool
}

// caller finds out who is asking. A token does not manage anything: who finds
// one must not be able to make others of it. An access token of the provider is an
// exception where it has the scope that the settings name.
func (l *Latchkey) caller(w http.ResponseWriter, r *http.Request) (*caller, error) {
	v, err := l.authenticate(w, r)
	if err != nil {
		return nil, err
	}
	who, err := v.identity.Unpack()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errInternal, err)
	}
	if !l.manages(who) {
		return nil, fmt.Errorf("%w: %s", errNotALogin, who.Kind)
	}
	c := &caller{user: text(who.Claims["sub"]), who: who}
	// A subject is a name within its issuer.
	if text(who.Claims["iss"]) != l.set.issuer {
		return nil, fmt.Errorf("%w: its issuer is not the provider", errNotALogin)
	}
	c.admin = l.set.admin != nil && l.set.admin(who)
	if who.Kind == identity.Session {
		// Without its ID "all others" would be this one, too.
		s, err := l.openSession(r.Context(), l.cookieValue(r))
		if err != nil {
			return nil, err
		}
		c.session = s.ID
	}
	return c, nil
}

// manages says whether a credential of that kind may manage anything.
func (l *Latchkey) manages(who *identity.Identity) bool {
	switch who.Kind {
	case identity.Session:
		return true
	case identity.Bearer:
		return l.set.manage != "" && contains(scopesOf(who.Claims), l.set.manage)
	}
	return false
}

// apiCall is a request of the JSON API that was understood and is allowed.
type apiCall struct {
	*caller
	owner string // whose sessions or tokens it is about
	id    string // of one of them; "": all
	body  []byte
}

// apiHandler answers a call with a document, or nil for none.
type apiHandler func(r *http.Request, c *apiCall) (status int, document interface{}, err error)

// apiTable are the calls, by method and path under api. One segment of a path
// may be an id, written * here.
func (l *Latchkey) apiTable() map[string]apiHandler {
	return map[string]apiHandler{
		"GET sessions":         l.apiSessions,
		"DELETE sessions":      l.apiEndOthers,
		"DELETE sessions/*":    l.apiEndSession,
		"GET tokens":           l.apiTokenList,
		"POST tokens":          l.apiCreateToken,
		"POST tokens/*/rotate": l.apiRotateToken,
		"DELETE tokens/*":      l.apiRevokeToken,
		"DELETE user":          l.apiEndUser,
	}
}

// isAPI says whether a path under basePath is one of the JSON API's.
func isAPI(path string) bool { return strings.HasPrefix(path, "/api/") }

// serveAPI answers the JSON API. ?user= asks about somebody else, which is for
// administrators.
func (l *Latchkey) serveAPI(w http.ResponseWriter, r *http.Request) {
	pattern, id := apiPattern(strings.TrimPrefix(r.URL.Path, l.set.basePath+"/api/"))
	handler, ok := l.api[r.Method+" "+pattern]
	if !ok {
		l.refuse(w, r, fmt.Errorf("%w: %s %s", errNotFound, r.Method, pattern), "")
		return
	}
	c, err := l.readCall(w, r)
	if err != nil {
		l.refuse(w, r, err, "")
		return
	}
	c.id = id
	status, document, err := handler(r, c)
	if err != nil {
		l.refuse(w, r, err, "")
		return
	}
	l.writeDocument(w, r, status, document)
}

// apiPattern is the path with * for the id, which is the second segment.
func apiPattern(path string) (pattern, id string) {
	parts := strings.Split(path, "/")
	if len(parts) > 1 {
		id = parts[1]
		parts[1] = "*"
	}
	return strings.Join(parts, "/"), id
}

// maxAPIBody bounds what is read of a call.
const maxAPIBody = 64 << 10

func (l *Latchkey) readCall(w http.ResponseWriter, r *http.Request) (*apiCall, error) {
	if r.Method != http.MethodGet && foreign(r) {
		return nil, errForeign
	}
	who, err := l.caller(w, r)
	if err != nil {
		return nil, err
	}
	c := &apiCall{caller: who, owner: who.user}
	if asked := r.URL.Query()["user"]; len(asked) > 0 {
		if len(asked) > 1 || asked[0] == "" {
			return nil, fmt.Errorf("%w: user is given twice, or empty", errBadRequest)
		}
		if !who.admin {
			return nil, errNotAdmin
		}
		c.owner = asked[0]
	}
	if err := c.read(w, r); err != nil {
		return nil, err
	}
	return c, nil
}

// read takes the body, which is JSON and says so, or is not there. A form of
// another site can post neither this type nor a body that is JSON, and says what it
// is when it is empty, too.
func (c *apiCall) read(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAPIBody))
	if err != nil {
		return fmt.Errorf("%w: the body cannot be read, or is longer than %d bytes", errBadRequest, maxAPIBody)
	}
	types := r.Header["Content-Type"]
	if (len(body) > 0 || r.Method == http.MethodPost && len(types) > 0) && !isJSON(types) {
		return fmt.Errorf("%w: the Content-Type is not application/json", errBadRequest)
	}
	if r.Header.Get("Content-Encoding") != "" {
		return fmt.Errorf("%w: the body has a Content-Encoding", errBadRequest)
	}
	c.body = body
	return nil
}

// isJSON says whether that is the one type, in the one encoding that JSON has
// between systems (RFC 8259, section 8.1).
func isJSON(types []string) bool {
	if len(types) != 1 {
		return false
	}
	kind, parameters, err := mime.ParseMediaType(types[0])
	charset := parameters["charset"]
	return err == nil && kind == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

// decode reads the call's body, in which every member has to be one that is
// known: a misspelt expiry would be none.
func (c *apiCall) decode(into interface{}) error {
	if len(c.body) == 0 {
		return fmt.Errorf("%w: there is no body; this call takes a JSON object", errBadRequest)
	}
	d := json.NewDecoder(strings.NewReader(string(c.body)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: the body: %v", errBadRequest, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the body goes on after its end", errBadRequest)
	}
	return nil
}

func (l *Latchkey) writeDocument(w http.ResponseWriter, r *http.Request, status int, document interface{}) {
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	if document == nil {
		w.WriteHeader(status)
		return
	}
	text, err := json.Marshal(document)
	if err != nil {
		l.refuse(w, r, fmt.Errorf("%w: %v", errInternal, err), "")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	page.Send(w, status, text)
}
