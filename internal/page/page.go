// Package page writes the few pages that a person sees: a refusal, a failed
// login, the end of a session; and the account page, with a person's sessions
// and API tokens. They are constants, styled for light and dark, and need
// neither script nor image nor anything fetched.
package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
)

// Page is what one page says. Every field but Title may be empty.
type Page struct {
	Title    string
	Text     string
	Reason   string // the reason code, for whoever is asked for help
	Request  string // the request's id in the log
	Link     string // where the button leads
	LinkText string
	Refresh  string // where the browser goes by itself, at once
}

const style = `:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:1rem/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1c2430}
main{box-sizing:border-box;width:min(28rem,100vw - 2rem);padding:2rem;background:#fff;border:1px solid #d9dde3;border-radius:.75rem}
h1{margin:0 0 .5rem;font-size:1.4rem;line-height:1.25}
p{margin:.5rem 0}
a{display:inline-block;margin-top:1rem;padding:.6rem 1.1rem;border-radius:.5rem;background:#1f5fbf;color:#fff;text-decoration:none}
a:focus-visible{outline:3px solid #4d86d9;outline-offset:2px}
aside{margin-top:1.5rem;padding-top:1rem;border-top:1px solid #d9dde3;font-size:.85rem;color:#5a6575}
aside p{margin:0 0 .25rem}
dl{margin:0;display:grid;grid-template-columns:auto 1fr;gap:.1rem .75rem}
dd{margin:0;overflow-wrap:anywhere;font-family:ui-monospace,monospace}
@media(prefers-color-scheme:dark){body{background:#12161c;color:#e6e9ee}main{background:#1b2129;border-color:#323b47}aside{border-color:#323b47;color:#9aa6b5}a{background:#2f6fd0}}`

// head begins every page.
const head = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
{{if .Refresh}}<meta http-equiv="refresh" content="0;url={{.Refresh}}">
{{end}}<style>{{.Style}}</style>
</head>
`

var layout = template.Must(template.New("page").Parse(head + `<body>
<main>
<h1>{{.Title}}</h1>
{{if .Text}}<p>{{.Text}}</p>
{{end}}{{if .Link}}<p><a href="{{.Link}}">{{.LinkText}}</a></p>
{{end}}{{if .Reason}}<aside>
<p>If you ask for help, quote this:</p>
<dl><dt>Reason</dt><dd>{{.Reason}}</dd>{{if .Request}}<dt>Request</dt><dd>{{.Request}}</dd>{{end}}</dl>
</aside>
{{end}}</main>
</body>
</html>
`))

// policy allows the one style, by its hash, and nothing else.
var policy = "default-src 'none'; style-src " + hash(style) +
	"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// hash is the source expression that allows one style or script (CSP 3,
// section 2.3.1): of exactly what stands between its tags.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Write answers with the page. It is never cached, framed or sniffed.
func Write(w http.ResponseWriter, status int, p Page) {
	// A map, because templates see nothing of an interpreted value's methods.
	body := render(layout, p.Title, map[string]interface{}{
		"Title": p.Title, "Text": p.Text, "Reason": p.Reason, "Request": p.Request,
		"Link": p.Link, "LinkText": p.LinkText, "Refresh": p.Refresh, "Style": template.CSS(style),
	})
	protect(w.Header(), policy)
	Send(w, status, body)
}

// Send answers with the body and says how long it is: middlewares in front that
// keep an answer back take one without a length for one that goes on (RFC 9112,
// section 6.3).
func Send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// render fills in the layout; should that fail, there is still the title.
func render(layout *template.Template, title string, data map[string]interface{}) []byte {
	var body bytes.Buffer
	if err := layout.Execute(&body, data); err != nil {
		body.Reset()
		body.WriteString(template.HTMLEscapeString(title))
	}
	return body.Bytes()
}

// protect sets the headers that keep a page from being cached, framed, sniffed
// or told to the next site.
func protect(h http.Header, policy string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}
