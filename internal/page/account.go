package page

import (
	"html/template"
	"net/http"
	"strconv"
)

// Account is what the account page shows to a person: who is logged in, where,
// and with which API tokens. Fields that are empty are left out.
//
// All forms are posted to Action with the hidden fields once and do:
//
//	do           further fields
//	create       note, scope (any number), days
//	rotate       id of a token, grace ("0", "1h" or "24h")
//	revoke       id of a token
//	end-session  id of a session
//	end-others
type Account struct {
	User      string // who is logged in
	Action    string // where all forms post to
	Logout    string // where the link to log out leads
	Once      string // stands in every form: a form counts once
	Notice    string // what was done
	Problem   string // what went wrong
	Secret    string // a new API token, shown this once
	SecretFor string // the note or ID of that token
	Sessions  []Session
	Tokens    []Token
	TokensOn  bool     // API tokens are accepted; false: nothing is said of them
	Scopes    []string // which this user may give to a token
	Note      string   // what was typed before a problem
	Chosen    []string // which scopes were chosen before a problem
	Expiry    string   // which of Expiries is chosen
	Expiries  []Choice
}

// Session is one session of the user.
type Session struct {
	ID    string
	Where string
	Agent string
	Since string
	This  bool // it is the one that asks for the page

	Services []string // which services have a token made from it
}

// Token is one API token of the user.
type Token struct {
	ID       string
	Note     string // what it is for, in the user's words
	Created  string
	LastUsed string // "": never
	Expires  string // "": never
	Scopes   []string
	Expired  bool

	Services []string // which services have a token made from it
}

// Choice is an option of a select.
type Choice struct{ Value, Text string }

var accountLayout = template.Must(template.New("account").Parse(head + `<body>
<header>
<div>
<h1>Your account</h1>
{{if .User}}<p>You are logged in as <strong>{{.User}}</strong></p>
{{end}}</div>
{{if .Logout}}<a href="{{.Logout}}">Log out</a>
{{end}}</header>
<main>
{{if .Problem}}<div id="problem" class="panel bad" role="alert" tabindex="-1" autofocus><p>{{.Problem}}</p></div>
{{end}}{{if .Notice}}<div id="notice" class="panel good" role="status" tabindex="-1"{{if not .Problem}} autofocus{{end}}><p>{{.Notice}}</p></div>
{{end}}{{if .Secret}}` + accountSecret + `{{end}}` + accountSessions + `{{if .TokensOn}}` + accountTokens + `{{end}}</main>
{{if .Secret}}<script>{{.Script}}</script>
{{end}}</body>
</html>
`))

const accountSecret = `<section class="panel secret" aria-labelledby="secret-title">
<h2 id="secret-title">Your new API token</h2>
{{if .SecretFor}}<p>For <strong>{{.SecretFor}}</strong></p>
{{end}}<p>Copy it now: it is shown this once.</p>
<code id="secret" tabindex="0">{{.Secret}}</code>
<div class="row"><button id="copy" type="button" hidden>Copy<span class="unseen"> the new API token</span></button><p id="copied" role="status"></p></div>
</section>
`

