package latchkey

import (
	"fmt"
	"net/http"
	"strings"
)

// endpointHandler answers at one path under basePath.
type endpointHandler struct {
	methods []string
	serve   func(w http.ResponseWriter, r *http.Request)
}

func (l *Latchkey) endpointTable() map[string]endpointHandler {
	get := []string{http.MethodGet, http.MethodHead}
	if l.set.issuer == "" {
		// Nobody can log in: there are API tokens alone.
		return map[string]endpointHandler{
			"/jwks":     {get, l.serveJWKS},
			"/userinfo": {get, l.serveUserInfo},
			"/status":   {get, l.serveStatus},
			"/metrics":  {get, l.serveMetrics},
		}
	}
	return map[string]endpointHandler{
		accountPath:            {[]string{http.MethodGet, http.MethodPost}, l.serveAccount},
		"/login":               {[]string{http.MethodGet}, l.serveLogin},
		"/callback":            {[]string{http.MethodGet}, l.serveCallback},
		"/logout":              {[]string{http.MethodGet, http.MethodPost}, l.serveLogout},
		"/backchannel-logout":  {[]string{http.MethodPost}, l.serveBackchannelLogout},
		"/frontchannel-logout": {[]string{http.MethodGet}, l.serveFrontchannelLogout},
		"/jwks":                {get, l.serveJWKS},
		"/userinfo":            {get, l.serveUserInfo},
		"/status":              {get, l.serveStatus},
		"/metrics":             {get, l.serveMetrics},
	}
}

// maxAddress bounds path and query of what is answered here, and the path of what
// is let by, in bytes: a megabyte of parameters takes half a second to read.
const maxAddress = 16 << 10

// serveEndpoint answers a request under basePath. Names match exactly; others
// are 404 and never reach the upstream.
func (l *Latchkey) serveEndpoint(w http.ResponseWriter, r *http.Request) {
	// None of what is said here is for a cache, not even that there is nothing.
	w.Header().Set("Cache-Control", "no-store")
	if len(r.URL.Path)+len(r.URL.RawQuery) > maxAddress {
		l.refuse(w, r, fmt.Errorf("%w: the address is longer than %d bytes", errBadRequest, maxAddress), "")
		return
	}
	name := strings.TrimPrefix(r.URL.Path, l.set.basePath)
	if isAPI(name) && l.set.issuer != "" {
		l.serveAPI(w, r)
		return
	}
	e, ok := l.endpoints[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if !contains(e.methods, r.Method) {
		w.Header().Set("Allow", strings.Join(e.methods, ", "))
		http.Error(w, "405 method not allowed", http.StatusMethodNotAllowed)
		return
	}
	e.serve(w, r)
}

// crossSite says whether another site caused the request, by Fetch Metadata,
// and by Origin where a browser sends none. What neither says was not sent by a
// browser that could be tricked.
func crossSite(r *http.Request) bool {
	return foreign(r) && r.Header.Get("Sec-Fetch-Site") != "same-site"
}

// foreign is crossSite that takes other origins of the same site for strangers:
// an app on a neighbouring host must not make tokens.
func foreign(r *http.Request) bool {
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "":
	case "same-origin", "none":
		return false
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	return origin != "" && !strings.HasSuffix(origin, "://"+r.Host)
}

// callbackOrigin is scheme and host of the callback: pinned by redirectURL, or
// those that the client used. Traefik sets X-Forwarded-Proto itself, unless the
// sender is one that it was told to trust.
func (l *Latchkey) callbackOrigin(r *http.Request) string {
	if l.set.redirectURL != nil {
		return l.set.redirectURL.Scheme + "://" + l.set.redirectURL.Host
	}
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// homeOrigin goes in front of a path that leads back to where the request is:
// empty where the callback is on the same host, and for a host that does not
// share our cookies, on which there would be no session.
func (l *Latchkey) homeOrigin(r *http.Request) string {
	pinned := l.set.redirectURL
	if pinned == nil || strings.EqualFold(pinned.Host, r.Host) {
		return ""
	}
	host, _, _ := strings.Cut(r.Host, ":")
	// HTTP/2 takes anything for an authority: app.example.com:80@evil.test.
	if strings.ContainsAny(r.Host, "@/\\?#") {
		return ""
	}
	if l.set.cookie.Domain == "" || !withinDomain(host, l.set.cookie.Domain) {
		return ""
	}
	return pinned.Scheme + "://" + r.Host
}
