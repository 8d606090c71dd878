package latchkey

import (
	"context"
	"fmt"
	"sync"

	"github.com/latchkey-auth/latchkey/internal/apitoken"
	"github.com/latchkey-auth/latchkey/internal/delegation"
	"github.com/latchkey-auth/latchkey/internal/identity"
	"github.com/latchkey-auth/latchkey/internal/revocation"
)

// lineage is the claim of our own tokens that says where they come from, and by
// what they are revoked. Its members:
const (
	lineage  = "latchkey"
	root     = "from"     // the kind of the credential that the first of them was made from
	notebook = "notebook" // true: a notebook's, of an access token and for those that this is for
	parentID = "token"    // the id of that credential, if it is an API token
)

// lineage is that of a token made from the verified credential: what revokes the
// parent, when the first of them was issued, and what that was.
func (v *verified) lineage(who *identity.Identity, kind string) map[string]interface{} {
	var keys []interface{}
	for _, key := range v.keys {
		if key != noKey {
			keys = append(keys, key.Text())
		}
	}
	made := map[string]interface{}{"keys": keys, "issued": v.issued}
	switch who.Kind {
	case identity.Delegated:
		from := lineageIn(who.Claims)
		copyClaim(made, from, root)
		copyClaim(made, from, parentID)
		if kind == delegation.Notebook {
			copyClaim(made, from, notebook)
		}
		return made
	case identity.Token:
		made[parentID] = who.Claims["token_id"]
	case identity.Bearer:
		if kind == delegation.Notebook {
			made[notebook] = true
		}
	}
	made[root] = string(who.Kind)
	return made
}

func copyClaim(to, from map[string]interface{}, name string) {
	if value, found := from[name]; found {
		to[name] = value
	}
}

func lineageIn(claims map[string]interface{}) map[string]interface{} {
	from, _ := claims[lineage].(map[string]interface{})
	return from
}

// subjectIssuer is whose subject a token of our own is about, "" for one that was
// made before that was said.
func subjectIssuer(claims map[string]interface{}) string {
	subject, _ := claims["sub_id"].(map[string]interface{})
	return text(subject["iss"])
}

// audiencesOf reads an aud claim (RFC 7519, section 4.1.3).
func audiencesOf(claims map[string]interface{}) []string {
	if one := text(claims["aud"]); one != "" {
		return []string{one}
	}
	var audiences []string
	list, _ := claims["aud"].([]interface{})
	for _, audience := range list {
		audiences = append(audiences, text(audience))
	}
	return audiences
}

func haveOneOf(list, wanted []string) bool {
	for _, s := range list {
		if contains(wanted, s) {
			return true
		}
	}
	return false
}

// delegateAudiences are those that a token of our own may have here: admits says
// for which one which of them counts.
func (s *settings) delegateAudiences() []string {
	accepted := append([]string{s.delegateIssuer}, s.audiences...)
	for _, i := range s.issuers {
		accepted = append(accepted, i.audiences...)
	}
	return accepted
}

// admits says whether a token of our own is for this router. A notebook's acts as
// its parent does, so it is accepted where its parent would be. Two issuers may each
// have a subject of one name, so a subject of one that is not known here is nobody.
func (l *Latchkey) admits(claims map[string]interface{}) bool {
	from := lineageIn(claims)
	audiences := audiencesOf(claims)
	whose := subjectIssuer(claims)
	known := l.issuerNamed(whose)
	if whose != "" && whose != l.set.issuer && whose != l.set.delegateIssuer && known == nil {
		return false
	}
	if from[notebook] == true {
		return known != nil && haveOneOf(audiences, known.audiences)
	}
	if !contains(audiences, l.set.delegateIssuer) {
		return haveOneOf(audiences, l.set.audiences)
	}
	switch text(from[root]) {
	case string(identity.Session):
		return whose == l.set.issuer && text(claims["client_id"]) == l.delegateClient()
	case string(identity.Token):
		return l.apiTokens != nil
	}
	return from[root] == nil // made before it was said
}

func (l *Latchkey) issuerNamed(name string) *issuer {
	for i := range l.set.issuers {
		if l.set.issuers[i].name == name {
			return &l.set.issuers[i]
		}
	}
	return nil
}

// tokenFiles are the shadow files that this process reads.
type tokenFiles struct {
	mu   sync.Mutex
	open map[*apitoken.File]bool
}

func (f *tokenFiles) add(file *apitoken.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[file] = true
}

func (f *tokenFiles) remove(file *apitoken.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, file)
}

func (f *tokenFiles) all() []*apitoken.File {
	f.mu.Lock()
	defer f.mu.Unlock()
	var files []*apitoken.File
	for file := range f.open {
		files = append(files, file)
	}
	return files
}

// checkParent refuses what was made from an API token that was since taken out of
// its shadow file by hand, or changed there so that it may less. Nobody revoked it
// then, so its file is asked, whichever router reads it.
func (l *Latchkey) checkParent(ctx context.Context, v *verified, claims map[string]interface{}) error {
	id := text(lineageIn(claims)[parentID])
	if id == "" {
		return nil
	}
	now := l.now()
	for _, file := range l.tokenFiles.all() {
		stands := file.Until(now)
		t, found, gone := file.Seen(ctx, id)
		if gone || found && !l.mayStill(v.keys[0], t, claims) {
			return fmt.Errorf("%w: the API token that it was made from is gone, or may less", errBadToken)
		}
		if found && stands.Unix() < v.until {
			v.until = stands.Unix()
		}
	}
	return nil
}

// mayStill says whether the API token still accepts the secret of that key, and has
// all that was made of it.
func (l *Latchkey) mayStill(key revocation.Key, t apitoken.Token, claims map[string]interface{}) bool {
	if t.Owner != text(claims["sub"]) {
		return false
	}
	for _, scope := range scopesOf(claims) {
		if !contains(t.Scopes, scope) {
			return false
		}
	}
	for _, hash := range t.Hashes() {
		if _, ok := t.Accepts(hash, l.now().Unix()); ok && revocation.Token(t.ID, hash) == key {
			return true
		}
	}
	return false
}

// descend takes over by what the token is revoked.
func (v *verified) descend(claim interface{}) bool {
	from, _ := claim.(map[string]interface{})
	issued, ok := from["issued"].(float64)
	if !ok {
		return false
	}
	v.issued = int64(issued)
	list, _ := from["keys"].([]interface{})
	if len(list) == 0 || len(list) > len(v.keys) {
		return false
	}
	for i, item := range list {
		key, ok := revocation.ParseKey(text(item))
		if !ok {
			return false
		}
		v.keys[i] = key
	}
	return true
}