const accountSessions = `<section id="sessions" aria-labelledby="sessions-title">
<h2 id="sessions-title">Sessions</h2>
<p class="hint">Where you are logged in. End a session that you do not know or no longer need.</p>
{{if .Sessions}}<ul class="items" role="list">
{{range .Sessions}}<li id="session-{{.ID}}">
<h3>{{.Name}}{{if .This}} <span class="badge">This session</span>{{end}}</h3>
<dl>
{{if .Where}}<div><dt>Where</dt><dd>{{.Where}}</dd></div>
{{end}}{{if .Since}}<div><dt>Since</dt><dd>{{.Since}}</dd></div>
{{end}}{{if .Services}}<div class="wide"><dt>Used by services</dt><dd>{{range .Services}}<code>{{.}}</code> {{end}}</dd></div>
{{end}}</dl>
{{if not .This}}<div class="actions">
<details>
<summary>End session…<span class="unseen"> {{template "session" .}}</span></summary>
<form method="post" action="{{$.Action}}">
<input type="hidden" name="once" value="{{$.Once}}"><input type="hidden" name="do" value="end-session"><input type="hidden" name="id" value="{{.ID}}">
<p>This ends the session at once: that browser has to log in again.</p>
<button class="danger">End session<span class="unseen">: {{template "session" .}}</span></button>
</form>
</details>
</div>
{{end}}</li>
{{end}}</ul>
{{else}}<p class="empty">There are no sessions to show.</p>
{{end}}{{if .Others}}<details class="all">
<summary>End all other sessions…</summary>
<form method="post" action="{{.Action}}">
<input type="hidden" name="once" value="{{.Once}}"><input type="hidden" name="do" value="end-others">
<p>This ends all of your sessions but this one: your other browsers have to log in again.</p>
<button class="danger">End all other sessions</button>
</form>
</details>
{{else if .Sessions}}<p class="empty">You are logged in nowhere else.</p>
{{end}}</section>
{{define "session"}}{{.Name}}{{if .Where}}, {{.Where}}{{end}}{{if .Since}}, since {{.Since}}{{end}}{{end}}`

const accountTokens = `<section id="tokens" aria-labelledby="tokens-title">
<h2 id="tokens-title">API tokens</h2>
<p class="hint">For programs that act in your name. Whoever has a token can use it: keep it secret.</p>
{{if .Tokens}}<ul class="items" role="list">
{{range .Tokens}}<li id="token-{{.ID}}">
<h3>{{.Name}}{{if .Expired}} <span class="badge bad">Expired</span>{{end}}</h3>
<dl>
<div class="wide"><dt>Scopes</dt><dd>{{range .Scopes}}<code>{{.}}</code> {{else}}None{{end}}</dd></div>
{{if .Created}}<div><dt>Created</dt><dd>{{.Created}}</dd></div>
{{end}}<div><dt>Last used</dt><dd>{{or .LastUsed "Never"}}</dd></div>
<div><dt>{{if .Expired}}Expired{{else}}Expires{{end}}</dt><dd>{{or .Expires "Never"}}</dd></div>
<div><dt>ID</dt><dd class="id">{{.ID}}</dd></div>
{{if .Services}}<div class="wide"><dt>Used by services</dt><dd>{{range .Services}}<code>{{.}}</code> {{end}}</dd></div>
{{end}}</dl>
<div class="actions">
{{if not .Expired}}<details>
<summary>Rotate…<span class="unseen"> {{.Name}}</span></summary>
<form method="post" action="{{$.Action}}">
<input type="hidden" name="once" value="{{$.Once}}"><input type="hidden" name="do" value="rotate"><input type="hidden" name="id" value="{{.ID}}">
<p>You get a new token in place of this one, with the same note, scopes and expiry.</p>
<label for="grace-{{.ID}}">The old one</label>
<select id="grace-{{.ID}}" name="grace"><option value="0" selected>stops at once</option><option value="1h">works for 1 more hour</option><option value="24h">works for 24 more hours</option></select>
<button>Rotate token<span class="unseen">: {{.Name}}</span></button>
</form>
</details>
{{end}}<details>
<summary>Revoke…<span class="unseen"> {{.Name}}</span></summary>
<form method="post" action="{{$.Action}}">
<input type="hidden" name="once" value="{{$.Once}}"><input type="hidden" name="do" value="revoke"><input type="hidden" name="id" value="{{.ID}}">
<p>{{if .Expired}}This takes the token off the list for good.{{else}}The token stops working at once and for good: whatever uses it is refused from then on.{{end}}</p>
<button class="danger">Revoke token<span class="unseen">: {{.Name}}</span></button>
</form>
</details>
</div>
</li>
{{end}}</ul>
{{else}}<p class="empty">You have no API tokens yet.</p>
{{end}}<h3 id="create-title">New API token</h3>
<form id="create" method="post" action="{{.Action}}" aria-labelledby="create-title">
<input type="hidden" name="once" value="{{.Once}}"><input type="hidden" name="do" value="create">
<label for="note">Note</label>
<input id="note" name="note" type="text" maxlength="100" autocomplete="off" aria-describedby="note-hint" value="{{.Note}}">
<p id="note-hint" class="hint">What the token is for, so that you know it again.</p>
{{if .Scopes}}<fieldset>
<legend>Scopes</legend>
<p class="hint">What the token may be used for.</p>
<div class="scopes">
{{range .Scopes}}<label for="{{.ID}}"><input id="{{.ID}}" type="checkbox" name="scope" value="{{.Scope}}"{{if .Chosen}} checked{{end}}><span>{{.Scope}}</span></label>
{{end}}</div>
</fieldset>
{{end}}{{if .Expiries}}<label for="days">Expires after</label>
<select id="days" name="days">{{range .Expiries}}<option value="{{.Value}}"{{if .Chosen}} selected{{end}}>{{.Text}}</option>{{end}}</select>
{{end}}<button>Create token</button>
</form>
</section>
`

// accountPolicy allows the page's own style and script, and its forms to post
// to where it came from.
var accountPolicy = "default-src 'none'; style-src " + hash(accountStyle) + "; script-src " + hash(accountScript) +
	"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// WriteAccount answers with the account page.
func WriteAccount(w http.ResponseWriter, status int, a Account) {
	body := render(accountLayout, "Your account", accountData(a))
	h := w.Header()
	protect(h, accountPolicy)
	// Under no-referrer, browsers post forms with "Origin: null" (Fetch,
	// section 3.2): the endpoint could not tell ours from a stranger's.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	Send(w, status, body)
}

// accountData is the account as maps: templates see nothing of an interpreted
// value's methods.
func accountData(a Account) map[string]interface{} {
	title := "Your account"
	if a.Problem != "" {
		title = "Problem: " + title // the first that a screen reader says
	}
	return map[string]interface{}{
		"Title": title, "Refresh": "", "Style": template.CSS(accountStyle), "Script": template.JS(accountScript),
		"User": a.User, "Action": a.Action, "Logout": a.Logout, "Once": a.Once, "Notice": a.Notice, "Problem": a.Problem,
		"Secret": a.Secret, "SecretFor": a.SecretFor,
		"Sessions": sessionsData(a.Sessions), "Others": anyOther(a.Sessions),
		"TokensOn": a.TokensOn, "Tokens": tokensData(a.Tokens), "Note": a.Note,
		"Scopes": scopesData(a.Scopes, a.Chosen), "Expiries": expiriesData(a.Expiries, a.Expiry),
	}
}

func sessionsData(sessions []Session) []map[string]interface{} {
	var data []map[string]interface{}
	for _, s := range sessions {
		data = append(data, map[string]interface{}{
			"ID": s.ID, "Name": firstOf(s.Agent, "Unknown browser"), "Where": s.Where, "Since": s.Since, "This": s.This, "Services": s.Services,
		})
	}
	return data
}

func anyOther(sessions []Session) bool {
	for _, s := range sessions {
		if !s.This {
			return true
		}
	}
	return false
}

func tokensData(tokens []Token) []map[string]interface{} {
	var data []map[string]interface{}
	for _, t := range tokens {
		data = append(data, map[string]interface{}{
			"ID": t.ID, "Name": firstOf(t.Note, t.ID), "Created": t.Created, "LastUsed": t.LastUsed, "Expires": t.Expires,
			"Scopes": t.Scopes, "Expired": t.Expired, "Services": t.Services,
		})
	}
	return data
}

func scopesData(scopes, chosen []string) []map[string]interface{} {
	isChosen := map[string]bool{}
	for _, s := range chosen {
		isChosen[s] = true
	}
	var data []map[string]interface{}
	for i, s := range scopes {
		data = append(data, map[string]interface{}{"ID": "scope-" + strconv.Itoa(i), "Scope": s, "Chosen": isChosen[s]})
	}
	return data
}

func expiriesData(choices []Choice, chosen string) []map[string]interface{} {
	var data []map[string]interface{}
	for _, c := range choices {
		data = append(data, map[string]interface{}{"Value": c.Value, "Text": c.Text, "Chosen": c.Value == chosen})
	}
	return data
}

func firstOf(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}
